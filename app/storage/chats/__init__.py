"""``chats.db``: conversations as trees of messages, written by one thread of ours, read on any."""
