"""The address of a proxy, as it is kept in the settings."""

import ipaddress
import re
from urllib.parse import SplitResult, urlsplit

from app.domain.errors import AppError

SCHEMES = ("http", "https", "socks5", "socks5h")
_SAME = {"socks": "socks5h"}  # as desktops write it; names are looked up by the proxy, which knows its own network
_HOST = re.compile(r"[a-z0-9_]([a-z0-9_.-]*[a-z0-9_.])?")


def proxy_address(text: str) -> str:
    """``http://HOST:PORT`` of what a person wrote, "" for none; ``https``, ``socks5`` and ``socks5h`` are taken, too.

    Raises AppError ``proxy-with-password``, since settings are a readable file, or ``proxy-unusable``.
    """
    text = text.strip()
    if not text:
        return ""
    try:
        parts = urlsplit(text if "://" in text else f"http://{text}")
        if parts.username is not None or parts.password is not None:
            raise AppError("proxy-with-password", "A name and password are not kept here.", "Set HTTPS_PROXY instead.")
        return _address(parts, text)
    except ValueError as error:
        raise AppError(
            "proxy-unusable", "This is no address of a proxy.", "Write it like http://proxy.example:8080."
        ) from error


def _address(parts: SplitResult, text: str) -> str:
    """A machine and perhaps a port, nothing behind them. Raises ValueError."""
    scheme = _SAME.get(parts.scheme, parts.scheme)
    if scheme not in SCHEMES or parts.path not in ("", "/") or any(mark in text for mark in "?#\\"):
        raise ValueError(text)
    port = "" if parts.port is None else f":{parts.port}"
    host = parts.hostname or ""
    if ":" in host:
        return f"{scheme}://[{ipaddress.IPv6Address(host)}]{port}"
    host = host.encode("idna").decode("ascii").lower()
    if not _HOST.fullmatch(host):
        raise ValueError(host)
    return f"{scheme}://{host}{port}"
