"""The embedding model: texts to vectors, so that passages are found by their meaning.

Owns the thread and the child process of that model (``worker``), what its file says of it (``files``) and what each
model wants before a text (``prefixes``). What runs in the child is handed in by ``app.services``.
"""
