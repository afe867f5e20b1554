"""Whose conversation is in the memory, and getting it to the disk and back in time."""

import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from app.engine.learned.saved_states import SavedState, StateFolder, is_same_branch
from app.engine.llama.cache import Cache
from app.engine.prefix import common_prefix
from app.machine.devices import this_ram

log = logging.getLogger(__name__)

FEWEST = 64  # tokens worth a file
WORTH = 32  # tokens that are saved by reading a file, or by evaluating ahead of time
MEMORY_SHARE = 4  # a copy takes at most a fourth of the free memory


@dataclass(frozen=True, slots=True)
class Reuse:
    """What a prompt finds in the memory.

    ``kept``: tokens of the prompt that need no evaluation.
    ``source``: where they were ("memory", "disk", "none").
    ``known``: tokens that were there; beyond ``kept`` the prompt differs from them, or they cannot be gone back to.
    ``seconds``: what looking, saving what was there and reading took.
    """

    kept: int
    source: str
    known: int
    seconds: float


class _Write:
    """One file being written, on a thread of its own."""

    def __init__(
        self, folder: StateFolder, key: str, conversation: str, saved: SavedState, dropped: Sequence[int]
    ) -> None:
        self.conversation = conversation
        self._cancel = threading.Event()
        self._thread = threading.Thread(
            target=self._run, args=(folder, key, saved, dropped), name="write a state", daemon=True
        )
        self._thread.start()

    def _run(self, folder: StateFolder, key: str, saved: SavedState, dropped: Sequence[int]) -> None:
        try:
            folder.write(key, self.conversation, saved, lambda: not self._cancel.is_set(), dropped)
        except OSError as error:  # a full disk: the conversation is read again some day, nothing is lost
            log.info("a state could not be saved: %s", error)

    def end(self, *, cancel: bool = False) -> None:
        if cancel:
            self._cancel.set()
        self._thread.join()


class SavedCache:
    """A cache whose content belongs to a conversation and is kept on disk. All methods on one thread.

    Without ``folder``, and for a request of no conversation, nothing is saved.
    """

    def __init__(self, cache: Cache, folder: StateFolder | None, key: str) -> None:
        self._cache = cache
        self._folder = folder
        self._key = key
        self._owner = ""
        self._saved: tuple[int, ...] = ()  # of the owner, on the disk or on the way to it
        self._dropped: tuple[int, ...] = ()  # what the memory held before the next prompt was read ahead
        self._write: _Write | None = None

    @property
    def unsaved(self) -> bool:
        """Whether the memory holds something worth a file that is not on the disk."""
        tokens = self._cache.tokens
        return (
            self._folder is not None
            and self._owner != ""
            and len(tokens) >= FEWEST
            and (len(self._saved) != len(tokens) or self._saved != tuple(tokens))
        )

    def make_ready(self, prompt: Sequence[int], conversation: str, *, goes_on: bool = False) -> Reuse:
        """Make the memory begin with as much of the prompt as is known anywhere.

        What another conversation, or another branch of this one, loses by that is saved before.
        ``goes_on``: in the same answer, so on the same branch.
        """
        started = time.perf_counter()
        cache = self._cache
        reach, known, source = cache.reach(prompt), len(cache.tokens), "memory"
        # A state is kept for each branch: what is on this one is overwritten, what is on another is saved first.
        stays = goes_on or is_same_branch(cache.tokens, common_prefix(cache.tokens, prompt))
        leaves = conversation != self._owner or not stays
        if not leaves and self._write is not None and self._write.conversation == conversation:
            self._cancel()  # it is longer soon, and is written again then
        path = self._find(prompt, conversation, reach)
        # Read before something is written, which may take the file's place.
        found = self._folder.read(path, self._key) if self._folder is not None and path is not None else None
        if leaves and (found is not None or reach < known):  # else the prompt goes on from what is there
            self.save()
        if path is not None and found is not None and self._restore(path, found):
            source, known = "disk", len(cache.tokens)
            self._saved = ()  # it will grow, and is written again then
        if conversation != self._owner:
            self._owner, self._saved, self._dropped = conversation, (), ()
        kept = cache.keep(prompt)
        return Reuse(kept, source if kept else "none", known, time.perf_counter() - started)

    def begin_reading_ahead(self, prompt: Sequence[int], conversation: str) -> int | None:
        """Cut the memory to what it shares with the next prompt's beginning. Returns how many tokens that is.

        None, and nothing is changed, where the memory holds another conversation, or lacks too little to be worth it.
        """
        cache = self._cache
        if not conversation or conversation != self._owner or len(prompt) >= cache.size:
            return None
        if len(prompt) - cache.reach(prompt) <= WORTH:
            return None
        if self._write is not None and self._write.conversation == conversation:
            self._cancel()
        # The template drops it from the next prompt: the file of what comes then takes the place of its file.
        self._dropped = tuple(cache.tokens)
        return cache.keep(prompt)

    def save(self) -> None:
        """Copy the memory, and write the copy in the background. Nothing where it is saved already, or too large."""
        folder, cache = self._folder, self._cache
        if folder is None or not self.unsaved:
            return
        self.finish()
        self._saved = tuple(cache.tokens)
        size = cache.copy_bytes()
        if size > folder.limit() or size > this_ram(measure=False).free // MEMORY_SHARE:
            log.info("a state of %d bytes is too large to be saved", size)
            return
        copy = cache.copy()
        if copy is not None:
            self._write = _Write(folder, self._key, self._owner, copy, self._dropped)
            self._dropped = ()

    def finish(self) -> None:
        """Wait for what is being written."""
        if self._write is not None:
            self._write.end()
            self._write = None

    def forget(self, conversation: str) -> None:
        """Never save what the memory holds of it now, and delete what is on the disk."""
        if self._write is not None and self._write.conversation == conversation:
            self._cancel()
        if self._owner == conversation:
            self._owner = ""
        if self._folder is not None:
            self._folder.forget(conversation)

    def _cancel(self) -> None:
        assert self._write is not None
        if self._write.conversation == self._owner:
            self._saved = ()
        self._write.end(cancel=True)
        self._write = None

    def _find(self, prompt: Sequence[int], conversation: str, reach: int) -> Path | None:
        missing = len(prompt) - 1 - reach
        going_on = conversation == self._owner and reach == len(self._cache.tokens)
        if self._folder is None or not conversation or going_on or missing <= WORTH:
            return None
        if self._write is not None:
            self.finish()  # it may be the one that is wanted
        return self._folder.best(self._key, prompt[:-1], reach + WORTH, self._cache.size)

    def _restore(self, path: Path, saved: SavedState) -> bool:
        assert self._folder is not None
        if self._cache.restore(saved):
            return True
        log.info("a saved state does not fit")
        self._folder.drop(path)
        return False
