"""One window for a person and a home folder: a second start hands over what it was called with, and ends.

Whoever holds the lock file is the first. The system releases the lock when its process ends, however it ends, so what a
killed program left behind is recognised at once and replaced. UI thread; ``hand_over`` waits, but never for long.
"""

import getpass
import hashlib
import json
import logging
import os
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from filelock import FileLock, Timeout
from PySide6.QtCore import QObject, Signal
from PySide6.QtNetwork import QLocalServer, QLocalSocket

log = logging.getLogger(__name__)

CONNECT_MS = 300
ANSWER_MS = 5000  # the first one may just be starting
TRIES_S = 3.0  # between its lock and its socket lies a moment
LONGEST = 1 << 20  # bytes of a message; paths on a command line are fewer
TOKENS = ("XDG_ACTIVATION_TOKEN", "DESKTOP_STARTUP_ID")  # the desktop's leave to come to the front


class Instance(QObject):
    """``called(paths)``: another start of the program handed these over."""

    called = Signal(list)

    def __init__(self, name: str, folder: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        # Windows names pipes, other systems sockets in the file system.
        self._address = name if sys.platform == "win32" else str(folder / f"{name}.socket")
        self._lock = FileLock(folder / f"{name}.lock", timeout=0, thread_local=False)
        self._server: QLocalServer | None = None
        self._unread: dict[QLocalSocket, bytearray] = {}

    @property
    def listening(self) -> bool:
        return self._server is not None

    def begin(self, paths: Sequence[str], tries_s: float = TRIES_S) -> bool:
        """Become the first and listen, or hand ``paths`` over to the one that is; False if they were.

        Where neither is possible the program works without: a second window is better than none.
        """
        try:
            self._lock.acquire()
        except Timeout:
            return not self._hand_over(paths, tries_s)
        except OSError as error:
            log.info("no single instance: %r", error)
            return True
        self._listen()
        return True

    def close(self) -> None:
        """Idempotent."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for socket in list(self._unread):
            socket.abort()
        self._unread.clear()
        self._lock.release()

    def _listen(self) -> None:
        server = QLocalServer(self)
        server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        QLocalServer.removeServer(self._address)  # nobody listens there: the lock was free
        if server.listen(self._address):
            server.newConnection.connect(self._connected)
            self._server = server
        else:
            log.info("no single instance: %s", server.errorString())

    def _hand_over(self, paths: Sequence[str], tries_s: float) -> bool:
        message = {"paths": list(paths), "tokens": {name: os.environ[name] for name in TOKENS if name in os.environ}}
        data = json.dumps(message).encode() + b"\n"
        socket = QLocalSocket()
        deadline = time.monotonic() + tries_s
        while not self._connect(socket):
            if time.monotonic() >= deadline:
                log.info("the other window cannot be reached: %s", socket.errorString())
                return False
            time.sleep(0.05)
        socket.write(data)
        answered = socket.waitForReadyRead(ANSWER_MS)
        socket.abort()
        return answered

    def _connect(self, socket: QLocalSocket) -> bool:
        socket.connectToServer(self._address)
        return socket.waitForConnected(CONNECT_MS)

    def _connected(self) -> None:
        while self._server is not None and (socket := self._server.nextPendingConnection()) is not None:
            self._unread[socket] = bytearray()
            socket.readyRead.connect(lambda socket=socket: self._read(socket))
            socket.disconnected.connect(lambda socket=socket: self._forget(socket))
            if socket.bytesAvailable():
                self._read(socket)

    def _read(self, socket: QLocalSocket) -> None:
        data = self._unread.get(socket)
        if data is None:
            return
        data += bytes(socket.readAll().data())
        if b"\n" in data:
            paths = _understood(bytes(data))
            data.clear()
            socket.write(b"ok\n")
            socket.flush()
            if paths is not None:
                self.called.emit(paths)
        elif len(data) > LONGEST:
            socket.abort()

    def _forget(self, socket: QLocalSocket) -> None:
        self._unread.pop(socket, None)
        socket.deleteLater()


def instance_name(environ: Mapping[str, str]) -> str:
    """The same for all starts of one person that use the same home folder."""
    home = environ.get("ALCOVE_HOME", "")
    where = str(Path(home).expanduser().absolute()) if home else environ.get("XDG_DATA_HOME", "")
    key = f"{getpass.getuser()}\n{where}"
    return f"alcove-{hashlib.sha256(key.encode()).hexdigest()[:16]}"


def instance_folder(environ: Mapping[str, str]) -> Path:
    """A folder that nobody else can write to, on this machine even where homes are shared. Raises OSError."""
    runtime = environ.get("XDG_RUNTIME_DIR", "")
    if runtime and Path(runtime).is_dir():
        return Path(runtime)
    if sys.platform == "win32":
        return Path(tempfile.gettempdir())  # a person's own there
    folder = Path(tempfile.gettempdir()) / f"alcove-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if found.st_uid != os.getuid() or found.st_mode & 0o077 or folder.is_symlink():
        raise PermissionError(f"{folder} is not this person's own")
    return folder


def _understood(data: bytes) -> list[str] | None:
    """The paths of a message, None where it is none of ours. Its leave to come to the front is taken over."""
    try:
        message = json.loads(data.partition(b"\n")[0])
        paths, tokens = message["paths"], message["tokens"]
        if not all(isinstance(path, str) for path in paths):
            return None
        for name in TOKENS:
            if isinstance(tokens.get(name), str):
                os.environ[name] = tokens[name]  # Qt reads it when the window asks to come to the front
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        log.info("a message that is none: %r", error)
        return None
    return list(paths)
