"""The engine on this machine: a thread that owns a model's child process, and what it decides there.

Only that thread talks to the child; callers wait for answers on their own.
"""
