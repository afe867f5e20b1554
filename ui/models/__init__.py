"""Models: the one that answers, those on this computer, those that can be had. UI thread only.

``controller`` and ``picker`` choose which model answers. ``manager`` joins the models page: ``library`` keeps what is
on this computer, ``shop`` what can be had, ``downloads`` what is on its way; each has its view beside it. They ask the
model service on the bridge's pool and show its values (``app.domain.library``); ``words`` says them to a person.
"""
