"""The panel about the model that answers: where it lies, what would change that, how it chooses its words, its speed.

UI thread only. ``controller`` asks the services, on the bridge's pool, and joins the views: ``head``, ``bars``,
``form``, ``tuning`` and ``speed`` are the panel's sections from top to bottom, ``view`` holds them. ``words`` says what
they say; ``shares`` and ``rates`` are what two of them draw.
"""
