"""Answers by a model on this machine: its style, its prompt, what is reused of it, what is read ahead.

Runs on the turn's thread. Talks to the engine by its protocol and writes prompts with ``app.formats``.
"""
