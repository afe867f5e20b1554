"""The main window: joins the features (chat, models, documents, settings), which never import each other.

UI thread only. ``application`` starts everything and ends it in order, ``window`` is the window itself, ``features``
makes the controllers, ``pages`` declares what can be opened. The joins: ``current_chat``, ``model_page``, ``panels``
and ``sources``.
"""
