"""The engine on this machine: a thread that owns a model's child process, and what it decides there.

``worker`` is its door: callers leave ``jobs`` and wait for answers on their own threads. ``loop`` is what the thread
does, ``states`` and ``current`` where it stands, ``loads`` how a model is loaded, ``tuner`` which placement is fastest.
Only the thread talks to the child.
"""
