"""What a family's parser makes of a model's raw output."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from app.domain.models import CallGrammar


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


def call_note(code: str, name: str | None) -> Note:
    """The remark about a call that cannot be made: ``incomplete`` or ``malformed``."""
    which = f"The call of {name}" if name else "A tool call"
    if code == "incomplete":
        return Note(code, f"{which} was cut off before it was whole and was not made.")
    return Note(code, f"{which} is not written in the model's format; it is shown as text and was not made.")


FormatEvent: TypeAlias = Reasoning | Content | CallOpened | CallArguments | CallClosed | CallBroken | Note


class StreamParser(Protocol):
    """Reads one generation. Linear in length; never takes back what it returned; the same however the text is cut."""

    def feed(self, text: str, control: bool | None = None) -> list[FormatEvent]:
        """``control``: True for a control token's spelling, False for ordinary text, None where nobody knows."""
        ...

    def finish(self, *, truncated: bool = False) -> list[FormatEvent]:
        """The output ended; ``truncated``: by a limit or by Stop, not by the model."""
        ...


class ChatFormat(Protocol):
    """One family. ``detect`` (in the package) finds it from the chat template."""

    @property
    def name(self) -> str:
        """``kimi-k2``, ``qwen3``, ``plain``: stable, part of the command line's contract."""
        ...

    @property
    def takes_tools(self) -> bool:
        """The template declares tools to the model."""
        ...

    @property
    def thinks(self) -> bool:
        """The family reasons before it answers, or can."""
        ...

    @property
    def known(self) -> bool:
        """False where the template is of no family that is known and is read with care as plain text."""
        ...

    def parser(
        self,
        generation_prompt: str,
        tools: Sequence[dict[str, object]] = (),
        vocabulary: Collection[str] | None = None,
    ) -> StreamParser:
        """A fresh parser. ``generation_prompt``: what the template puts after the last message (it may pre-open a
        block); ``tools``: definitions in OpenAI form, for argument types where the wire has none.
        ``vocabulary``: spellings of the model's control and user-defined tokens (``ModelInfo.control_tokens``), where
        they are known; a marker that is none of them is then read in ordinary text too."""
        ...

    def call_grammar(
        self, generation_prompt: str, tools: Sequence[dict[str, object]], vocabulary: Mapping[str, int]
    ) -> CallGrammar | None:
        """What a call of one of ``tools`` has to look like, for the engine; None where that cannot be said.
        ``vocabulary``: the model's control and user-defined tokens with their ids."""
        ...
