"""A set of tools that never changes."""

from collections.abc import Iterable, Mapping

from app.domain.errors import AppError
from app.domain.tools import Tool, ToolContext, ToolOutcome, ToolSpec


class FixedToolset:
    """Tools that are objects of this program. Immutable but for ``close``; any thread."""

    def __init__(self, name: str, tools: Iterable[Tool]) -> None:
        self.name = name
        self._tools = {tool.spec.name: tool for tool in tools}
        self._specs = tuple(tool.spec for tool in self._tools.values())

    def tools(self) -> tuple[ToolSpec, ...]:
        return self._specs

    def call(self, tool: str, arguments: Mapping[str, object], context: ToolContext) -> ToolOutcome:
        found = self._tools.get(tool)
        if found is None:
            raise AppError("tool-unknown", "There is no tool called {name}.", name=tool)
        return found.run(arguments, context)

    def close(self) -> None:
        self._tools, self._specs = {}, ()
