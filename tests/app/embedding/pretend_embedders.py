"""Children that only pretend to turn texts into vectors. Spawned processes import this module by its name."""

import contextlib
import os
import threading
from array import array
from pathlib import Path

from app.domain.errors import ErrorInfo
from app.process.messages import Embed, Embedded, EmbedderLoaded, LoadFailed
from app.process.parent import Parent


def embeds(parent: Parent, _path: str) -> None:
    """Vectors of 32 numbers, whatever the text. DIE and FAIL are obeyed; ``WAIT ASKED GO`` makes the file ASKED and
    waits for GO, or for the end."""
    parent.connection.send(EmbedderLoaded(32, 1))
    with contextlib.suppress(EOFError, OSError):
        while True:
            command = parent.connection.recv()
            assert isinstance(command, Embed)
            if "DIE" in command.texts:
                os.abort()
            if command.texts[0].startswith("WAIT"):
                _, asked, go = command.texts[0].split()
                Path(asked).touch()
                while not (parent.says_stop or Path(go).exists()):
                    threading.Event().wait(0.002)
            error = ErrorInfo("too-bad", "Too bad.") if "FAIL" in command.texts else None
            vector = array("f", [1.0] + [0.0] * 31).tobytes()
            parent.connection.send(Embedded(b"" if error else vector * len(command.texts), error))


def cannot_load(parent: Parent, _path: str) -> None:
    parent.connection.send(LoadFailed(ErrorInfo("too-bad", "Too bad.")))


def dies_loading(_parent: Parent, _path: str) -> None:
    os.abort()
