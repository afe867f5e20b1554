"""Tool calls beside the conversation: the list of all, and one in full. UI thread only."""
