"""Looking things up on the Hub: search, a repository's files, where a file's bytes are.

Only facts from the Hub's API, through ``huggingface_hub``; no page is parsed. Any thread but the UI's: every call may
wait for the network, and for as long as the Hub asks to (see ``retry``). Importing this module takes a second, so it is
imported when somebody first looks something up.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Protocol
from urllib.parse import urlsplit

import httpx2
from huggingface_hub import (
    HfApi,
    ModelInfo,
    close_session,
    constants,
    get_hf_file_metadata,
    get_session,
    hf_hub_url,
    set_client_factory,
)
from huggingface_hub.errors import HFValidationError
from huggingface_hub.utils._http import hf_raise_for_status

from app.domain.cancel import CancelToken
from app.domain.library import Licence, RepoFile, Repository, RepoSummary
from app.gguf.reader import Header, read_header
from app.models.hub import errors as hub_errors
from app.models.hub import retry
from app.models.hub.errors import Asked
from app.models.hub.files import group
from app.models.hub.repository import Location, stated_licence
from app.models.hub.retry import Patience, with_patience
from app.net.gate import USER_AGENT, NetworkGate, Reason

TOKEN = "hub-token"  # noqa: S105 - the secret's name, not the secret
_TIMEOUT_S = 30.0
_ATTEMPTS = 4
# The library would fetch a list of coding agents from the Hub and tell it which one runs us. Nobody asked for that.
constants.HF_HUB_DISABLE_TELEMETRY = True
_AGENT = {"user-agent": USER_AGENT}  # in place of the library's, which lists what is installed


class SecretReader(Protocol):
    def get(self, name: str) -> str | None: ...


class HubClient:
    """``environ`` may name a mirror (``HF_ENDPOINT``) and a token (``HF_TOKEN``); the keyring's token comes first.

    One in a process: ``huggingface_hub`` keeps one HTTP client, and this puts the gate's in its place.
    """

    def __init__(
        self,
        gate: NetworkGate,
        secrets: SecretReader,
        environ: Mapping[str, str] = os.environ,
        *,
        wait: retry.Wait = retry.wait,
    ) -> None:
        self._gate = gate
        self._secrets = secrets
        self._environ = environ
        self._wait = wait
        self.endpoint = (environ.get("HF_ENDPOINT") or constants.ENDPOINT).rstrip("/")
        set_client_factory(lambda: gate.http_client(Reason.MODEL_SEARCH))
        self._api = HfApi(endpoint=self.endpoint, headers=_AGENT)

    def close(self) -> None:
        """Close the connections that the library keeps. Idempotent."""
        close_session()

    def search(self, query: str, *, limit: int = 20, cancel: CancelToken | None = None) -> list[RepoSummary]:
        """Repositories with GGUF files, the most downloaded first."""
        params = {"search": query, "filter": "gguf", "sort": "downloads", "limit": str(limit)}
        token = self._token()
        headers = {**_AGENT, **({"Authorization": f"Bearer {token}"} if token else {})}

        # Not api.list_models: that repeats failed requests by itself, sleeping where nobody can stop it.
        def ask() -> list[ModelInfo]:
            url = f"{self.endpoint}/api/models"
            response = get_session().get(url, params=params, headers=headers, timeout=_TIMEOUT_S)
            hf_raise_for_status(response)
            return [ModelInfo(**item) for item in response.json()]  # type: ignore[no-untyped-call] # the library's

        return [_summary(info) for info in self._ask(ask, query, cancel)]

    def repository(self, repo_id: str, revision: str | None = None, *, cancel: CancelToken | None = None) -> Repository:
        """A repository's models, grouped, with sizes and checksums, at ``revision`` (default: its newest)."""

        def ask() -> ModelInfo:
            token = self._token() or False
            return self._api.model_info(
                repo_id, revision=revision, files_metadata=True, timeout=_TIMEOUT_S, token=token
            )

        info = self._ask(ask, repo_id, cancel)
        files = [
            RepoFile(item.rfilename, item.size or 0, item.lfs.sha256 if item.lfs else "")
            for item in info.siblings or ()
        ]
        models, projectors = group(files)
        gguf = info.gguf or {}
        return Repository(
            id=info.id,
            revision=info.sha or revision or "main",
            licence=self._licence(info),
            gated=bool(info.gated),
            models=models,
            projectors=projectors,
            page=self.page(info.id),
            architecture=str(gguf.get("architecture") or ""),
            context=int(gguf.get("context_length") or 0),
        )

    def locate(
        self,
        repo_id: str,
        revision: str,
        path: str,
        *,
        cancel: CancelToken | None = None,
        attempts: int = _ATTEMPTS,
        notice: retry.Notice | None = None,
    ) -> Location:
        """Where a file's bytes are. ``notice`` is told of every failure that is waited out."""
        url = hf_hub_url(repo_id, path, revision=revision, endpoint=self.endpoint)
        token = self._token()

        def ask() -> Location:
            found = get_hf_file_metadata(url, token=token or False, timeout=_TIMEOUT_S, headers=_AGENT)
            if found.size is None or not found.etag:
                raise hub_errors.bad_answer(self._asked(repo_id), f"no size or ETag for {url}")
            headers = {"Accept-Encoding": "identity"}
            if token and urlsplit(found.location)[:2] == urlsplit(self.endpoint)[:2]:
                headers["Authorization"] = f"Bearer {token}"  # never to another host than the Hub itself
            return Location(found.location, found.etag, found.size, headers)

        return self._ask(ask, repo_id, cancel, attempts, notice)

    def header(self, repo_id: str, revision: str, file: RepoFile, *, cancel: CancelToken | None = None) -> Header:
        """The GGUF header of a file, by range: some megabytes of however many gigabytes."""
        location = self.locate(repo_id, revision, file.path, cancel=cancel)
        with self.client() as client:

            def read(offset: int, length: int) -> bytes:
                wanted = {**location.headers, "Range": f"bytes={offset}-{offset + length - 1}"}

                def fetch() -> bytes:
                    with client.stream("GET", location.url, headers=wanted) as response:
                        response.raise_for_status()
                        # A server that ignores ranges would send the whole model.
                        if response.status_code != 206:
                            raise hub_errors.no_ranges(response)
                        return response.read()[:length]

                return self._ask(fetch, repo_id, cancel)

            return read_header(read, size=location.size, name=file.path.rpartition("/")[2])

    def client(self) -> httpx2.Client:
        """For the bytes themselves; the caller closes it."""
        return self._gate.http_client(Reason.MODEL_DOWNLOAD)

    def page(self, repo_id: str) -> str:
        """Where a person sees the repository."""
        return f"{self.endpoint}/{repo_id}"

    @contextmanager
    def one_sentence(self, repo_id: str) -> Iterator[None]:
        """Turns what HTTP and the library raise inside into AppErrors about ``repo_id``."""
        try:
            yield
        except httpx2.TransportError as error:
            raise hub_errors.of_transport(error) from error
        except httpx2.HTTPError as error:
            # Errors about a status hold the response; too many redirects and broken encodings have none.
            response: httpx2.Response | None = getattr(error, "response", None)
            if response is None:
                raise hub_errors.bad_answer(self._asked(repo_id), repr(error)) from error
            raise hub_errors.of_status(response, self._asked(repo_id)) from error
        except HFValidationError as error:
            raise hub_errors.bad_name(repo_id) from error

    def _ask(
        self,
        question: Callable[[], retry.Result],
        repo_id: str,
        cancel: CancelToken | None,
        attempts: int = _ATTEMPTS,
        notice: retry.Notice | None = None,
    ) -> retry.Result:
        def once() -> retry.Result:
            self._gate.check(self.endpoint, Reason.MODEL_SEARCH)
            try:
                with self.one_sentence(repo_id):
                    return question()
            except (ValueError, KeyError, TypeError) as error:  # no JSON, or not what the Hub sends
                raise hub_errors.bad_answer(self._asked(repo_id), repr(error)) from error

        return with_patience(once, Patience(attempts, self._wait, notice), cancel or CancelToken())

    def _token(self) -> str | None:
        return self._secrets.get(TOKEN) or self._environ.get("HF_TOKEN") or None

    def _licence(self, info: ModelInfo) -> Licence:
        stated, name, link = (getattr(info.card_data, key, None) for key in ("license", "license_name", "license_link"))
        if isinstance(stated, list):
            stated = stated[0] if stated else None
        shown = str(name if stated in (None, "other") and name else stated or "")
        page = str(link or "")
        if page and "://" not in page:
            page = f"{self.page(info.id)}/blob/main/{page.lstrip('/')}"
        return stated_licence(shown, page or self.page(info.id))

    def _asked(self, repo_id: str) -> Asked:
        return Asked(repo_id, self.page(repo_id), self._token() is not None)


def _summary(info: ModelInfo) -> RepoSummary:
    licence = next((tag[8:] for tag in info.tags or () if tag.startswith("license:")), "")
    updated = info.last_modified or info.created_at
    return RepoSummary(
        info.id,
        info.downloads or 0,
        info.likes or 0,
        bool(info.gated),
        licence,
        updated.date().isoformat() if updated else "",
    )
