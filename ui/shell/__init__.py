"""The main window: joins the features (chat, models, documents, settings), which never import each other.

UI thread only. ``application`` starts everything and ends it in order, ``window`` places the views, ``conversations``
owns the list in the sidebar.
"""
