"""How a child ended, and what a person is told of it."""

import re
import signal
import traceback
from dataclasses import dataclass

from app.domain.errors import AppError

# What allocators say before they give up (C++, CUDA, Vulkan, Metal, Windows' STATUS_NO_MEMORY and _COMMITMENT_LIMIT).
_NO_MEMORY = re.compile("bad_alloc|failed to allocate|out of memory|OutOfDeviceMemory|OutOfHostMemory|Cannot allocate")
_NO_MEMORY_CODES = (0xC0000017, 0xC000012D)


@dataclass(frozen=True, slots=True)
class Ending:
    """How a child ended by itself.

    ``code``: its exit code, below 0 the signal that ended it; None: it does not answer, and has not ended.
    ``log``: the end of what it printed.
    """

    code: int | None
    log: str

    @property
    def words(self) -> str:
        """The exit code or the signal's name."""
        if self.code is None:
            return "the process does not answer"
        if self.code >= 0:
            return f"exit code {self.code}"
        try:
            return f"signal {signal.Signals(-self.code).name}"
        except ValueError:
            return f"signal {-self.code}"

    @property
    def detail(self) -> str:
        return f"{self.words}\n{self.log}".strip()

    @property
    def short_of_memory(self) -> bool:
        """Whether there was not enough memory, as far as one can tell."""
        # Linux's out-of-memory killer says nothing; nobody else is likely to send SIGKILL.
        killed = self.code is not None and self.code == -getattr(signal, "SIGKILL", 9)
        return killed or self.code in _NO_MEMORY_CODES or _NO_MEMORY.search(self.log) is not None


def no_process(error: Exception) -> AppError:
    """No child could be started."""
    return AppError(
        "engine-unavailable",
        "The engine's process could not be started ({reason}).",
        "Close other programs and try again.",
        detail="".join(traceback.format_exception(error)),
        reason=(error.strerror if isinstance(error, OSError) else None) or type(error).__name__,
    )


def died_loading(name: str, ending: Ending) -> AppError:
    """A child ended while it loaded the model ``name``."""
    return memory_error(name, ending.detail) if ending.short_of_memory else _load_crashed(name, ending.detail)


def memory_error(name: str, detail: str = "") -> AppError:
    """The model ``name`` needs more memory than there is."""
    return AppError(
        "not-enough-memory",
        "There is not enough free memory for {name}.",
        "Close other programs, choose a smaller context, or choose a smaller model.",
        detail=detail,
        name=name,
    )


def _load_crashed(name: str, detail: str) -> AppError:
    return AppError(
        "load-crashed",
        "Loading {name} made the engine stop.",
        "The file may be damaged or of a kind that cannot be run here: download it again, or choose another model.",
        detail=detail,
        name=name,
    )
