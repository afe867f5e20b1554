"""Running a model: the protocol, the thread that owns a model's child process, what runs in that child, and a fake.

``local`` works on a background thread of its own; everything under ``llama`` runs in the child only. ``placement``
plans and ``learned`` remembers, on any thread. Other rooms import ``protocol`` and ``placement`` alone.
"""
