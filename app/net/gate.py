"""May this connection be opened, and with what client?"""

import functools
import logging
import ssl
from collections.abc import Callable
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

from app import __version__
from app.domain.errors import AppError

if TYPE_CHECKING:
    import httpx2

log = logging.getLogger(__name__)

CONNECT_S = 15.0
READ_S = 60.0  # between two pieces of an answer, not for the whole
USER_AGENT = f"alcove/{__version__}"


class Reason(StrEnum):
    """Why a connection is opened. There is none that a person did not ask for."""

    MODEL_SEARCH = "model-search"
    MODEL_DOWNLOAD = "model-download"
    REMOTE_ENGINE = "remote-engine"
    MCP = "mcp"
    WEB_PAGE = "web-page"


class NetworkSettings(Protocol):
    @property
    def offline(self) -> bool: ...

    @property
    def proxy(self) -> str: ...


class NetworkGate:
    """Settings are asked for at every request, so that "Offline" holds at once for clients that exist."""

    def __init__(self, settings: Callable[[], NetworkSettings]) -> None:
        self._settings = settings

    def check(self, url: str, reason: Reason) -> None:
        """Return if ``url`` may be fetched now. Raises AppError ``offline`` or ``address-refused``."""
        parts = urlsplit(url)
        if self._settings().offline:
            raise AppError(
                "offline",
                "Alcove is offline, so {host} was not contacted.",
                'Switch off "Offline" in the settings to allow it.',
                host=parts.hostname or url,
            )
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise AppError(
                "address-refused",
                "{url} is not a web address.",
                "Give one that begins with https:// or http://.",
                url=url,
            )
        log.info("connecting to %s for %s", parts.hostname, reason)

    def http_client(self, reason: Reason) -> "httpx2.Client":
        """A client whose every request, redirects included, passes the gate; the caller closes it.

        httpx2 and not httpx: the Hub's, OpenAI's and MCP's libraries take clients of that package.
        """
        import httpx2  # here, because most starts need no network

        def pass_gate(request: httpx2.Request) -> None:
            self.check(str(request.url), reason)

        proxy = self._settings().proxy
        try:
            return httpx2.Client(
                verify=self._trust_store,
                proxy=proxy or None,
                trust_env=not proxy,
                timeout=httpx2.Timeout(READ_S, connect=CONNECT_S),
                headers={"User-Agent": USER_AGENT},
                follow_redirects=True,
                event_hooks={"request": [pass_gate]},
            )
        except (ValueError, httpx2.InvalidURL) as error:  # an address in the environment, whose words we do not know
            raise AppError(
                "proxy-not-understood",
                "The proxy that this system's environment names cannot be used.",
                "Write it as socks5://HOST:PORT or http://HOST:PORT, or set one in Alcove's settings.",
                detail=type(error).__name__,  # the address may hold a password
            ) from None

    @functools.cached_property
    def _trust_store(self) -> ssl.SSLContext:
        """Certificates as the operating system trusts them, a company's own authority included."""
        import truststore

        return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
