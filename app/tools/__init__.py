"""Functions that a model may call: the registry, which checks arguments and results, and the built-in ones.

A tool runs on the turn thread that asked for it. Approval is the chat room's matter; documents come in as a
``PassageSearch``.
"""
