"""Models on the disk: found, named, described, checked, taken in and removed.

Waits for the disk: not for the UI thread.
"""
