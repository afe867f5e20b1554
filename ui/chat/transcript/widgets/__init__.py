"""The widgets that show rows of a transcript. UI thread only."""
