"""Conversations that run: the service that starts turns, the agent loop, prompts, families' formats, approval, export.

Turns run on a thread each; the service's methods return at once and may be called from any thread.
"""
