"""``chats.db``: conversations as trees of messages, a row for each part; written by one thread of ours, read on any."""
