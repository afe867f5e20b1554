"""The files and folders that a conversation may read. UI thread only; ``button`` is the view, chips show the choice."""
