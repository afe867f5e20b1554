"""Stop strings: found in the tail of the answer only, whatever the tokens' borders are."""

from collections.abc import Sequence

from app.domain.models import TokenPiece


class StopScanner:
    """Holds back pieces whose text could still become a stop string; linear in the length of the answer."""

    def __init__(self, stops: Sequence[str]) -> None:
        self._stops = tuple(stop for stop in stops if stop)
        self._held: list[TokenPiece] = []
        self._tail = ""  # the text of what is held

    def feed(self, piece: TokenPiece) -> tuple[list[TokenPiece], bool]:
        """The pieces that are certain now, and whether a stop string was found.

        The piece in which the stop string begins keeps its id and the text before it; it is dropped if nothing of its
        text is left.
        """
        if not self._stops:
            return [piece], False
        self._held.append(piece)
        self._tail += piece.text
        found = min((at for at in map(self._tail.find, self._stops) if at >= 0), default=-1)
        if found >= 0:
            return self._cut(found), True
        return self._release(len(self._tail) - self._undecided()), False

    def flush(self) -> list[TokenPiece]:
        """What is held, at the end of the answer."""
        held, self._held, self._tail = self._held, [], ""
        return held

    def _undecided(self) -> int:
        """Length of the longest end of the tail with which a stop string begins."""
        longest = 0
        for stop in self._stops:
            for length in range(min(len(stop) - 1, len(self._tail)), longest, -1):
                if self._tail.endswith(stop[:length]):
                    longest = length
                    break
        return longest

    def _release(self, certain: int) -> list[TokenPiece]:
        """The held pieces that lie wholly in the first ``certain`` characters."""
        count = end = 0
        for piece in self._held:
            if end + len(piece.text) > certain:
                break
            end += len(piece.text)
            count += 1
        released, self._held, self._tail = self._held[:count], self._held[count:], self._tail[end:]
        return released

    def _cut(self, at: int) -> list[TokenPiece]:
        kept: list[TokenPiece] = []
        for piece in self.flush():
            if at <= 0:
                break
            kept.append(piece._replace(text=piece.text[:at]))
            at -= len(piece.text)
        return kept
