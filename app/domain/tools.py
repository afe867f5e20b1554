"""Tools: what a model may call, how a tool describes itself, what a call sees and what comes of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from app.domain.cancel import CancelToken
from app.domain.messages import ToolStatus
from app.domain.sources import Source


class Need(StrEnum):
    """What a tool works on. It is offered only where that is there."""

    DOCUMENTS = "documents"  # granted to the conversation
    WORKSPACE = "workspace"  # a folder granted to the conversation
    NETWORK = "network"  # the person has not gone offline


class Effect(StrEnum):
    """What a call may do at most. A tool with several effects names the one that a person would ask about first."""

    NONE = "none"  # its result follows from its arguments and the clock
    READS = "reads"  # looks at what was granted
    WRITES = "writes"  # changes files
    NETWORK = "network"  # talks to other machines
    RUNS_CODE = "runs_code"

    @property
    def acts_outside(self) -> bool:
        """More than looking at what was granted: the person is asked before each call, and no call is skipped because
        an equal one succeeded."""
        return self not in (Effect.NONE, Effect.READS)


@dataclass(frozen=True, slots=True)
class ToolLabel:
    """How a person is told of a tool and its calls, in English. The window translates each text as it stands here.

    ``running`` and ``done`` are sentences about a call; ``{query}`` in them stands for its argument ``query``.
    """

    title: str
    running: str
    done: str


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """A tool as the model, the person and the program are told of it.

    ``parameters``: a JSON schema.
    ``gives_sources``: its results are numbered passages that an answer can cite.
    ``label``: None shows a call as ``name(arguments)``.
    ``icon``: a file of ``resources/icons``, without its ending.
    """

    name: str
    description: str
    parameters: dict[str, object]
    effect: Effect = Effect.NONE
    needs: frozenset[Need] = frozenset()
    gives_sources: bool = False
    label: ToolLabel | None = None
    icon: str = "tool"

    def definition(self) -> dict[str, object]:
        """The declaration in OpenAI form, as chat templates expect it."""
        return {
            "type": "function",
            "function": {"name": self.name, "description": self.description, "parameters": self.parameters},
        }


@dataclass(frozen=True, slots=True)
class ToolContext:
    """What a call may see: the conversation's documents, and the number that the next source gets."""

    cancel: CancelToken
    documents: tuple[str, ...] = ()
    next_source: int = 1
    max_chars: int = 6000  # of the result, so that it fits the context


@dataclass(frozen=True, slots=True)
class ToolOutcome:
    """``text`` is what the model reads; ``sources`` are the passages in it that can be cited."""

    status: ToolStatus
    text: str
    sources: tuple[Source, ...] = ()


class Tool(Protocol):
    """A function that the model may call. ``run`` works on the turn thread; it raises nothing but ``Cancelled``."""

    @property
    def spec(self) -> ToolSpec: ...

    def run(self, arguments: Mapping[str, object], context: ToolContext) -> ToolOutcome: ...


class Toolset(Protocol):
    """Tools that come and go together: the built-in ones, a server's, a skill's. Any thread.

    ``call`` may run on several turn threads at once.
    """

    @property
    def name(self) -> str:
        """Names it among other sets; it never changes."""
        ...

    def tools(self) -> Sequence[ToolSpec]:
        """The tools that are there now, under the set's own names; none after ``close``. Returns at once."""
        ...

    def call(self, tool: str, arguments: Mapping[str, object], context: ToolContext) -> ToolOutcome:
        """Run one tool; the arguments fit its schema. Raises ``Cancelled``, and AppError for what the model is told."""
        ...

    def close(self) -> None:
        """End what the set has started. Calls that still run end soon; a second time is nothing."""
        ...
