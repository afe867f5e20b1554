"""The person's documents: reading files, cutting them into passages, indexing and finding them.

Owns ``documents.db`` and everything that reads a document. Indexing runs on one documents thread (``service``); files
are opened by readers in a limited child process (``child``), so that a hostile file cannot take the program along.
Searching runs on the caller's thread through a read-only connection. Imported by ``app.services`` only; nothing here
knows of models, chat or the window.
"""
