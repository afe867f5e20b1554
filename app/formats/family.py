"""What describes a family: almost all of it is data, read by the one machine in ``machine.py``."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Protocol

from app.domain.models import SamplingValues
from app.domain.output import CallArguments, CallBroken, CallClosed, CallOpened, OutputEvent
from app.formats.text.cursor import Cursor, Steps
from app.formats.text.schema import ToolTypes

Emit = Callable[[OutputEvent], None]


class CallSink:
    """Where a reader reports calls. Numbers them."""

    def __init__(self, emit: Emit, closed: Callable[[], None]) -> None:
        self._emit = emit
        self._closed = closed
        self.index = 0
        self.name: str | None = None  # of the call that is open

    def open(self, name: str) -> None:
        self.name = name
        self._emit(CallOpened(self.index, name))

    def arguments(self, text: str) -> None:
        if text:
            self._emit(CallArguments(self.index, text))

    def close(self, arguments: str) -> None:
        assert self.name is not None
        self._emit(CallClosed(self.index, self.name, arguments))
        self._closed()
        self._next()

    def broken(self, reason: str, raw: str) -> None:
        self._emit(CallBroken(self.index, self.name or "", reason, raw))
        self._next()

    def _next(self) -> None:
        self.index += 1
        self.name = None


class CallReader(Protocol):
    """Reads one family's calls.

    ``openers``: markers that begin a call or a section of calls. ``markers``: all others of the syntax, which are
    dropped where they stray into text. ``soft``: openers that are also ordinary text; where no call follows they stay.
    ``spelt``: markers that are no tokens; stray ones are text.
    """

    @property
    def openers(self) -> tuple[str, ...]: ...

    @property
    def markers(self) -> tuple[str, ...]: ...

    @property
    def soft(self) -> tuple[str, ...]: ...

    @property
    def spelt(self) -> tuple[str, ...]: ...

    def read(self, opener: str, cursor: Cursor, calls: CallSink, tools: ToolTypes) -> Steps[None]:
        """Read what follows ``opener``, which is taken. Raises Malformed and CutOff."""
        ...


@dataclass(frozen=True, slots=True)
class Header:
    """What the header of a message says about its body: reasoning, text, or the call of a tool (its name)."""

    kind: str  # "reasoning", "content" or "call"
    name: str = ""


@dataclass(frozen=True, slots=True)
class HeaderSyntax:
    """Formats whose output is a row of messages, each with a header.

    ``openers`` begin a header, ``end`` ends it. ``first``: what an output may begin with when the prompt stops inside a
    header. ``classify`` gets the header's text and the known tools; None: it is no header but text.
    ``between``: what stands between two messages of one output.
    """

    openers: tuple[str, ...]
    end: str
    classify: Callable[[str, ToolTypes], Header | None]
    first: tuple[str, ...]
    soft: bool = False
    between: tuple[str, ...] = ()


def drawn(
    temperature: float, top_p: float = 1.0, *, top_k: int = 0, min_p: float = 0.0, repeat_penalty: float = 1.0
) -> SamplingValues:
    """What makers recommend: what they do not speak of is off."""
    return SamplingValues(temperature, top_k, top_p, min_p, repeat_penalty)


GREEDY = drawn(0.0)


@dataclass(frozen=True, slots=True)
class Preset:
    """How a family's makers recommend to draw tokens.

    ``source``: where they say so. ``at_once``: for answers without reasoning, where these differ.
    ``models``: parts of the names of the models that it is for, in lower case; () is for all of the family.
    """

    source: str
    sampling: SamplingValues
    at_once: SamplingValues | None = None
    models: tuple[str, ...] = ()

    def fits(self, model: str) -> bool:
        return not self.models or any(name in model.casefold() for name in self.models)


Variables = Mapping[str, object]
"""Variables of a chat template, by name."""

_BOTH = ("enable_thinking", "thinking")  # most makers took one of these


@dataclass(frozen=True, slots=True)
class Thinking:
    """How a family's templates are told whether to reason, and how much.

    ``on`` and ``off``: variables that say so. A template that reads none of ``off`` cannot be told to answer at once.
    ``said``: words for on and off that end the last question instead, where the template looks for them.
    ``effort``: the variable for how much. ``efforts``: the words that it takes, least first.
    """

    on: Variables = field(default_factory=lambda: MappingProxyType(dict.fromkeys(_BOTH, True)))
    off: Variables = field(default_factory=lambda: MappingProxyType(dict.fromkeys(_BOTH, False)))
    said: tuple[str, str] | None = None
    effort: str = "reasoning_effort"
    efforts: tuple[str, ...] = ()

    def switchable(self, template: str, read: Collection[str]) -> bool:
        """Whether a template, which reads the variables ``read``, can be told to answer at once."""
        return any(name in read for name in self.off) or (self.said is not None and self.said[1] in template)

    def variables(self, *, think: bool | None, effort: str | None) -> dict[str, object]:
        """What tells a template so. ``think``: None leaves it to the template. ``effort``: in the template's words.

        Where reasoning cannot be switched off, not to think is to think as little as the family can.
        """
        values: dict[str, object] = dict(self.on) if think else {}
        if effort is not None:
            values[self.effort] = effort
        if think is False:
            values |= self.off or ({self.effort: self.efforts[0]} if self.efforts else {})
        return values


@dataclass(frozen=True, slots=True)
class Family:
    """One wire format.

    ``needs``/``lacks``: what a chat template of the family contains and does not contain (``any_of``: at least one).
    ``think_open``/``think_close``: reasoning. ``calls``: how tools are called. ``ends``: what ends a message or turn.
    ``noise``: markers around visible text. ``closing``: newlines that the template puts between text and what ends it.
    ``quiet``: markers inside of reasoning or text that mean nothing here.
    ``leads``: those of the markers that count only where visible text would begin.
    ``tidy``: a pattern of what else is taken out of a malformed call before it is shown as text.
    ``spelt``: markers that are no tokens of the vocabulary but ordinary text.
    ``bare``: reads a call without a marker right at the start of the text; its openers only say how one begins.
    ``call_id``: the id a past call gets in the prompt, from its name and its number in the conversation.
    ``single``: the template renders one call a message. ``raw_arguments``: the template prints argument text as it is.
    ``thinks``: it reasons, though its template does not spell the markers out. ``thinking``: how it is told to.
    ``presets``: how its tokens are drawn; the first that fits the model counts, none where its makers say nothing.
    ``known``: False for a guess.
    """

    name: str
    needs: tuple[str, ...] = ()
    any_of: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()
    think_open: tuple[str, ...] = ("<think>",)
    think_close: tuple[str, ...] = ("</think>",)
    calls: CallReader | None = None
    ends: tuple[str, ...] = ()
    noise: tuple[str, ...] = ()
    closing: str = ""
    quiet: tuple[str, ...] = ()
    spelt: tuple[str, ...] = ()
    leads: tuple[str, ...] = ()
    tidy: str = ""
    bare: CallReader | None = None
    headers: HeaderSyntax | None = None
    call_id: Callable[[str, int], str] | None = None
    single: bool = False
    raw_arguments: bool = False
    thinks: bool = False
    thinking: Thinking = field(default_factory=Thinking)
    presets: tuple[Preset, ...] = ()
    known: bool = True

    @property
    def closers(self) -> tuple[str, ...]:
        """What reasoning ends with, so that what follows it can be found in what the model wrote."""
        return self.think_close + (self.headers.between if self.headers is not None else ())

    def matches(self, template: str) -> bool:
        return (
            all(text in template for text in self.needs)
            and (not self.any_of or any(text in template for text in self.any_of))
            and not any(text in template for text in self.lacks)
        )
