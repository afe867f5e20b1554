"""The tools at hand, and one safe way to run them."""

import json
import logging
from collections.abc import Iterable, Mapping, Sequence

from app.domain.errors import AppError, Cancelled
from app.domain.messages import ToolStatus
from app.domain.tools import Tool, ToolContext, ToolOutcome, ToolSpec
from app.tools.schema import problem

log = logging.getLogger(__name__)

CUT = " … (cut)"


class ToolRegistry:
    """Immutable; any thread."""

    def __init__(self, tools: Iterable[Tool]) -> None:
        self._tools = {tool.spec.name: tool for tool in tools}

    def names(self) -> tuple[str, ...]:
        return tuple(self._tools)

    def specs(self, names: Sequence[str] | None = None) -> tuple[ToolSpec, ...]:
        """Those named, in that order, or all that do nothing outside. Raises AppError ``tool-unknown``."""
        if names is None:
            return tuple(tool.spec for tool in self._tools.values() if not tool.spec.effect.acts_outside)
        for name in names:
            if name not in self._tools:
                raise AppError(
                    "tool-unknown",
                    "There is no tool called {name}.",
                    "These are there: {names}.",
                    name=name,
                    names=", ".join(self._tools),
                )
        return tuple(self._tools[name].spec for name in dict.fromkeys(names))

    def get(self, name: str) -> Tool | None:
        return self._tools.get(name)

    def run(self, name: str, arguments: str, context: ToolContext) -> ToolOutcome:
        """Run a call as the model wrote it (``arguments`` is JSON text, "" is none).

        What goes wrong becomes a FAILED outcome that begins with ``Error:`` and tells the model what to do better. The
        text has at most ``context.max_chars`` characters. Raises ``Cancelled``.
        """
        context.cancel.raise_if_cancelled()
        outcome = self._run(name, arguments, context)
        return ToolOutcome(outcome.status, clip(outcome.text, context.max_chars), outcome.sources)

    def _run(self, name: str, arguments: str, context: ToolContext) -> ToolOutcome:
        tool = self._tools.get(name)
        if tool is None:
            return failed(f"there is no tool called {name}; these are there: {', '.join(self._tools)}")
        try:
            values = parse_arguments(tool.spec, arguments)
        except ValueError as error:
            return failed(str(error))
        try:
            return tool.run(values, context)
        except Cancelled:
            raise
        except AppError as error:
            return failed(str(error))
        except Exception:
            log.exception("tool %s failed", name)
            return failed(f"{name} failed by a mistake in the program")


def parse_arguments(spec: ToolSpec, arguments: str) -> Mapping[str, object]:
    """The arguments of a call, checked against the tool's schema. ValueError says what is wrong with them."""
    try:
        values = json.loads(arguments or "{}")
    except RecursionError:
        raise ValueError("the arguments are nested too deeply") from None
    except ValueError as error:
        raise ValueError(f"the arguments are no valid JSON ({error})") from None
    wrong = problem(values, spec.parameters, "the arguments")
    if wrong is None and not isinstance(values, dict):
        wrong = "the arguments must be an object"
    if wrong is not None:
        raise ValueError(wrong)
    checked: dict[str, object] = values
    return checked


def failed(text: str) -> ToolOutcome:
    return ToolOutcome(ToolStatus.FAILED, f"Error: {text}")


def clip(text: str, limit: int) -> str:
    """At most ``limit`` characters, with a mark where something is missing."""
    if len(text) <= limit:
        return text
    return (text[: max(0, limit - len(CUT))] + CUT)[:limit]
