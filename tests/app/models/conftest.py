"""A Hub on loopback: model info, resolve with a redirect to a "CDN" on another origin, ranges, and every fault."""

import hashlib
import json
import random
import re
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from app.domain.cancel import CancelToken
from app.domain.events import DownloadFailed, DownloadFinished
from app.models.downloads.downloads import DownloadService
from app.models.downloads.surroundings import Pacing, Surroundings
from app.models.hub.hub import HubClient
from app.net.gate import NetworkGate

REPO = "maker/Model-GGUF"


def gguf(size: int, *, seed: int = 0, split: tuple[int, int] | None = None, **arch: int) -> bytes:
    """A GGUF file of about ``size`` bytes with one tensor of random bytes."""

    def text(value: str) -> bytes:
        data = value.encode()
        return struct.pack("<Q", len(data)) + data

    def number(key: str, value: int) -> bytes:
        return text(key) + struct.pack("<II", 4, value)

    pairs = [text("general.architecture") + struct.pack("<I", 8) + text("deepseek2")]
    values = {"expert_count": 384, "expert_used_count": 8, "context_length": 262144, **arch}
    pairs += [number(f"deepseek2.{key}", value) for key, value in values.items()]
    if split is not None:
        pairs += [
            text("split.no") + struct.pack("<IH", 2, split[0]),
            text("split.count") + struct.pack("<IH", 2, split[1]),
        ]
    elements = (size - 600) // 4
    tensor = text("blk.0.ffn_up_exps.weight") + struct.pack("<IQIQ", 1, elements, 0, 0)
    head = b"GGUF" + struct.pack("<IQQ", 3, 1, len(pairs)) + b"".join(pairs) + tensor
    head += bytes(-len(head) % 32)
    return head + random.Random(seed).randbytes(elements * 4)


def shards(count: int, size: int, name: str = "Model-Q4_K_M") -> dict[str, bytes]:
    return {
        f"{name}-{n:05d}-of-{count:05d}.gguf": gguf(size, seed=n, split=(n - 1, count)) for n in range(1, count + 1)
    }


@dataclass
class Refusal:
    """Answer the next ``times`` requests whose path matches with ``status``."""

    pattern: str
    status: int
    headers: dict[str, str] = field(default_factory=dict)
    times: int = 1000
    body: bytes = b"{}"


@dataclass
class StoredRepo:
    files: dict[str, bytes]
    card: dict[str, object]
    gated: bool
    sha: str
    oids: dict[str, str]


class Hub:
    def __init__(self, server: ThreadingHTTPServer) -> None:
        self.server = server
        port = server.server_port
        self.url = f"http://127.0.0.1:{port}"
        self.cdn = f"http://localhost:{port}/cdn"  # another origin: the token must not go there
        self.repos: dict[str, StoredRepo] = {}
        self.blobs: dict[str, bytes] = {}
        self.refusals: list[Refusal] = []
        self.requests: list[tuple[str, str, dict[str, str]]] = []
        self.cuts: list[int] = []  # bytes after which one of the next CDN answers each breaks off
        self.stalls = 0  # so many CDN answers stop after some bytes, until the client gives up
        self.hold_at: int | None = None  # all CDN answers wait once so many bytes have been sent in all
        self.holding = threading.Event()
        self.go = threading.Event()
        self.lock = threading.Lock()
        self.sent = 0
        self.signature = 0
        self.etag_suffix = ""
        self.ranges = True
        self.on_bytes: Callable[[int], None] = lambda _sent: None

    def add(
        self, repo: str, files: dict[str, bytes], *, card: dict[str, object] | None = None, gated: bool = False
    ) -> None:
        oids = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
        self.blobs |= {oids[name]: data for name, data in files.items()}
        sha = hashlib.sha1(json.dumps(oids).encode(), usedforsecurity=False).hexdigest()
        self.repos[repo] = StoredRepo(files, {"license": "mit"} if card is None else card, gated, sha, oids)

    def refuse(self, pattern: str, status: int, times: int = 1000, body: bytes = b"{}", **headers: str) -> None:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.refusals.append(Refusal(pattern, status, named, times, body))

    def spoil(self, repo: str, name: str, at: int) -> None:
        """One wrong byte on the way, under the right checksum."""
        oid = self.repos[repo].oids[name]
        data = bytearray(self.blobs[oid])
        data[at] ^= 1
        self.blobs[oid] = bytes(data)

    def paths(self, prefix: str = "") -> list[str]:
        return [path for _, path, _ in self.requests if path.startswith(prefix)]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    @property
    def hub(self) -> Hub:
        return self.server.hub  # type: ignore[attr-defined]

    def do_GET(self) -> None:
        self.answer()

    def do_HEAD(self) -> None:
        self.answer()

    def answer(self) -> None:
        path = unquote(urlsplit(self.path).path)
        with self.hub.lock:
            self.hub.requests.append((self.command, self.path, dict(self.headers)))
            refusal = next((r for r in self.hub.refusals if r.times > 0 and re.search(r.pattern, path)), None)
            if refusal is not None:
                refusal.times -= 1
        if refusal is not None:
            self.reply(refusal.status, refusal.body, **refusal.headers)
        elif path == "/api/models":
            self.search()
        elif match := re.fullmatch(r"/api/models/([^/]+/[^/]+)(?:/revision/([^/]+))?", path):
            self.info(match[1])
        elif match := re.fullmatch(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path):
            self.resolve(match[1], match[2], match[3])
        elif match := re.fullmatch(r"/cdn/(\w+)", path):
            self.blob(match[1])
        else:
            self.reply(404, b"{}")

    def search(self) -> None:
        query = parse_qs(urlsplit(self.path).query)
        wanted = query.get("search", [""])[0].casefold()
        found = [
            {
                "id": name,
                "downloads": 1000 - n,
                "likes": n,
                "gated": "auto" if repo.gated else False,
                "tags": ["gguf", "license:mit"],
                "lastModified": "2025-11-08T10:00:00.000Z",
            }
            for n, (name, repo) in enumerate(self.hub.repos.items())
            if wanted in name.casefold()
        ]
        self.reply(200, json.dumps(found[: int(query["limit"][0])]).encode())

    def info(self, name: str) -> None:
        repo = self.hub.repos.get(name)
        if repo is None:
            self.reply(404, b"{}", **{"X-Error-Code": "RepoNotFound"})
            return
        siblings = [
            {"rfilename": file, "size": len(data), "blobId": "0" * 40,
             "lfs": {"sha256": repo.oids[file], "size": len(data), "pointerSize": 134}}
            for file, data in repo.files.items()
        ]  # fmt: skip
        body = {"id": name, "sha": repo.sha, "gated": "auto" if repo.gated else False, "cardData": repo.card,
                "siblings": siblings, "tags": ["gguf"], "downloads": 5, "likes": 1,
                "gguf": {"architecture": "deepseek2", "context_length": 262144, "total": 1}}  # fmt: skip
        self.reply(200, json.dumps(body).encode())

    def resolve(self, name: str, revision: str, file: str) -> None:
        repo = self.hub.repos.get(name)
        if repo is None:
            self.reply(404, b"", **{"X-Error-Code": "RepoNotFound"})
        elif revision not in (repo.sha, "main"):
            self.reply(404, b"", **{"X-Error-Code": "RevisionNotFound"})
        elif file not in repo.files:
            self.reply(404, b"", **{"X-Error-Code": "EntryNotFound"})
        else:
            oid = repo.oids[file]
            self.reply(
                302,
                b"",
                **{
                    "Location": f"{self.hub.cdn}/{oid}?signature={self.hub.signature}",
                    "X-Repo-Commit": repo.sha,
                    "X-Linked-Size": str(len(repo.files[file])),
                    "X-Linked-Etag": f'"{oid}"',
                    "ETag": '"pointer"',
                },
            )

    def blob(self, oid: str) -> None:
        hub = self.hub
        if parse_qs(urlsplit(self.path).query)["signature"] != [str(hub.signature)]:
            self.reply(403, b"expired")
            return
        data = hub.blobs[oid]
        asked = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        start, end = (int(asked[1]), min(int(asked[2]) + 1, len(data))) if asked and hub.ranges else (0, len(data))
        if start >= len(data):
            self.reply(416, b"", **{"Content-Range": f"bytes */{len(data)}"})
            return
        self.send_response(206 if asked and hub.ranges else 200)
        if asked and hub.ranges:
            self.send_header("Content-Range", f"bytes {start}-{end - 1}/{len(data)}")
        self.send_header("ETag", f'"{oid[:8]}{hub.etag_suffix}"')
        self.send_header("Content-Length", str(end - start))
        self.end_headers()
        self.send_bytes(data[start:end])

    def send_bytes(self, data: bytes) -> None:
        hub = self.hub
        with hub.lock:
            cut = hub.cuts.pop() if hub.cuts and hub.cuts[-1] < len(data) else None
            stall = hub.stalls > 0
            hub.stalls -= stall
        limit = cut if cut is not None else len(data) // 2 if stall else len(data)
        for at in range(0, limit, 16384):
            with hub.lock:
                piece = data[at : min(at + 16384, limit)]
                held = hub.hold_at is not None and hub.sent + len(piece) > hub.hold_at
                if not held:
                    hub.sent += len(piece)
            if held:
                hub.holding.set()
                hub.go.wait(30)
                self.close_connection = True
                return
            try:
                self.wfile.write(piece)
            except OSError:
                self.close_connection = True
                return
            hub.on_bytes(hub.sent)
        if stall:
            hub.go.wait(30)
        if limit < len(data):
            self.close_connection = True

    def reply(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


QUICK = Pacing(stall_s=10.0, piece=(256 << 10, 1 << 20), attempts=4)


class Make:
    """The builders above, for tests that cannot import this file."""

    gguf = staticmethod(gguf)
    pacing = QUICK
    shards = staticmethod(shards)


@pytest.fixture
def make() -> type[Make]:
    return Make


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "HF_TOKEN", "HF_HOME", "HF_HUB_CACHE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


class Server(ThreadingHTTPServer):
    daemon_threads = False

    def handle_error(self, *_: object) -> None:
        """A client that went away is what many tests are about."""


@pytest.fixture
def hub_server() -> Iterator[Hub]:
    with Server(("127.0.0.1", 0), Handler) as server:
        hub = server.hub = Hub(server)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield hub
        hub.go.set()
        server.shutdown()
        thread.join()


@dataclass
class Wishes:
    offline: bool = False
    proxy: str = ""


class Drawer:
    """Secrets in a dictionary."""

    def __init__(self) -> None:
        self.values: dict[str, str] = {}

    def get(self, name: str) -> str | None:
        return self.values.get(name)


class Waits:
    """Takes the place of waiting: writes down how long, and goes on."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    def __call__(self, seconds: float, cancel: CancelToken) -> None:
        self.seconds.append(seconds)
        cancel.raise_if_cancelled()


@pytest.fixture
def waits() -> Waits:
    return Waits()


@pytest.fixture
def wishes() -> Wishes:
    return Wishes()


@pytest.fixture
def drawer() -> Drawer:
    return Drawer()


@pytest.fixture
def hub(hub_server: Hub, waits: Waits, wishes: Wishes, drawer: Drawer) -> Iterator[HubClient]:
    client = HubClient(NetworkGate(lambda: wishes), drawer, {"HF_ENDPOINT": hub_server.url}, wait=waits)
    yield client
    client.close()


class Events:
    """What a service publishes; ``end`` waits for a download's last word."""

    def __init__(self) -> None:
        self.all: list[object] = []
        self._ready = threading.Condition()

    def __call__(self, event: object) -> None:
        with self._ready:
            self.all.append(event)
            self._ready.notify_all()

    def wait_for(self, found: Callable[[object], bool]) -> object:
        with self._ready:
            assert self._ready.wait_for(lambda: any(map(found, self.all)), 30), self.all
            return next(event for event in reversed(self.all) if found(event))

    def end(self, download_id: str) -> DownloadFinished | DownloadFailed:
        found = self.wait_for(lambda e: isinstance(e, DownloadFinished | DownloadFailed) and e.id == download_id)
        assert isinstance(found, DownloadFinished | DownloadFailed)
        return found

    def clear(self) -> None:
        with self._ready:
            self.all.clear()


@pytest.fixture
def events() -> Events:
    return Events()


class StillClock:
    """Monotonic time that moves a little at every look, so that nothing waits for it."""

    def __init__(self) -> None:
        self.at = 1000.0
        self._lock = threading.Lock()

    def now(self) -> float:
        return self.monotonic()

    def monotonic(self) -> float:
        with self._lock:
            self.at += 0.05
            return self.at


@dataclass
class Bench:
    """A download service over the loopback Hub, as often as a test wants one on the same folder."""

    hub: HubClient
    folder: Path
    library: Path
    events: Events
    waits: Waits
    around: Surroundings
    made: list[DownloadService] = field(default_factory=list)

    def service(self, **changes: object) -> DownloadService:
        clock = StillClock()
        fields = {"monotonic": clock.monotonic, "wait": self.waits, "pacing": QUICK, **changes}
        service = DownloadService(
            self.folder,
            self.library,
            lambda: self.hub,
            self.events,
            clock,
            around=Surroundings(**fields),  # type: ignore[arg-type] # as the test names them
        )
        self.made.append(service)
        return service

    def files(self) -> list[str]:
        """What is in the library, records apart."""
        found = (path for path in self.library.rglob("*") if path.is_file() and path.name != ".alcove.json")
        return sorted(path.relative_to(self.library).as_posix() for path in found)

    def partial(self) -> list[str]:
        return sorted(path.name for path in self.folder.rglob("*.part"))


@pytest.fixture
def bench(hub: HubClient, tmp_path: Path, events: Events, waits: Waits) -> Iterator[Bench]:
    around = Surroundings(StillClock().monotonic)
    made = Bench(hub, tmp_path / "data" / "downloads", tmp_path / "models", events, waits, around)
    yield made
    for service in made.made:
        service.close()
