"""Running a model: the protocol, the worker that owns a model's child process, what runs in that child, and a fake.

Owns the child process and its pipe. `worker` works on a background thread of its own; everything under `llama` runs in
the child only. Imported by `app.services` and by tests; other rooms import `protocol` alone.
"""
