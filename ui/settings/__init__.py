"""The settings dialog, made from what ``app.domain.settings`` declares. UI thread only; it gives back what changed."""
