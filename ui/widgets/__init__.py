"""Small widgets that every feature of the window uses; they know nothing of conversations or services.

UI thread only.
"""
