"""What can go wrong between us and the Hub, each as one sentence with what to do.

Statuses and headers: the Hub's API as ``huggingface_hub.utils.hf_raise_for_status`` reads it (``X-Error-Code``,
``X-Error-Message``), ``Retry-After`` (RFC 9110, 10.2.3) and the rate limit headers.
"""

import email.utils
import ssl
import time
from dataclasses import dataclass

import httpx2
from huggingface_hub.utils._http import parse_ratelimit_headers

from app.domain.errors import AppError
from app.models.hub.retry import Passing

REVISION_GONE = "hub-revision-missing"


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked for. ``page``: where a person sees the repository; ``has_token``: a token was sent along."""

    repository: str
    page: str
    has_token: bool


def of_status(response: httpx2.Response, asked: Asked) -> AppError:
    """The error for an answer with a status of 400 or more."""
    status = response.status_code
    code = response.headers.get("X-Error-Code", "")
    detail = f"{status} {response.headers.get('X-Error-Message', '')} {response.request.url}"
    if status == 429:
        return _rate_limited(response, detail)
    if status >= 500 or status == 408:
        return Passing(
            "hub-unavailable",
            "{host} cannot answer at the moment (status {status}).",
            "Try again later; what was fetched is kept.",
            detail=detail,
            retry_after=_retry_after(response),
            host=response.request.url.host,
            status=status,
        )
    if code == "GatedRepo" or status == 403:
        return _gated(asked, detail)
    if status == 401:
        return _unauthorized(asked, detail, invalid="Invalid credentials" in detail)
    if status in (404, 410):
        return _missing(asked, code, detail)
    return AppError(
        "hub-refused",
        "{host} refused the request for {repository} (status {status}).",
        "Check the repository on {page}.",
        detail=detail,
        host=response.request.url.host,
        repository=asked.repository,
        status=status,
        page=asked.page,
    )


def of_transport(error: httpx2.TransportError) -> AppError:
    """The error for a connection that could not be made or broke."""
    try:
        host = error.request.url.host
    except RuntimeError:  # raised before there was a request
        host = ""
    host = host or "the Hub"
    detail = repr(error)
    if isinstance(error, httpx2.ProxyError):
        return AppError(
            "proxy",
            "The proxy did not let us through to {host}.",
            "Check the proxy in the settings, or in HTTPS_PROXY.",
            detail=detail,
            host=host,
        )
    if _is_certificate(error):
        return AppError(
            "certificate",
            "The certificate of {host} is not trusted by this computer.",
            "If your company inspects traffic, add its certificate authority to the operating system's trust store.",
            detail=detail,
            host=host,
        )
    if isinstance(error, httpx2.ConnectError | httpx2.ConnectTimeout):
        return Passing(
            "no-network",
            "{host} cannot be reached.",
            "Check the network connection; what was fetched is kept.",
            detail=detail,
            host=host,
        )
    if isinstance(error, httpx2.TimeoutException):
        return Passing(
            "hub-silent",
            "{host} sends nothing any more.",
            "Check the network connection; what was fetched is kept.",
            detail=detail,
            host=host,
        )
    return Passing(
        "line-dropped",
        "The connection to {host} was cut.",
        "Resume the download: what was fetched is kept.",
        detail=detail,
        host=host,
    )


def bad_name(repository: str) -> AppError:
    return AppError(
        "repository-name",
        "{name} is not the name of a repository.",
        "Write it as OWNER/NAME.",
        name=repr(repository)[:120],
    )


def bad_answer(asked: Asked, detail: str) -> AppError:
    return AppError(
        "hub-answer",
        "The Hub's answer about {repository} cannot be understood.",
        "If HF_ENDPOINT names a mirror, check that it is one; otherwise try again later.",
        detail=detail,
        repository=asked.repository,
    )


def no_ranges(response: httpx2.Response) -> AppError:
    return AppError(
        "no-ranges",
        "{host} does not send parts of files, so downloads cannot be continued there.",
        "Use the Hub itself or another mirror (HF_ENDPOINT).",
        detail=f"{response.status_code} {response.headers.get('Content-Range', '')}",
        host=response.request.url.host,
    )


def _rate_limited(response: httpx2.Response, detail: str) -> Passing:
    seconds = _retry_after(response)
    if seconds is None:
        limit = parse_ratelimit_headers(response.headers)
        seconds = float(limit.reset_in_seconds) if limit is not None and limit.remaining == 0 else None
    return Passing(
        "hub-rate-limit",
        "{host} asks for a pause of {seconds} seconds." if seconds else "{host} asks for a pause.",
        "Try again after that; an access token raises the limit.",
        detail=detail,
        retry_after=seconds,
        host=response.request.url.host,
        seconds=f"{seconds or 0:.0f}",
    )


def _retry_after(response: httpx2.Response) -> float | None:
    text = response.headers.get("Retry-After", "").strip()
    if text.isdecimal():
        return float(text[:9])
    try:
        moment = email.utils.parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(0.0, moment.timestamp() - time.time())


def _gated(asked: Asked, detail: str) -> AppError:
    if asked.has_token:
        return AppError(
            "hub-gated",
            "Your access token may not read {repository}.",
            "Accept its licence at {page} with the account of the token, or use another token.",
            detail=detail,
            repository=asked.repository,
            page=asked.page,
        )
    return AppError(
        "hub-gated",
        "{repository} is given only to people who accepted its licence.",
        "Accept it at {page}, then store an access token of that account in the settings.",
        detail=detail,
        repository=asked.repository,
        page=asked.page,
    )


def _unauthorized(asked: Asked, detail: str, *, invalid: bool) -> AppError:
    if asked.has_token and invalid:
        return AppError(
            "hub-token",
            "The Hub does not accept your access token.",
            "Make a new one in your account there and store it in the settings.",
            detail=detail,
        )
    return AppError(
        "hub-unauthorized",
        "There is no repository {repository}, or it is private.",
        "Check the name; for a private one, store an access token in the settings.",
        detail=detail,
        repository=asked.repository,
    )


def _missing(asked: Asked, code: str, detail: str) -> AppError:
    if code == "RevisionNotFound":
        return AppError(
            REVISION_GONE,
            "This version of {repository} is no longer on the Hub.",
            "Look at its files again and choose one of them.",
            detail=detail,
            repository=asked.repository,
        )
    if code == "EntryNotFound":
        return AppError(
            "hub-file-missing",
            "The file is no longer in {repository}.",
            "Look at its files again and choose another one.",
            detail=detail,
            repository=asked.repository,
        )
    return AppError(
        "hub-not-found",
        "There is no repository {repository}; it may have been renamed or deleted.",
        "Check the name at {page}.",
        detail=detail,
        repository=asked.repository,
        page=asked.page,
    )


def _is_certificate(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError) or "CERTIFICATE_VERIFY_FAILED" in str(error):
            return True
        error = error.__cause__ or error.__context__
    return False
