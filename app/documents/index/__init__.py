"""``documents.db``: what is known of files, their passages and vectors, and the thread that keeps it up to date."""
