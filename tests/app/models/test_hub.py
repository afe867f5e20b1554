"""The Hub client: what it finds, and every refusal as one sentence."""

import datetime as dt
import ssl

import pytest

from app.domain.cancel import CancelToken
from app.domain.errors import AppError, Cancelled
from app.domain.library import Licence, RepoFile, RepoSummary
from app.models.hub.hub import HubClient
from app.models.hub.repository import model_of
from app.net.gate import NetworkGate

REPO = "maker/Model-GGUF"


def test_search_names_what_a_person_wants_to_know(hub, hub_server, make):
    hub_server.add("maker/Kimi-GGUF", make.shards(1, 2000))
    hub_server.add("maker/Other-GGUF", make.shards(1, 2000), gated=True)
    assert hub.search("kimi") == [RepoSummary("maker/Kimi-GGUF", 1000, 0, False, "mit", "2025-11-08")]
    assert len(hub.search("gguf", limit=1)) == 1
    (path,) = {path.partition("?")[0] for path in hub_server.paths("/api")}
    assert path == "/api/models"
    assert all("filter=gguf" in path and "sort=downloads" in path for path in hub_server.paths("/api"))


def test_files_are_grouped_by_quantization_with_their_shards(hub, hub_server, make):
    files = {
        **make.shards(3, 3000, "UD-Q4_K_XL/Model-UD-Q4_K_XL"),
        **make.shards(1, 2000, "ignored"),
        "Model-Q8_0.gguf": make.gguf(20_000),
        "mmproj-F16.gguf": make.gguf(1000),
        "imatrix_unsloth.gguf": b"x",
        "README.md": b"hello",
    }
    del files["ignored-00001-of-00001.gguf"]
    hub_server.add(REPO, files)
    found = hub.repository(REPO)
    assert [(v.quantization, len(v.files), v.complete) for v in found.models] == [
        ("UD-Q4_K_XL", 3, True),
        ("Q8_0", 1, True),
    ]
    assert model_of(found, "ud-q4_k_xl").size == sum(len(d) for n, d in files.items() if "UD-" in n)
    assert all(len(file.sha256) == 64 for model in found.models for file in model.files)
    assert [file.path for file in found.projectors] == ["mmproj-F16.gguf"]
    assert (found.architecture, found.context) == ("deepseek2", 262144)
    assert found.revision == hub_server.repos[REPO].sha


def test_a_quantization_that_is_not_there_or_not_whole(hub, hub_server, make):
    files = make.shards(3, 2000)
    del files["Model-Q4_K_M-00002-of-00003.gguf"]
    hub_server.add(REPO, files)
    found = hub.repository(REPO)
    with pytest.raises(AppError, match=r"has no Q2_K\. Choose one of: Q4_K_M\."):
        model_of(found, "Q2_K")
    with pytest.raises(AppError, match=r"comes in 3 files, but .* has only 2"):
        model_of(found, "Q4_K_M")


@pytest.mark.parametrize(
    ("card", "licence"),
    [
        ({"license": "mit"}, Licence("mit", f"/{REPO}")),
        ({"license": ["apache-2.0"]}, Licence("apache-2.0", f"/{REPO}")),
        (
            {"license": "other", "license_name": "x", "license_link": "https://x.org/l"},
            Licence("x", "https://x.org/l", True),
        ),
        ({"license": "llama3.1"}, Licence("llama3.1", f"/{REPO}", True)),
        ({}, Licence("", f"/{REPO}")),
    ],
)
def test_licences(hub, hub_server, make, card, licence):
    hub_server.add(REPO, make.shards(1, 2000), card=card)
    found = hub.repository(REPO).licence
    assert found == Licence(licence.name, licence.link.replace(f"/{REPO}", hub.page(REPO)), licence.asks)


@pytest.mark.parametrize(
    ("status", "headers", "token", "code", "says"),
    [
        (401, {}, "", "hub-unauthorized", "There is no repository maker/Model-GGUF, or it is private."),
        (
            401,
            {"X_Error_Message": "Invalid credentials in Authorization header"},
            "hf_x",
            "hub-token",
            "does not accept",
        ),
        (401, {"X_Error_Code": "GatedRepo"}, "", "hub-gated", "accepted its licence. Accept it at http"),
        (403, {"X_Error_Code": "GatedRepo"}, "hf_x", "hub-gated", "Your access token may not read"),
        (403, {}, "", "hub-gated", "accepted its licence"),
        (404, {"X_Error_Code": "RepoNotFound"}, "", "hub-not-found", "renamed or deleted"),
        (404, {"X_Error_Code": "RevisionNotFound"}, "", "hub-revision-missing", "no longer on the Hub"),
        (429, {"Retry_After": "3"}, "", "hub-rate-limit", "asks for a pause of 3 seconds"),
        (429, {"ratelimit": '"api";r=0;t=55'}, "", "hub-rate-limit", "asks for a pause of 55 seconds"),
        (429, {"Retry_After": "Fri, 31 Dec 1999 23:59:59 GMT"}, "", "hub-rate-limit", "asks for a pause."),
        (500, {}, "", "hub-unavailable", "cannot answer at the moment (status 500)"),
        (503, {}, "", "hub-unavailable", "status 503"),
        (418, {}, "", "hub-refused", "status 418"),
    ],
)
@pytest.mark.parametrize("asked", ["repository", "search", "locate"])
def test_every_refusal_is_one_sentence(hub, hub_server, drawer, waits, make, status, headers, token, code, says, asked):
    drawer.values["hub-token"] = token
    hub_server.add(REPO, make.shards(1, 2000))
    hub_server.refuse(".", status, **headers)
    ask = {
        "repository": lambda: hub.repository(REPO),
        "search": lambda: hub.search(REPO),
        "locate": lambda: hub.locate(REPO, "main", "Model-Q4_K_M-00001-of-00001.gguf"),
    }[asked]
    with pytest.raises(AppError) as caught:
        ask()
    assert (caught.value.code, says in str(caught.value)) == (code, True), str(caught.value)
    assert "\n" not in str(caught.value)
    passing = status in (429, 500, 503)
    assert len(waits.seconds) == (3 if passing else 0)


def test_a_busy_hub_is_asked_again(hub, hub_server, waits, make):
    hub_server.add(REPO, make.shards(1, 2000))
    hub_server.refuse("api", 429, times=1, Retry_After="3")
    hub_server.refuse("api", 502, times=1)
    assert hub.repository(REPO).id == REPO
    assert waits.seconds[0] == 3.0
    assert 1.4 < waits.seconds[1] < 2.6  # the second failure in a row, give or take a quarter


def test_a_person_who_waits_may_stop(hub_server, wishes, drawer):
    stopped = CancelToken()

    def stop(_seconds, cancel):
        stopped.cancel()
        cancel.raise_if_cancelled()

    client = HubClient(NetworkGate(lambda: wishes), drawer, {"HF_ENDPOINT": hub_server.url}, wait=stop)
    hub_server.refuse("api", 500)
    with pytest.raises(Cancelled):
        client.repository(REPO, cancel=stopped)
    client.close()


@pytest.mark.parametrize("body", [b"<html>log in</html>", b"{}", b"[1, 2]", b"\xff"])
@pytest.mark.parametrize("asked", ["repository", "search"])
def test_an_answer_that_is_none(hub, hub_server, body, asked):
    hub_server.refuse("api", 200, body=body)
    if asked == "search" and body == b"{}":
        assert hub.search(REPO) == []
        return
    with pytest.raises(AppError) as caught:
        getattr(hub, asked)(REPO)
    assert caught.value.code == "hub-answer"


@pytest.mark.parametrize("name", ["", "a/b/c", "a b/c", "../x", "maker/.."])
def test_what_is_no_repository_name(hub, hub_server, name):
    with pytest.raises(AppError) as caught:
        hub.repository(name)
    assert caught.value.code in ("repository-name", "hub-not-found", "hub-answer")


def test_offline_is_one_sentence_and_no_request(hub, hub_server, wishes, waits):
    wishes.offline = True
    for ask in (lambda: hub.search("x"), lambda: hub.repository(REPO), lambda: hub.locate(REPO, "main", "x.gguf")):
        with pytest.raises(AppError, match="Alcove is offline") as caught:
            ask()
        assert caught.value.code == "offline"
    assert hub_server.requests == []
    assert waits.seconds == []


def test_nobody_there(hub_server, wishes, drawer, waits):
    client = HubClient(NetworkGate(lambda: wishes), drawer, {"HF_ENDPOINT": "http://127.0.0.1:9"}, wait=waits)
    with pytest.raises(AppError, match=r"127\.0\.0\.1 cannot be reached\. Check the network") as caught:
        client.repository(REPO)
    assert caught.value.code == "no-network"
    assert len(waits.seconds) == 3
    client.close()


def test_a_proxy_that_refuses(hub_server, wishes, drawer, waits, make):
    wishes.proxy = hub_server.url  # answers CONNECT with an error, as a proxy that wants a password does
    client = HubClient(NetworkGate(lambda: wishes), drawer, {"HF_ENDPOINT": "https://hub.invalid"}, wait=waits)
    with pytest.raises(AppError) as caught:
        client.repository(REPO)
    assert caught.value.code == "proxy"
    client.close()


def test_a_certificate_that_nobody_signed(hub_server, wishes, drawer, waits, tmp_path):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(self_signed(tmp_path))
    hub_server.server.socket = context.wrap_socket(hub_server.server.socket, server_side=True)
    address = hub_server.url.replace("http:", "https:")
    client = HubClient(NetworkGate(lambda: wishes), drawer, {"HF_ENDPOINT": address}, wait=waits)
    with pytest.raises(AppError, match="is not trusted by this computer") as caught:
        client.repository(REPO)
    assert caught.value.code == "certificate"
    assert waits.seconds == []
    client.close()


def self_signed(folder):
    x509 = pytest.importorskip("cryptography.x509")
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + dt.timedelta(days=1))
    certificate = made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    plain = serialization.NoEncryption()
    file = folder / "server.pem"
    file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain) + certificate
    )
    return file


def test_a_header_is_read_by_range(hub, hub_server, make):
    hub_server.add(REPO, {"big-Q8_0.gguf": make.gguf(6 << 20)})
    found = hub.repository(REPO)
    header = hub.header(REPO, found.revision, found.models[0].files[0])
    assert header.arch("expert_count") == 384
    assert hub_server.sent <= 1 << 20


def test_a_header_from_a_server_without_ranges(hub, hub_server, make):
    hub_server.add(REPO, {"big-Q8_0.gguf": make.gguf(6 << 20)})
    hub_server.ranges = False
    with pytest.raises(AppError) as caught:
        hub.header(REPO, "main", RepoFile("big-Q8_0.gguf", 6 << 20))
    assert caught.value.code == "no-ranges"


def test_only_what_was_asked_for_is_sent(hub, hub_server, make):
    """The library would look up a list of coding agents on the Hub and report who runs it."""
    hub_server.add(REPO, make.shards(1, 2000))
    found = hub.repository(REPO)
    hub.locate(REPO, found.revision, found.models[0].files[0].path)
    assert len(hub_server.requests) == 2
    assert all(headers["user-agent"].startswith("alcove/") for _, _, headers in map(_lower, hub_server.requests))


def _lower(request):
    method, path, headers = request
    return method, path, {name.lower(): value for name, value in headers.items()}
