"""The settings dialog. UI thread only; it shows a ``Settings`` value and gives back what was changed."""
