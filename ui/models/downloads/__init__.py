"""What is on its way to this computer. UI thread only."""
