"""A model's child process as the engine's thread knows it: its messages, and its death in words."""

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.reduction import ForkingPickler

from app.domain.errors import AppError
from app.domain.models import LoadRequest
from app.engine.learned.saved_states import StateFolder
from app.engine.messages import Command, Reply, decode
from app.process.child import ChildProcess
from app.process.ending import died_loading
from app.process.parent import Parent

log = logging.getLogger(__name__)

TO_CHILD, FROM_CHILD = "to the child: %s, %d bytes", "from the child: %s, %d bytes"

# Where llama.cpp gives up on a grammar it quotes what the model wrote.
_QUOTED = re.compile(r"(after accepting piece: ).*?( \(\d+\))", re.DOTALL)

Target = Callable[[Parent, LoadRequest, StateFolder | None], None]
"""What runs in the child: ``app.engine.llama.child.run``; tests hand in another one."""


@dataclass(frozen=True, slots=True)
class Death:
    """``memory``: there was not enough of it, as far as one can tell."""

    error: AppError
    memory: bool


class EngineChild(ChildProcess):
    """Loads one model and answers until it is closed."""

    def __init__(self, target: Target, request: LoadRequest, states: StateFolder | None = None) -> None:
        super().__init__(target, request, states, name="alcove-engine", huge_pages=True)

    def tell(self, command: Command) -> None:
        data = ForkingPickler.dumps(command)
        log.debug(TO_CHILD, type(command).__name__, len(data))
        self.send_bytes(data)

    def receive(self) -> Reply | None:
        """The next message, None when there is none now. Raises EOFError or OSError when the child is gone."""
        if not self.connection.poll():
            return None
        data = self.connection.recv_bytes()
        reply = decode(data)
        log.debug(FROM_CHILD, type(reply).__name__, len(data))
        error = getattr(reply, "error", None)
        if error is not None and error.code == "engine-bug":
            log.error("The engine made a mistake of its own:\n%s", error.detail)
        return reply

    def death(self, loading: str = "") -> Death:
        """Why it ended by itself, as what the person is told. ``loading``: the model that it was about to load."""
        ending = self.ending(lambda log: _QUOTED.sub(r"\1…\2", log))
        if loading:
            return Death(died_loading(loading, ending), ending.short_of_memory)
        error = AppError(
            "engine-died",
            "The engine stopped unexpectedly.",
            "It starts again, with a safer plan, when you go on.",
            detail=ending.detail,
        )
        return Death(error, ending.short_of_memory)
