"""Running a model: the protocol, what it says to its child process, and a fake for the tests of other rooms.

``local`` works on a background thread of its own, ``llama`` in the child only. ``placement`` plans and ``learned``
remembers, on any thread. ``app.services`` and the command line build engines; the other rooms import ``protocol``,
``prefix``, ``placement`` and ``probe`` alone.
"""
