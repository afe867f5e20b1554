"""The tab "Get models": our own list, the Hub's search, and the way to a download. UI thread only."""
