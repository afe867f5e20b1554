"""What two prompts begin with, which needs to be computed only once."""

from collections.abc import Sequence


def common_prefix(one: Sequence[int], other: Sequence[int]) -> int:
    """How many tokens at the start are the same."""
    length = min(len(one), len(other))
    if tuple(one[:length]) == tuple(other[:length]):
        return length
    for index in range(length):
        if one[index] != other[index]:
            return index
    return length
