"""What an answer's tokens say, sent in batches.

A decode step leaves every cache cold, and then each thing touched costs ten times what it does in a row. So tokens are
only appended to ``pending`` between two steps, and read together where a batch leaves.
"""

from collections.abc import Callable, Iterable

from app.domain.models import TokenPiece
from app.engine.llama.text import TextStream, open_end
from app.engine.llama.vocabulary import Vocabulary
from app.engine.messages import Made
from app.engine.protocol import GenerationRequest
from app.engine.stops import StopScanner

FLUSH_S = 0.05  # a batch leaves at most this often: waking the program costs 0.1 ms, and nobody reads faster


class AnswerWriter:
    """Turns the tokens of one answer into text, and sends both in batches.

    ``pending``: tokens since the last ``take``; whoever draws them appends them here.
    ``due``: when to call ``take`` next, in seconds of ``time.perf_counter``.
    ``limit``: tokens at most.
    ``first``: when the first token was there, or 0.
    """

    def __init__(self, request: GenerationRequest, vocabulary: Vocabulary, emit: Callable[[Made], None]) -> None:
        self.pending: list[int] = []
        self.due = 0.0
        self.first = 0.0
        self.limit = request.max_tokens if request.max_tokens is not None else 1 << 60
        self._emit = emit
        self._vocabulary = vocabulary
        self._stream = TextStream(open_end(request.prompt, vocabulary.piece))
        self._scanner = StopScanner(request.stop) if request.stop else None
        self._taken = 0
        self._ids: list[int] = []
        self._texts: list[str] = []
        self._controls: list[bool] = []
        self._sent = 0.0

    @property
    def count(self) -> int:
        """Tokens so far."""
        return self._taken + len(self.pending)

    def take(self, now: float) -> bool:
        """Read the pending tokens, the last of which was there ``now``. True where a stop string is complete."""
        self.first = self.first or now
        stopped = self._read()
        if now - self._sent >= FLUSH_S:
            self._send()
            self._sent = now
        self.due = self._sent + FLUSH_S if self._scanner is None else 0.0
        return stopped

    def flush(self) -> None:
        """Everything that is left, at the end."""
        self._read()
        if self._scanner is not None:
            self._put(self._scanner.flush())
        self._send()

    def _read(self) -> bool:
        stopped = False
        self._taken += len(self.pending)
        for token in self.pending:
            data = self._vocabulary.piece(token)
            control = token in self._vocabulary.control
            if control:
                self._stream.reset()
            piece = TokenPiece(token, data.decode("utf-8", "replace") if control else self._stream.feed(data), control)
            if self._scanner is None:
                self._put((piece,))
            else:
                certain, stopped = self._scanner.feed(piece)
                self._put(certain)
        self.pending.clear()
        return stopped

    def _put(self, pieces: Iterable[TokenPiece]) -> None:
        for piece in pieces:
            self._ids.append(piece.id)
            self._texts.append(piece.text)
            self._controls.append(piece.control)

    def _send(self) -> None:
        if self._ids:
            self._emit(Made(tuple(self._ids), tuple(self._texts), tuple(self._controls)))
            self._ids.clear()
            self._texts.clear()
            self._controls.clear()
