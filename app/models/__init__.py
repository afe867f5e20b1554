"""Models on this computer and those that can be had: the library, the Hub, downloads.

``service`` joins them for ``app.services`` and the command line. Calls wait for the disk or the network: not for
the UI thread. Downloads run on threads of their own.
"""
