"""The window: views and their controllers, and nothing else. No SQL, no llama.cpp, no HTTP.

Everything here runs on the UI thread and never blocks it for more than 50 ms. What happens elsewhere arrives as events
through ``ui.bridge``. Features (chat, models, documents, settings) never import each other; ``ui.shell`` joins them.
"""
