"""The coalescing inbox for events: any thread publishes, each subscriber drains on its own thread.

Waiting events of a kind that only tells the newest state (progress, rates) are replaced by their successor; text deltas
of the same part merge as long as no other event of that answer came between. So a reader that is slow gets few, long
events instead of many, and a writer never waits.
"""

import threading
from collections.abc import Callable, Hashable
from typing import TypeAlias

from app.domain.events import (
    DownloadProgress,
    Event,
    IndexProgress,
    ModelLoading,
    PartDelta,
    PrefillProgress,
    TokenRate,
)

Wake: TypeAlias = Callable[[], None]


class _Text:
    """A run of deltas of one part, joined when it is drained: appending is O(1)."""

    __slots__ = ("first", "index", "pieces")

    def __init__(self, first: PartDelta) -> None:
        self.first = first
        self.index = first.index
        self.pieces = [first.text]

    def joined(self) -> PartDelta:
        if len(self.pieces) == 1:
            return self.first
        return PartDelta(self.first.conversation_id, self.first.answer_id, self.index, "".join(self.pieces))


class Subscription:
    """One reader's queue, made by ``Mailbox.subscribe``. It grows until it is drained or closed."""

    def __init__(self, wake: Wake | None, on_close: Callable[["Subscription"], None]) -> None:
        self._wake = wake
        self._on_close = on_close
        self._ready = threading.Condition()
        self._queue: dict[int, Event | _Text] = {}  # in order; entries are replaced and removed by their number
        self._next = 0
        self._newest: dict[Hashable, int] = {}  # key of a replaceable event -> its number
        self._last: dict[str, _Text | None] = {}  # answer -> its last event, where that is text that may grow

    def put(self, event: Event) -> None:
        """Never blocks for longer than a dictionary operation."""
        with self._ready:
            was_empty = not self._queue
            if not (isinstance(event, PartDelta) and self._merged(event)):
                self._append(event)
            if was_empty:
                self._ready.notify_all()
        wake = self._wake
        if was_empty and wake is not None:
            wake()

    def drain(self) -> list[Event]:
        """Everything that waits, in order; the queue is empty then."""
        with self._ready:
            queue, self._queue = self._queue, {}
            self._newest.clear()
            self._last.clear()
        return [entry.joined() if isinstance(entry, _Text) else entry for entry in queue.values()]

    def wait(self, timeout: float | None = None) -> list[Event]:
        """Drain, waiting at most ``timeout`` seconds for the first event; empty when none came."""
        with self._ready:
            self._ready.wait_for(lambda: self._queue, timeout)
        return self.drain()

    def close(self) -> None:
        """No event comes any more, and no wake. Idempotent."""
        self._on_close(self)
        self._wake = None

    def _merged(self, delta: PartDelta) -> bool:
        run = self._last.get(delta.answer_id)
        if run is None or run.index != delta.index:
            return False
        run.pieces.append(delta.text)
        return True

    def _append(self, event: Event) -> None:
        key = _replaceable(event)
        if key is not None:
            # The successor takes its own place at the end, so that order between kinds is what happened.
            self._queue.pop(self._newest.pop(key, -1), None)
            self._newest[key] = self._next
        entry: Event | _Text = event
        if isinstance(event, PartDelta):
            entry = self._last[event.answer_id] = _Text(event)
        elif key is None and (answer := getattr(event, "answer_id", None)) is not None:
            self._last[answer] = None
        self._queue[self._next] = entry
        self._next += 1


class Mailbox:
    """Hands every event to every subscriber; what is published while there is none is gone."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._subscribers: tuple[Subscription, ...] = ()

    def publish(self, event: Event) -> None:
        """From any thread; never blocks."""
        for subscriber in self._subscribers:
            subscriber.put(event)

    def subscribe(self, wake: Wake | None = None) -> Subscription:
        """A reader of what is published from now on, until it is closed.

        ``wake`` runs on the publishing thread, at most once between two drains, and should only signal.
        """
        added = Subscription(wake, self._forget)
        with self._lock:
            self._subscribers = (*self._subscribers, added)
        return added

    def _forget(self, subscriber: Subscription) -> None:
        with self._lock:
            self._subscribers = tuple(other for other in self._subscribers if other is not subscriber)


def _replaceable(event: Event) -> Hashable:
    """The key under which a waiting event of this kind is outdated by a newer one; None for those that all count."""
    match event:
        case PrefillProgress() | TokenRate():
            return type(event), event.conversation_id, event.answer_id
        case ModelLoading():
            return type(event), event.path
        case DownloadProgress():
            return type(event), event.id
        case IndexProgress():
            return (type(event),)
        case _:
            return None
