import datetime as dt
import ipaddress
import socket
import socketserver
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx2
import pytest

from app.domain.errors import AppError
from app.net.gate import USER_AGENT, NetworkGate, Reason


@dataclass
class Wishes:
    offline: bool = False
    proxy: str = ""


class Server(ThreadingHTTPServer):
    seen: list[tuple[str, str]]

    def handle_error(self, request: object, client_address: object) -> None:
        """A handshake that the client refused is no news."""


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.server.seen.append((self.path, self.headers["User-Agent"]))
        self.send_response(302 if self.path == "/redirect" else 200)
        self.send_header("Location", "/end")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(("127.0.0.1", 0), Handler) as serving:
        serving.seen = []
        thread = threading.Thread(target=serving.serve_forever, args=(0.01,))
        thread.start()
        yield serving
        serving.shutdown()
        thread.join()


@pytest.fixture
def url(server: Server) -> str:
    return f"http://127.0.0.1:{server.server_port}"


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


def test_a_client_fetches_and_says_who_it_is(server: Server, url: str) -> None:
    with NetworkGate(Wishes).http_client(Reason.MODEL_SEARCH) as client:
        assert client.get(f"{url}/redirect").text == "ok"
    assert server.seen == [("/redirect", USER_AGENT), ("/end", USER_AGENT)]


def test_offline_opens_no_socket_even_for_a_client_made_before(server: Server, url: str) -> None:
    wishes = Wishes()
    with NetworkGate(lambda: wishes).http_client(Reason.WEB_PAGE) as client:
        wishes.offline = True
        with pytest.raises(AppError, match=r"offline, so 127\.0\.0\.1 was not contacted") as caught:
            client.get(url)
    assert caught.value.code == "offline"
    assert server.seen == []


def test_every_redirect_passes_the_gate(server: Server, url: str) -> None:
    class OfflineAfterOne:
        proxy = ""

        @property
        def offline(self) -> bool:
            return bool(server.seen)

    with NetworkGate(OfflineAfterOne).http_client(Reason.WEB_PAGE) as client, pytest.raises(AppError):
        client.get(f"{url}/redirect")
    assert [path for path, _ in server.seen] == ["/redirect"]


@pytest.mark.parametrize("address", ["file:///etc/passwd", "ftp://example.org/", "example.org", "", "https://"])
def test_only_web_addresses_pass(address: str) -> None:
    with pytest.raises(AppError) as caught:
        NetworkGate(Wishes).check(address, Reason.WEB_PAGE)
    assert caught.value.code == "address-refused"


def test_the_proxy_of_the_settings_is_used(server: Server, url: str) -> None:
    with NetworkGate(lambda: Wishes(proxy=url)).http_client(Reason.MCP) as client:
        assert client.get("http://nowhere.invalid/page").text == "ok"
    assert [path for path, _ in server.seen] == ["http://nowhere.invalid/page"]


def test_a_certificate_that_nobody_signed_is_refused(server: Server, url: str, tmp_path: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(self_signed(tmp_path))
    server.socket = context.wrap_socket(server.socket, server_side=True)
    address = url.replace("http:", "https:")
    client = NetworkGate(Wishes).http_client(Reason.MODEL_SEARCH)
    with client, pytest.raises(httpx2.ConnectError, match="certificate"):
        client.get(address)
    assert server.seen == []


def self_signed(folder: Path) -> Path:
    x509 = pytest.importorskip("cryptography.x509")
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = folder / "server.pem"
    unencrypted = serialization.NoEncryption()
    file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, unencrypted)
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return file


class SocksServer(socketserver.ThreadingTCPServer):
    """Connects to wherever it is asked to (RFC 1928, no authentication), and notes where that was."""

    allow_reuse_address = True
    asked: list[str]


class Socks(socketserver.BaseRequestHandler):
    server: SocksServer

    def handle(self) -> None:
        _version, methods = self.request.recv(2)
        self.request.recv(methods)
        self.request.sendall(b"\x05\x00")
        _version, _connect, _reserved, kind = self.request.recv(4)
        host = (
            socket.inet_ntoa(self.request.recv(4)) if kind == 1 else self.request.recv(self.request.recv(1)[0]).decode()
        )
        port = int.from_bytes(self.request.recv(2), "big")
        self.server.asked.append(host)
        with socket.create_connection(("127.0.0.1", port), timeout=5) as there:
            self.request.sendall(b"\x05\x00\x00\x01\x7f\x00\x00\x01" + port.to_bytes(2, "big"))
            there.sendall(self.request.recv(65536))
            while data := there.recv(65536):
                self.request.sendall(data)


@pytest.fixture
def socks() -> Iterator[SocksServer]:
    with SocksServer(("127.0.0.1", 0), Socks) as serving:
        serving.asked = []
        thread = threading.Thread(target=serving.serve_forever, args=(0.01,))
        thread.start()
        yield serving
        serving.shutdown()
        thread.join()


@pytest.mark.parametrize("named_by", ["settings", "environment"])
def test_a_socks_proxy_is_used(
    server: Server, socks: SocksServer, named_by: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = f"socks5h://127.0.0.1:{socks.server_address[1]}"
    wishes = Wishes(proxy=address if named_by == "settings" else "")
    if named_by == "environment":
        monkeypatch.setenv("ALL_PROXY", address)
    with NetworkGate(lambda: wishes).http_client(Reason.MODEL_SEARCH) as client:
        assert client.get(f"http://models.example:{server.server_port}/", headers={"Connection": "close"}).text == "ok"
    assert socks.asked == ["models.example"]


@pytest.mark.parametrize("address", ["socks://me:secret@127.0.0.1:9", "gopher://127.0.0.1:9", "http://[::1"])
def test_a_proxy_of_the_environment_that_is_no_use_is_one_sentence(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALL_PROXY", address)
    with pytest.raises(AppError, match="proxy that this system's environment names") as caught:
        NetworkGate(Wishes).http_client(Reason.MODEL_SEARCH)
    assert "secret" not in caught.value.info.detail
