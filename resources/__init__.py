"""Files that ship with Alcove: models, sample documents, icons, themes. No code; read as package data."""
