"""Writing results: JSON Lines for programs, plain text for people."""

import json
import sys
from collections.abc import Mapping
from typing import TextIO


class JsonLines:
    """One JSON object a line, flushed at once so that a reader sees it as it happens."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stdout

    def write(self, record: Mapping[str, object]) -> None:
        self._stream.write(json.dumps(record, ensure_ascii=False) + "\n")
        self._stream.flush()


class Plain:
    """Text for a person; colour only on a terminal."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stdout
        self._colour = self._stream.isatty()
        self._at_start = True

    def write(self, text: str, *, dim: bool = False) -> None:
        if not text:
            return
        self._stream.write(f"\x1b[2m{text}\x1b[0m" if dim and self._colour else text)
        self._stream.flush()
        self._at_start = text.endswith("\n")

    def line(self, text: str = "", *, dim: bool = False) -> None:
        """``text`` on a line of its own."""
        self.end()
        self.write(text, dim=dim)
        self._stream.write("\n")
        self._stream.flush()
        self._at_start = True

    def end(self) -> None:
        """Finish an unfinished line."""
        if not self._at_start:
            self.write("\n")
