"""Types of arguments that several commands take; argparse tells a person what is wrong with one."""

import argparse

MOST = 1 << 30  # more tokens, layers or passages than there can be


def positive(text: str) -> int:
    """A whole number of at least 1."""
    return _whole(text, 1)


def count(text: str) -> int:
    """A whole number of at least 0."""
    return _whole(text, 0)


def _whole(text: str, least: int) -> int:
    try:
        value = int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number") from None
    if value < least:
        raise argparse.ArgumentTypeError(f"must be at least {least}")
    if value > MOST:
        raise argparse.ArgumentTypeError(f"must be at most {MOST}")
    return value
