"""What is written and not sent yet, by conversation: drafts, and messages that wait for the answer's end."""

from collections.abc import Collection, Iterable, Mapping

from app.domain.drafts import Draft, joined


class Drafts:
    """ "" stands for the new chat, which has no id yet."""

    def __init__(self, stored: Mapping[str, Draft]) -> None:
        self._drafts = dict(stored)
        self._queued: dict[str, tuple[Draft, ...]] = {}

    def of(self, key: str) -> Draft:
        return self._drafts.get(key, Draft())

    def keep(self, key: str, draft: Draft) -> None:
        self._drafts[key] = draft

    def drop(self, key: str) -> Draft:
        return self._drafts.pop(key, Draft())

    def queued(self, key: str) -> tuple[Draft, ...]:
        """In the order in which they will be sent."""
        return self._queued.get(key, ())

    def queue(self, key: str, draft: Draft) -> None:
        self._queued[key] = (*self.queued(key), draft)

    def take(self, key: str, index: int = 0) -> Draft | None:
        """One of the queued messages, which waits no longer."""
        queued = self.queued(key)
        if index >= len(queued):
            return None
        self._queued[key] = queued[:index] + queued[index + 1 :]
        return queued[index]

    def unqueue(self, key: str, refused: Iterable[Draft] = ()) -> None:
        """What waited is a draft again, before what was written since."""
        self._drafts[key] = joined((*refused, *self._queued.pop(key, ()), self.of(key)))

    def prune(self, known: Collection[str]) -> None:
        """Forget those of conversations that are gone."""
        self._drafts = {key: draft for key, draft in self._drafts.items() if not key or key in known}

    def to_store(self) -> dict[str, Draft]:
        """As a restart finds them: what waits comes back as a draft."""
        keys = self._drafts.keys() | self._queued.keys()
        return {key: joined((*self.queued(key), self.of(key))) for key in keys}
