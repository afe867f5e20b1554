"""All sets of tools as one."""

import contextlib
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from app.domain.errors import AppError
from app.domain.tools import Need, Toolset, ToolSpec
from app.tools.names import joined_name
from app.tools.offer import JoinedTool, Offer

EVERY_NEED = frozenset(Need)


class Toolsets:
    """Joins sets that come, go and change while the program runs. Any thread; nothing here waits for a set.

    ``own``: the program's own sets. Their tools keep their names, and nobody else's can take one of these.
    """

    def __init__(self, own: Iterable[Toolset]) -> None:
        self._own = tuple(own)
        self._lock = threading.Lock()
        self._added: tuple[Toolset, ...] = ()  # replaced, never changed, so that readers need no lock

    def add(self, toolset: Toolset) -> None:
        """Take in a stranger's set. Raises ValueError for the name of one that is there."""
        with self._lock:
            if any(known.name == toolset.name for known in self._added):
                raise ValueError(f"there is a set of tools called {toolset.name}")
            self._added = (*self._added, toolset)

    def remove(self, name: str) -> None:
        """Close a stranger's set; what is called of it from now on is told to the model."""
        with self._lock:
            gone = [toolset for toolset in self._added if toolset.name == name]
            self._added = tuple(toolset for toolset in self._added if toolset.name != name)
        for toolset in gone:
            toolset.close()

    def spec(self, name: str) -> ToolSpec | None:
        """A tool that is there now, None for one that is unknown or gone. Quick enough to be asked while painting."""
        return next((replace(spec, name=known) for known, _, spec in self._joined() if known == name), None)

    def offer(self, names: Sequence[str] | None = None, met: frozenset[Need] = EVERY_NEED) -> Offer:
        """What an answer that begins now may call: the tools that were named, in that order, or all that do nothing
        outside; of these, those whose needs are ``met``. Raises AppError ``tool-unknown``."""
        there: dict[str, JoinedTool] = {}
        for name, toolset, spec in self._joined():
            there.setdefault(name, JoinedTool(replace(spec, name=name), toolset, spec.name))
        if names is None:
            chosen = [tool for tool in there.values() if not tool.spec.effect.acts_outside]
        else:
            chosen = [_named(there, name) for name in dict.fromkeys(names)]
        return Offer(tool for tool in chosen if tool.spec.needs <= met)

    def close(self) -> None:
        """Close every set."""
        with self._lock:
            added, self._added = self._added, ()
        with contextlib.ExitStack() as ends:  # each ends, whatever another one raises
            for toolset in (*self._own, *added):
                ends.callback(toolset.close)

    def _joined(self) -> Iterator[tuple[str, Toolset, ToolSpec]]:
        """Each tool with the name that the model knows; of two with one name the first counts."""
        for toolset in self._own:
            for spec in toolset.tools():
                yield spec.name, toolset, spec
        for toolset in self._added:
            for spec in toolset.tools():
                yield joined_name(toolset.name, spec.name), toolset, spec


def _named(tools: dict[str, JoinedTool], name: str) -> JoinedTool:
    if name not in tools:
        raise AppError(
            "tool-unknown",
            "There is no tool called {name}.",
            "These are there: {names}.",
            name=name,
            names=", ".join(tools),
        )
    return tools[name]
