from collections.abc import Callable

import keyring
import pytest
from keyring.backends.fail import Keyring as FailingKeyring

from app.storage.secrets import SERVICE, Keyring, Secrets, system_keyring


class FakeKeyring:
    def __init__(self, broken: bool = False) -> None:
        self.values: dict[tuple[str, str], str] = {}
        self.broken = broken

    def get_password(self, service: str, username: str) -> str | None:
        if self.broken:
            raise OSError("locked")
        return self.values.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        if self.broken:
            raise OSError("locked")
        self.values[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.values[service, username]


def test_values_go_to_the_keyring() -> None:
    backend = FakeKeyring()
    secrets = Secrets(lambda: backend)
    assert secrets.available
    assert secrets.get("hub") is None
    assert secrets.set("hub", "token")
    assert backend.values == {(SERVICE, "hub"): "token"}
    assert Secrets(lambda: backend).get("hub") == "token"
    secrets.delete("hub")
    secrets.delete("hub")
    assert secrets.get("hub") is None
    assert backend.values == {}


@pytest.mark.parametrize(
    "find",
    [
        lambda: None,
        pytest.param(lambda: FakeKeyring(broken=True), marks=pytest.mark.expect_log("keyring could not be")),
    ],
)
def test_without_a_keyring_values_last_for_the_session(find: Callable[[], Keyring | None]) -> None:
    secrets = Secrets(find)
    assert not secrets.set("hub", "token")
    assert secrets.get("hub") == "token"
    assert Secrets(find).get("hub") is None
    secrets.delete("hub")
    assert secrets.get("hub") is None


def test_the_keyring_is_looked_for_once_and_late() -> None:
    looked: list[int] = []
    secrets = Secrets(lambda: looked.append(1))
    assert not looked
    assert not secrets.available
    secrets.get("hub")
    assert looked == [1]


@pytest.mark.expect_log("no system keyring: no D-Bus")
def test_backends_that_are_no_system_keyring_are_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    class FileKeyring(FakeKeyring):
        priority = 9

    for backend in (FileKeyring(), FailingKeyring()):  # type: ignore[no-untyped-call] # the package has no types there
        monkeypatch.setattr(keyring, "get_keyring", lambda chosen=backend: chosen)
        assert system_keyring() is None

    def broken() -> None:
        raise RuntimeError("no D-Bus")

    monkeypatch.setattr(keyring, "get_keyring", broken)
    assert system_keyring() is None
