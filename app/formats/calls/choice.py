"""One opener, several syntaxes: the first characters after it decide."""

from dataclasses import dataclass

from app.formats.family import CallReader, CallSink
from app.formats.text.cursor import Cursor, Steps
from app.formats.text.schema import ToolTypes


@dataclass(frozen=True, slots=True)
class Choice:
    """``when`` maps first characters (without whitespace) to a reader; ``otherwise`` reads the rest."""

    when: tuple[tuple[str, CallReader], ...]
    otherwise: CallReader

    def _readers(self) -> tuple[CallReader, ...]:
        return (self.otherwise, *(reader for _, reader in self.when))

    @property
    def openers(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(opener for reader in self._readers() for opener in reader.openers))

    @property
    def markers(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(marker for reader in self._readers() for marker in reader.markers))

    @property
    def soft(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(marker for reader in self._readers() for marker in reader.soft))

    @property
    def spelt(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(marker for reader in self._readers() for marker in reader.spelt))

    def read(self, opener: str, cursor: Cursor, calls: CallSink, tools: ToolTypes) -> Steps[None]:
        able = [reader for reader in self._readers() if not opener or opener in reader.openers]
        if len(able) == 1:
            yield from able[0].read(opener, cursor, calls, tools)
            return
        first = yield from cursor.peek(max(len(begin) for begin, _ in self.when))
        reader = next((reader for begin, reader in self.when if first.startswith(begin) and reader in able), able[0])
        yield from reader.read(opener, cursor, calls, tools)
