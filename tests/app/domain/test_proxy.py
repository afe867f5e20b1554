"""The same addresses as the settings dialog takes; tests/ui/settings shows them there."""

import pytest

from app.domain.errors import AppError
from app.domain.proxy import proxy_address


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("proxy.example", "http://proxy.example"),
        ("socks5://proxy.example:1080", "socks5://proxy.example:1080"),
        ("socks://proxy.example:1080", "socks5h://proxy.example:1080"),
        (" https://Proxy.example:3128/ ", "https://proxy.example:3128"),
        ("http://[::1]:8080", "http://[::1]:8080"),
        ("10.0.0.1:80", "http://10.0.0.1:80"),
        ("HTTP://localhost:", "http://localhost"),
        ("http://bücher.example", "http://xn--bcher-kva.example"),
        ("my_proxy:1", "http://my_proxy:1"),
        ("  ", ""),
    ],
)
def test_an_address(typed: str, kept: str) -> None:
    assert proxy_address(typed) == kept
    assert proxy_address(kept) == kept


@pytest.mark.parametrize(
    "typed",
    [
        "ftp://proxy.example",
        "http://",
        "no proxy",
        "proxy.example:99999",
        "proxy.example:port",
        "http://proxy.example/path",
        "http://proxy.example?",
        "http://proxy.example#top",
        "http://[::1",
        "http://[::g]",
        "http://a\\b",
        "http://.example",
        "://",
        "x" * 300,
    ],
)
def test_what_is_none(typed: str) -> None:
    with pytest.raises(AppError) as caught:
        proxy_address(typed)
    assert caught.value.code == "proxy-unusable"


@pytest.mark.parametrize("typed", ["http://me:secret@proxy.example:8080", "me@proxy.example", ":@proxy.example"])
def test_a_password_is_not_kept(typed: str) -> None:
    with pytest.raises(AppError) as caught:
        proxy_address(typed)
    assert caught.value.code == "proxy-with-password"
    assert "secret" not in str(caught.value)
