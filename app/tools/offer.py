"""The tools of one answer, and one safe way to run them."""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from app.domain.errors import AppError, Cancelled
from app.domain.tools import ToolContext, ToolOutcome, Toolset, ToolSpec
from app.tools.arguments.parsing import parse_arguments
from app.tools.outcomes import clip, failed

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class JoinedTool:
    """A tool of a set, under the name that the model knows. ``own_name``: the one that its set knows."""

    spec: ToolSpec
    toolset: Toolset
    own_name: str

    def is_there(self) -> bool:
        return any(spec.name == self.own_name for spec in self.toolset.tools())


class Offer:
    """What a model was told that it may call when its answer began. Immutable; any thread.

    Sets change while an answer is written. The prompt does not, since all that was computed for it would be lost: a
    tool that comes is offered to the next answer, and one that has gone is a sentence to the model.
    """

    def __init__(self, tools: Iterable[JoinedTool]) -> None:
        self._tools = {tool.spec.name: tool for tool in tools}

    @property
    def specs(self) -> tuple[ToolSpec, ...]:
        return tuple(tool.spec for tool in self._tools.values())

    def get(self, name: str) -> ToolSpec | None:
        tool = self._tools.get(name)
        return tool.spec if tool is not None else None

    def check(self, name: str, arguments: str) -> Mapping[str, object]:
        """The arguments of a call as the model wrote them (JSON text, "" is none), fit to be run.

        Raises ValueError; its text tells the model what to do better.
        """
        tool = self._tools.get(name)
        if tool is None:
            raise ValueError(f"there is no tool called {name}; these are there: {', '.join(self._tools) or 'none'}")
        if not tool.is_there():
            raise ValueError(f"the tool {name} is no longer there; go on without it")
        return parse_arguments(tool.spec, arguments)

    def run(self, name: str, arguments: Mapping[str, object], context: ToolContext) -> ToolOutcome:
        """Run a call that was checked.

        What goes wrong becomes a FAILED outcome that begins with ``Error:`` and tells the model what to do better. The
        text has at most ``context.max_chars`` characters. Raises ``Cancelled``.
        """
        context.cancel.raise_if_cancelled()
        outcome = self._run(self._tools[name], arguments, context)
        return ToolOutcome(outcome.status, clip(outcome.text, context.max_chars), outcome.sources)

    def _run(self, tool: JoinedTool, arguments: Mapping[str, object], context: ToolContext) -> ToolOutcome:
        try:
            return tool.toolset.call(tool.own_name, arguments, context)
        except Cancelled:
            raise
        except AppError as error:
            return failed(str(error))
        except Exception:
            log.exception("tool %s failed", tool.spec.name)
            return failed(f"{tool.spec.name} failed by a mistake in the program")
