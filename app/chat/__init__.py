"""Conversations that run: the service that starts, stops and steers turns, export, which model answers.

Turns run on a thread each; the service's methods return at once and may be called from any thread.
"""
