"""What the program keeps on disk: folders, conversations, settings, secrets.

Conversations live in ``chats.db``: one thread of ours owns the only writing connection, readers on any thread take a
read-only connection for the length of one call. Everything here may be called from any thread but the UI's while it
paints (calls wait for the disk). Nothing here knows about models, tools or windows.
"""
