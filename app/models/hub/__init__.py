"""What can be had from elsewhere: the Hub's repositories and our own catalogue.

Waits for the network: not for the UI thread.
"""
