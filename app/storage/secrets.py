"""Tokens and keys, in the system's keyring and nowhere else."""

import functools
import logging
import threading
from collections.abc import Callable
from typing import Protocol, TypeVar

log = logging.getLogger(__name__)

SERVICE = "alcove"
Result = TypeVar("Result")


class Keyring(Protocol):
    """What we use of a backend of the ``keyring`` package."""

    def get_password(self, service: str, username: str) -> str | None: ...

    def set_password(self, service: str, username: str, password: str) -> None: ...

    def delete_password(self, service: str, username: str) -> None: ...


class Secrets:
    """Named secrets. Where there is no keyring, or it refuses, values last until the program ends.

    Any thread but the UI's: a keyring may ask the person to unlock it, and the call waits for that.
    """

    def __init__(self, find: Callable[[], Keyring | None] | None = None) -> None:
        self._find = functools.cache(find or system_keyring)
        self._lock = threading.Lock()
        self._session: dict[str, str] = {}

    @property
    def available(self) -> bool:
        """Whether values outlive the program."""
        return self._keyring() is not None

    def get(self, name: str) -> str | None:
        with self._lock:
            if name in self._session:
                return self._session[name]
        return self._try("read", lambda keyring: keyring.get_password(SERVICE, name))

    def set(self, name: str, value: str) -> bool:
        """Keep ``value``; False where it lasts for this session only."""

        def store(keyring: Keyring) -> bool:
            keyring.set_password(SERVICE, name, value)
            return True

        kept = self._try("written", store) is True
        with self._lock:
            if kept:
                self._session.pop(name, None)
            else:
                self._session[name] = value
        return kept

    def delete(self, name: str) -> None:
        with self._lock:
            self._session.pop(name, None)

        def forget(keyring: Keyring) -> None:
            if keyring.get_password(SERVICE, name) is not None:
                keyring.delete_password(SERVICE, name)

        self._try("changed", forget)

    def _keyring(self) -> Keyring | None:
        with self._lock:
            return self._find()

    def _try(self, done: str, action: Callable[[Keyring], Result]) -> Result | None:
        keyring = self._keyring()
        if keyring is None:
            return None
        try:
            return action(keyring)
        except Exception as error:  # noqa: BLE001 - backends raise D-Bus, COM and Objective-C errors besides their own
            log.warning("the system keyring could not be %s: %s", done, error)
            return None


def system_keyring() -> Keyring | None:
    """The keyring of the desktop or operating system, or None. Plug-ins that keep secrets in files are not taken."""
    try:
        import keyring  # here, because it looks for backends over D-Bus when it is imported

        chosen = keyring.get_keyring()
        candidates = getattr(chosen, "backends", None) or [chosen]
        for backend in candidates:
            if type(backend).__module__.startswith("keyring.backends.") and backend.priority >= 1:
                return backend  # type: ignore[no-any-return] # the package's metaclass hides the type
    except Exception as error:  # noqa: BLE001 - whatever a backend's start-up raises, there is no keyring then
        log.warning("no system keyring: %s", error)
    return None
