"""Alcove without a window: everything but the widgets. Nothing in here imports Qt."""

__version__ = "0.1.0"
