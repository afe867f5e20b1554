"""Identifiers of conversations, messages and calls."""

import uuid


def new_id() -> str:
    """A random identifier: 32 lower-case hexadecimal digits."""
    return uuid.uuid4().hex
