"""Words and icons of tools, from what each tool says of itself.

Their English texts are the keys of the translation, as those of errors are. A tool that says nothing, or that stored
calls name and that is no longer there, is told of by its name and arguments.
"""

import json
import re
from collections.abc import Callable
from typing import TypeAlias

from PySide6.QtCore import QCoreApplication

from app.domain.excerpt import shortened
from app.domain.messages import ToolStatus
from app.domain.tools import ToolLabel, ToolSpec

CONTEXT = "Tools"
ICON = "tool"  # of a tool that is not known
_LONGEST = 200  # characters of an argument that are shown
_MOST = 20_000  # characters of arguments that are read; what comes after them is not shown
_PAIR = re.compile(r'"((?:[^"\\]|\\.)*)"\s*:\s*"((?:[^"\\]|\\.)*)')  # also of a text that is still being written
_PLACE = re.compile(r"\{(\w+)\}")

FindTool: TypeAlias = Callable[[str], ToolSpec | None]
"""A tool by its name, None for one that is not there. Returns at once."""


class ToolWords:
    """Lives on the UI thread; asks ``find`` anew each time, since tools come and go."""

    def __init__(self, find: FindTool = lambda _name: None) -> None:
        self._find = find

    def title(self, name: str) -> str:
        label = self._label(name)
        return _translated(label.title) if label is not None else name

    def icon(self, name: str) -> str:
        spec = self._find(name)
        return spec.icon if spec is not None else ICON

    def sentence(self, name: str, arguments: str, status: ToolStatus | None) -> str:
        """One line about a call: ``Searching: tides``, or ``name(arguments)``."""
        label = self._label(name)
        if label is None:
            return f"{name}({_cut(_pairs(arguments))})"
        sentence = _translated(label.done if status is ToolStatus.OK else label.running)
        values = _values(arguments)
        first = next(iter(values.values()), "")  # models misname arguments
        return _PLACE.sub(lambda place: _cut(values.get(place[1], first)), sentence).rstrip(": ")

    def _label(self, name: str) -> ToolLabel | None:
        spec = self._find(name)
        return spec.label if spec is not None else None


def _translated(text: str) -> str:
    return QCoreApplication.translate(CONTEXT, text)


def _read(arguments: str) -> dict[str, object] | None:
    """None while the model still writes, for what is no object, and for what is too long."""
    try:
        value = json.loads(arguments) if len(arguments) <= _MOST else None
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _values(arguments: str) -> dict[str, str]:
    """Arguments as texts, as far as they can be read."""
    value = _read(arguments)
    if value is None:
        return dict(_PAIR.findall(arguments[:_MOST]))
    return {key: item if isinstance(item, str) else _json(item) for key, item in value.items()}


def _pairs(arguments: str) -> str:
    """``to="ada@example.org", copies=2``; the text itself while it is not whole."""
    value = _read(arguments)
    if value is None:
        return arguments[:_MOST].strip().removeprefix("{").removesuffix("}")
    return ", ".join(f"{key}={_json(item)}" for key, item in value.items())


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _cut(text: str) -> str:
    return shortened(" ".join(text.split()), _LONGEST)
