"""What a model writes, piece by piece: reasoning, visible text, calls. The same whatever the wire format or the server.

A call has an ``index`` of its own, counted from 0 in one round's output.
"""

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Reasoning:
    """Reasoning text to append."""

    text: str


@dataclass(frozen=True, slots=True)
class Content:
    """Visible text to append."""

    text: str


@dataclass(frozen=True, slots=True)
class CallOpened:
    """Call ``index`` (from 0 in this output) has a name; its arguments follow."""

    index: int
    name: str


@dataclass(frozen=True, slots=True)
class CallArguments:
    """Raw JSON text to append to the arguments of call ``index``, for a person who watches."""

    index: int
    text: str


@dataclass(frozen=True, slots=True)
class CallClosed:
    """Call ``index`` is whole. ``arguments`` is its final JSON text: what counts, whatever was streamed before."""

    index: int
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class CallBroken:
    """Call ``index`` will never be whole: cut off (``incomplete``) or not what its wire format says (``malformed``)."""

    index: int
    name: str
    reason: str  # "incomplete" or "malformed"
    raw: str  # as the model wrote it


@dataclass(frozen=True, slots=True)
class Note:
    """Something about the output that a person may want to know, by code and as one English sentence."""

    code: str
    text: str


OutputEvent: TypeAlias = Reasoning | Content | CallOpened | CallArguments | CallClosed | CallBroken | Note
