"""The tab "On this computer". UI thread only; looks at the disk on the bridge's pool."""
