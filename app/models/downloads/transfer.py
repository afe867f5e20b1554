"""Fetching the missing bytes of several files over several connections.

One thread leads (``Transfer.run``), up to ``connections`` daemon threads fetch. A piece is a range of one file; pieces
are taken in order, so that the beginning of each file is whole early and can be hashed while the rest arrives.
"""

import contextlib
import logging
import re
import socket
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from urllib.parse import urlsplit

import httpx2

from app.domain.cancel import CancelToken
from app.domain.errors import AppError, Cancelled
from app.models.disk import disk_error
from app.models.downloads.partfile import PartFile
from app.models.downloads.ranges import Range
from app.models.downloads.surroundings import Pacing
from app.models.hub import errors as hub_errors
from app.models.hub import retry
from app.models.hub.hub import HubClient
from app.models.hub.repository import Location
from app.models.hub.retry import Passing, Patience

log = logging.getLogger(__name__)

_CONNECT_S = 15.0
_TICK_S = 0.25
_HASH_AT_ONCE = 64 << 20
_END_S = 5.0  # how long a cancelled connection may take to notice
_PIECES = 800  # of one download, if they are neither too small nor too large
_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)")


class ContentChanged(Exception):
    """The Hub has other bytes under this name than those that were begun."""


class RangesIgnored(Exception):
    """The server sends whole files, whichever part it is asked for."""


class RemoteFile:
    """Where one file's bytes come from. Thread-safe. Asks the Hub again when an address has expired."""

    def __init__(self, hub: HubClient, repository: str, revision: str, path: str, file: PartFile) -> None:
        self._hub = hub
        self._key = (repository, revision, path)
        self.repository = repository
        self.file = file
        self._lock = threading.Lock()
        self._location: Location | None = None
        self._etags: dict[str, str] = {}  # address without its signature -> ETag of the bytes there
        self.whole = False  # it is fetched in one stream, from its beginning

    def location(self, cancel: CancelToken) -> Location:
        with self._lock:
            if self._location is None:
                try:
                    found = self._hub.locate(*self._key, cancel=cancel, attempts=1)
                except AppError as error:
                    if error.code == hub_errors.REVISION_GONE:
                        raise ContentChanged(self._key[2]) from error
                    raise
                if found.size != self.file.content.size or found.etag != self.file.content.etag:
                    raise ContentChanged(self._key[2])
                self._location = found
            return self._location

    def expired(self, location: Location) -> None:
        with self._lock:
            if self._location is location:
                self._location = None

    def check(self, response: httpx2.Response, wanted: Range) -> None:
        """Whether the answer holds the ``wanted`` bytes of the content that was begun.

        Raises ContentChanged, RangesIgnored.
        """
        size = self.file.content.size
        if response.status_code == 200 and not response.headers.get("Content-Range"):
            if response.headers.get("Content-Length", str(size)) != str(size):
                raise ContentChanged(self._key[2])
            if wanted != (0, size):
                raise RangesIgnored
            return
        match = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
        if response.status_code != 206 or match is None or int(match[1]) != wanted.start:
            raise hub_errors.no_ranges(response)
        etag = response.headers.get("ETag", "")
        address = urlsplit(str(response.url))._replace(query="").geturl()
        with self._lock:
            first = self._etags.setdefault(address, etag)
        if etag != first or (match[3] != "*" and int(match[3]) != size):
            raise ContentChanged(self._key[2])


class Transfer:
    """One run over the missing bytes of ``files``."""

    def __init__(
        self,
        hub: HubClient,
        files: Sequence[RemoteFile],
        cancel: CancelToken,
        pacing: Pacing,
        *,
        wait: retry.Wait,
        notice: retry.Notice,
    ) -> None:
        self._hub = hub
        self._files = files
        self._cancel = cancel
        self._pacing = pacing
        self._wait = wait
        self._notice = notice
        self._lock = threading.Lock()
        self._pieces = deque(self._cut(files))
        self._stop = CancelToken()  # the person's, or the first failure's
        self._failure: BaseException | None = None
        self._ended = threading.Event()

    def run(self, tick: Callable[[], None]) -> None:
        """Fetch and hash until everything is there; ``tick`` is called some times a second. Raises AppError,
        ContentChanged or Cancelled; what arrived is saved in any case."""
        forget = self._cancel.on_cancel(self._stop.cancel)
        client = self._hub.client()
        count = min(self._pacing.connections, len(self._pieces))
        workers = [threading.Thread(target=self._work, args=(client,), name="fetch", daemon=True) for _ in range(count)]
        try:
            for worker in workers:
                worker.start()
            while any(worker.is_alive() for worker in workers):
                busy = [remote.file.hash_more(_HASH_AT_ONCE) for remote in self._files]
                tick()
                if not any(busy):
                    self._ended.wait(_TICK_S)
                    self._ended.clear()
        finally:
            forget()
            self._stop.cancel()
            for worker in workers:
                worker.join(_END_S)
            client.close()
            self._save()
        if self._failure is not None:
            raise self._failure
        self._cancel.raise_if_cancelled()

    def _cut(self, files: Sequence[RemoteFile]) -> Iterator[tuple[RemoteFile, Range]]:
        """Small pieces: what a server has sent and nobody has read when the program dies is lost, and kernels buffer
        as much as was asked for."""
        least, most = self._pacing.piece
        step = max(least, min(most, sum(remote.file.content.size for remote in files) // _PIECES))
        for remote in files:
            for piece in remote.file.missing(step):
                yield remote, piece

    def _save(self) -> None:
        for remote in self._files:
            try:
                remote.file.save()
            except OSError as error:  # the failure that ended the run says it better
                log.warning("%s could not be saved: %s", remote.file.part, error)

    def _work(self, client: httpx2.Client) -> None:
        try:
            while not self._stop.cancelled:
                with self._lock:
                    if not self._pieces:
                        return
                    remote, piece = self._pieces.popleft()
                try:
                    self._fetch(client, remote, piece)
                except RangesIgnored:
                    self._take_whole(remote)
        except Cancelled:
            pass
        except BaseException as error:  # noqa: BLE001 - raised again by the thread that leads
            with self._lock:
                self._failure = self._failure or error
            self._stop.cancel()
        finally:
            self._ended.set()

    def _take_whole(self, remote: RemoteFile) -> None:
        """In one stream instead of in pieces. What came before is fetched again: it cannot be skipped."""
        with self._lock:
            if remote.whole:
                return
            remote.whole = True
            self._pieces = deque(entry for entry in self._pieces if entry[0] is not remote)
            self._pieces.append((remote, Range(0, remote.file.content.size)))
        log.info("%s: the server sends no parts of files", remote.file.part)

    def _fetch(self, client: httpx2.Client, remote: RemoteFile, piece: Range) -> None:
        """One piece, reconnecting where it was cut."""
        patience = Patience(self._pacing.attempts, self._wait, self._notice)
        at = furthest = piece.start
        while at < piece.end:
            self._stop.raise_if_cancelled()
            if remote.whole:
                if piece != (0, remote.file.content.size):
                    return  # another connection fetches it with the rest
                at = 0
            try:
                for end in self._stream(client, remote, Range(at, piece.end)):
                    at = end
                    if end > furthest:  # a stream that begins anew and is cut earlier makes none
                        furthest = end
                        patience.progress()
            except Passing as error:
                if self._stop.cancelled:
                    raise Cancelled from error  # we cut the line ourselves
                log.info("%s: %s", remote.file.part, error.info.detail)
                patience.failed(error, self._stop)

    def _stream(self, client: httpx2.Client, remote: RemoteFile, wanted: Range) -> Iterator[int]:
        """Write the ``wanted`` bytes as they come; yields the end of what is there."""
        location = remote.location(self._stop)
        headers = {**location.headers, "Range": f"bytes={wanted.start}-{wanted.end - 1}"}
        timeout = httpx2.Timeout(self._pacing.stall_s, connect=_CONNECT_S)
        at = wanted.start
        with (
            self._hub.one_sentence(remote.repository),
            client.stream("GET", location.url, headers=headers, timeout=timeout) as response,
            self._breakable(response),
        ):
            self._check_status(response, remote, location)
            remote.check(response, wanted)
            try:
                with remote.file.open_file(remote.file.part) as file:
                    file.seek(at)
                    for data in response.iter_raw():
                        self._stop.raise_if_cancelled()
                        data = data[: wanted.end - at]
                        written = 0
                        while written < len(data):  # unbuffered: a disk that is nearly full takes a part
                            written += file.write(data[written:]) or 0
                        remote.file.wrote(at, at + len(data))
                        at += len(data)
                        yield at
            except OSError as error:
                raise disk_error(error, remote.file.part) from error
            if at < wanted.end:
                raise Passing("line-dropped", "The connection was cut.", detail=f"{at} of {wanted}")

    def _check_status(self, response: httpx2.Response, remote: RemoteFile, location: Location) -> None:
        if response.status_code == 416:
            raise ContentChanged(location.url)
        if response.status_code in (401, 403, 404, 410):
            # A signed address that expired; whether the file itself is gone or forbidden, the Hub will tell.
            remote.expired(location)
            raise Passing(
                "address-expired",
                "{host} no longer gives out the file.",
                "Resume the download later.",
                detail=f"{response.status_code} {location.url}",
                host=response.request.url.host,
            )
        response.raise_for_status()

    @contextlib.contextmanager
    def _breakable(self, response: httpx2.Response) -> Iterator[None]:
        """While inside, a stop ends a read that waits for bytes."""
        stream = response.extensions.get("network_stream")
        connection = stream.get_extra_info("socket") if stream is not None else None

        def cut() -> None:
            if isinstance(connection, socket.socket):
                # Not the method of ssl sockets: that one drops the state which the reading thread uses.
                with contextlib.suppress(OSError):
                    socket.socket.shutdown(connection, socket.SHUT_RDWR)

        forget = self._stop.on_cancel(cut)
        try:
            yield
        finally:
            forget()
