"""Downloads against a Hub on loopback: the whole way, every cut, every refusal."""

import errno
import io
import json
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from app.domain.errors import AppError
from app.domain.events import DownloadFailed, DownloadFinished, DownloadProgress, DownloadState
from app.domain.library import Licence
from app.models.hub.repository import model_of
from app.models.library import records

REPO = "maker/Model-GGUF"
MB = 1 << 20


def start(bench, service, wanted="Q4_K_M", **options):
    repository = bench.hub.repository(REPO)
    return service.start(repository, model_of(repository, wanted), **options)


def begin(bench, hub_server, hold_at):
    """A download that waits for the Hub after so many bytes."""
    hub_server.hold_at = hold_at
    service = bench.service()
    download = start(bench, service)
    assert hub_server.holding.wait(10)
    return service, download


def go_on(hub_server):
    hub_server.hold_at = None
    hub_server.go.set()


def test_three_shards_arrive_whole_and_only_then(bench, hub_server, make):
    files = make.shards(3, 2 * MB)
    hub_server.add(REPO, files)
    service = bench.service()
    seen = []
    hub_server.on_bytes = lambda _sent: seen.append(bench.files())
    done = bench.events.end(start(bench, service))
    assert isinstance(done, DownloadFinished)
    folder = bench.library / "maker--Model-GGUF"
    assert Path(done.path) == folder / "Model-Q4_K_M-00001-of-00003.gguf"
    assert {name: (folder / name).read_bytes() for name in files} == files
    assert all(not names for names in seen)
    assert hub_server.sent == sum(map(len, files.values()))
    record = records.read(folder)
    assert record.repository == REPO
    assert set(record.files) == set(files)
    assert service.list() == []
    assert not list(bench.folder.rglob("*"))
    states = {event.state for event in bench.events.all if isinstance(event, DownloadProgress)}
    assert {DownloadState.QUEUED, DownloadState.PREPARING, DownloadState.DOWNLOADING} <= states


def test_the_token_goes_to_the_hub_and_nowhere_else(bench, hub_server, drawer, make):
    drawer.values["hub-token"] = "hf_secret"
    hub_server.add(REPO, make.shards(1, MB))
    bench.events.end(start(bench, bench.service()))
    for _, path, headers in hub_server.requests:
        sent = {name.lower(): value for name, value in headers.items()}
        assert ("authorization" in sent) == (not path.startswith("/cdn")), path
        assert sent["user-agent"].startswith("alcove/")
        assert "torch" not in sent["user-agent"]


def test_ten_cuts_fetch_nothing_twice(bench, hub_server, make):
    files = make.shards(3, 2 * MB)
    hub_server.add(REPO, files)
    hub_server.cuts = [40_000 + 7_000 * n for n in range(10)]
    done = bench.events.end(start(bench, bench.service()))
    assert isinstance(done, DownloadFinished)
    assert hub_server.cuts == []
    assert len(bench.waits.seconds) == 10
    assert hub_server.sent <= sum(map(len, files.values())) * 1.001


def test_a_line_that_goes_silent_is_made_anew(bench, hub_server, make):
    hub_server.add(REPO, make.shards(1, MB))
    hub_server.stalls = 2
    done = bench.events.end(start(bench, bench.service(pacing=replace(make.pacing, stall_s=0.2))))
    assert isinstance(done, DownloadFinished)
    notes = {e.note.code for e in bench.events.all if isinstance(e, DownloadProgress) and e.note}
    assert "hub-silent" in notes


def test_pause_keeps_what_came_and_a_later_service_goes_on(bench, hub_server, make):
    files = make.shards(2, 2 * MB)
    total = sum(map(len, files.values()))
    hub_server.add(REPO, files)
    service, download = begin(bench, hub_server, total // 2)
    bench.events.wait_for(lambda e: isinstance(e, DownloadProgress) and e.done >= hub_server.sent)
    service.pause(download)
    bench.events.wait_for(lambda e: isinstance(e, DownloadProgress) and e.state is DownloadState.PAUSED)
    (paused,) = service.list()
    assert paused.state is DownloadState.PAUSED
    assert total // 2 - 70_000 <= paused.done <= total // 2
    assert bench.files() == []
    service.close()
    go_on(hub_server)
    later = bench.service()
    assert later.resume_interrupted() == []  # the person paused it
    later.resume(download)
    assert isinstance(bench.events.end(download), DownloadFinished)
    assert hub_server.sent <= total * 1.03


def test_resuming_at_once_after_a_pause(bench, hub_server, make):
    hub_server.add(REPO, make.shards(1, 2 * MB))
    service, download = begin(bench, hub_server, MB)
    hub_server.hold_at = None
    service.pause(download)
    service.resume(download)
    hub_server.go.set()
    assert isinstance(bench.events.end(download), DownloadFinished)


def test_cancelling_leaves_nothing(bench, hub_server, make):
    hub_server.add(REPO, make.shards(1, 2 * MB))
    service, download = begin(bench, hub_server, MB)
    service.cancel(download)
    service.close()
    assert service.list() == []
    assert bench.files() == bench.partial() == []


def test_closing_is_an_interruption_that_is_resumed(bench, hub_server, make):
    hub_server.add(REPO, make.shards(1, 2 * MB))
    service, download = begin(bench, hub_server, MB)
    service.close()
    go_on(hub_server)
    assert bench.service().resume_interrupted() == [download]
    assert isinstance(bench.events.end(download), DownloadFinished)


def test_only_a_few_run_at_once_and_the_rest_follow(bench, hub_server, make):
    for n in range(4):
        hub_server.add(f"maker/M{n}", {f"m{n}-Q8_0.gguf": make.gguf(300_000, seed=n)})
    hub_server.hold_at = 0
    service = bench.service()
    ids = []
    for n in range(4):
        repository = bench.hub.repository(f"maker/M{n}")
        ids.append(service.start(repository, repository.models[0]))
    assert hub_server.holding.wait(10)
    assert [each.state for each in service.list()][2:] == [DownloadState.QUEUED] * 2
    go_on(hub_server)
    assert all(isinstance(bench.events.end(each), DownloadFinished) for each in ids)


@pytest.mark.parametrize(
    ("pattern", "status", "headers", "code"),
    [
        ("resolve", 401, {}, "hub-unauthorized"),
        ("resolve", 401, {"X_Error_Code": "GatedRepo"}, "hub-gated"),
        ("resolve", 403, {"X_Error_Code": "GatedRepo"}, "hub-gated"),
        ("resolve", 404, {"X_Error_Code": "RepoNotFound"}, "hub-not-found"),
        ("resolve", 404, {"X_Error_Code": "EntryNotFound"}, "hub-file-missing"),
        ("resolve", 429, {"Retry_After": "7"}, "hub-rate-limit"),
        ("resolve", 500, {}, "hub-unavailable"),
        ("resolve", 418, {}, "hub-refused"),
        ("cdn", 429, {"Retry_After": "7"}, "hub-rate-limit"),
        ("cdn", 500, {}, "hub-unavailable"),
        ("cdn", 403, {}, "address-expired"),
    ],
)
def test_a_refusal_is_one_sentence_and_resuming_works(bench, hub_server, make, pattern, status, headers, code):
    hub_server.add(REPO, make.shards(2, MB))
    hub_server.refuse(pattern, status, **headers)
    service = bench.service()
    download = start(bench, service)
    failed = bench.events.end(download)
    assert isinstance(failed, DownloadFailed)
    assert failed.error.code == code
    assert len(failed.error.message) < 120
    assert failed.error.hint
    assert bench.files() == []
    (listed,) = service.list()
    assert listed.state is DownloadState.FAILED
    assert listed.error == failed.error
    hub_server.refusals.clear()
    bench.events.clear()
    service.resume(download)
    assert isinstance(bench.events.end(download), DownloadFinished)


def test_a_pause_that_the_hub_asks_for_is_kept(bench, hub_server, make):
    hub_server.add(REPO, make.shards(1, MB))
    hub_server.refuse("cdn", 429, times=2, Retry_After="7")
    assert isinstance(bench.events.end(start(bench, bench.service())), DownloadFinished)
    assert bench.waits.seconds == [7.0, 7.0]
    said = [e for e in bench.events.all if isinstance(e, DownloadProgress) and e.state is DownloadState.WAITING]
    assert said[0].note.text().startswith("localhost asks for a pause of 7 seconds.")


def test_a_pause_of_hours_is_said_and_not_waited_for(bench, hub_server, make):
    hub_server.add(REPO, make.shards(1, MB))
    hub_server.refuse("cdn", 429, Retry_After="7200")
    failed = bench.events.end(start(bench, bench.service()))
    assert failed.error.code == "hub-rate-limit"
    assert bench.waits.seconds == []


def test_an_expired_address_is_asked_for_again(bench, hub_server, make):
    hub_server.add(REPO, make.shards(1, 2 * MB))
    expired = threading.Event()

    def expire(sent):
        if sent > MB and not expired.is_set():
            expired.set()
            hub_server.signature += 1

    hub_server.on_bytes = expire
    assert isinstance(bench.events.end(start(bench, bench.service())), DownloadFinished)
    assert len(hub_server.paths(f"/{REPO}/resolve")) >= 2


def test_one_wrong_byte(bench, hub_server, make):
    files = make.shards(3, MB)
    hub_server.add(REPO, files)
    name = "Model-Q4_K_M-00002-of-00003.gguf"
    hub_server.spoil(REPO, name, 700_000)
    service = bench.service()
    download = start(bench, service)
    failed = bench.events.end(download)
    assert failed.error.code == "checksum"
    assert name in failed.error.text()
    assert bench.files() == []
    hub_server.spoil(REPO, name, 700_000)  # right again
    bench.events.clear()
    before = hub_server.sent
    service.resume(download)
    assert isinstance(bench.events.end(download), DownloadFinished)
    assert hub_server.sent - before == len(files[name])  # only the damaged file


def test_no_model_at_all(bench, hub_server):
    hub_server.add(REPO, {"Model-Q4_K_M.gguf": b"<html>log in first</html>" * 100})
    failed = bench.events.end(start(bench, bench.service()))
    assert failed.error.code == "not-a-model"
    assert "Model-Q4_K_M.gguf" in failed.error.text()
    assert bench.files() == []


def test_a_file_that_changed_between_two_runs_starts_over(bench, hub_server, make):
    old = make.shards(2, 2 * MB)
    hub_server.add(REPO, old)
    service, download = begin(bench, hub_server, 3 * MB)
    service.pause(download)
    bench.events.wait_for(lambda e: isinstance(e, DownloadProgress) and e.state is DownloadState.PAUSED)
    first, second = old
    new = {first: old[first], second: make.gguf(2 * MB + 4096, seed=99, split=(1, 2))}
    hub_server.add(REPO, new)
    go_on(hub_server)
    before = hub_server.sent
    service.resume(download)
    assert isinstance(bench.events.end(download), DownloadFinished)
    folder = bench.library / "maker--Model-GGUF"
    assert {name: (folder / name).read_bytes() for name in new} == new
    assert hub_server.sent - before < len(new[second]) + len(new[first]) * 0.5 + 100_000  # the first went on
    assert any(isinstance(e, DownloadProgress) and e.note and e.note.code == "file-restarted" for e in bench.events.all)


def test_a_file_that_changes_while_it_is_fetched_starts_over(bench, hub_server, make):
    hub_server.add(REPO, {"Model-Q4_K_M.gguf": make.gguf(3 * MB)})
    new = {"Model-Q4_K_M.gguf": make.gguf(2 * MB, seed=5)}
    changed = threading.Event()

    def change(sent):
        if sent > MB and not changed.is_set():
            changed.set()
            hub_server.add(REPO, new)
            hub_server.signature += 1

    hub_server.on_bytes = change
    # Small pieces, so that some are still to be asked for when the file changes.
    service = bench.service(pacing=replace(make.pacing, piece=(256 << 10, 256 << 10)))
    assert isinstance(bench.events.end(start(bench, service)), DownloadFinished)
    assert (bench.library / "maker--Model-GGUF" / "Model-Q4_K_M.gguf").read_bytes() == new["Model-Q4_K_M.gguf"]


@pytest.mark.parametrize("cuts", [[], [1_500_000, 700_000]])
def test_a_mirror_that_sends_whole_files_only(bench, hub_server, make, cuts):
    files = make.shards(2, 2 * MB)
    hub_server.add(REPO, files)
    hub_server.ranges = False
    hub_server.cuts = cuts
    service = bench.service(pacing=replace(make.pacing, piece=(256 << 10, 256 << 10)))
    assert isinstance(bench.events.end(start(bench, service)), DownloadFinished)
    folder = bench.library / "maker--Model-GGUF"
    assert {path.name: path.read_bytes() for path in folder.rglob("*.gguf")} == files


class FullDisk(io.FileIO):
    left = 900_000

    def write(self, data):
        if FullDisk.left <= 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        taken = bytes(data)[: FullDisk.left]
        FullDisk.left -= len(taken)
        return super().write(taken)


def test_a_disk_that_fills_up(bench, hub_server, make):
    files = make.shards(2, MB)
    hub_server.add(REPO, files)
    service = bench.service(open_file=lambda path: FullDisk(path, "r+"))
    download = start(bench, service)
    failed = bench.events.end(download)
    assert failed.error.code == "disk-full"
    assert bench.files() == []
    service.close()
    assert isinstance(failed, DownloadFailed)
    FullDisk.left = 10 * MB
    bench.events.clear()
    later = bench.service()
    later.resume(download)
    assert isinstance(bench.events.end(download), DownloadFinished)
    folder = bench.library / "maker--Model-GGUF"
    assert {name: (folder / name).read_bytes() for name in files} == files


def test_too_little_room_is_said_before_the_first_byte(bench, hub_server, make):
    hub_server.add(REPO, make.shards(3, MB))
    with pytest.raises(AppError, match="needs 540 MB on the disk") as caught:
        start(bench, bench.service(free=lambda _folder: 100 << 20))
    assert caught.value.code == "disk-too-small"
    assert hub_server.paths(f"/{REPO}/resolve") == []
    assert bench.service().list() == []


@pytest.mark.parametrize(
    "name",
    [
        "../evil-Q4_K_M.gguf",
        "/etc/evil-Q4_K_M.gguf",
        "a/../../evil-Q4_K_M.gguf",
        "C:\\evil-Q4_K_M.gguf",
        "a\x1bQ4_K_M.gguf",
    ],
)
def test_names_that_lead_out_of_the_folder(bench, hub_server, make, name):
    hub_server.add(REPO, {name: make.gguf(300_000)})
    service = bench.service()
    repository = bench.hub.repository(REPO)
    with pytest.raises(AppError) as caught:
        service.start(repository, repository.models[0])
    assert caught.value.code == "unsafe-name"
    assert service.list() == []
    assert bench.files() == []
    assert not bench.folder.exists()


def test_a_licence_that_asks_is_read_first(bench, hub_server, make):
    card = {"license": "other", "license_name": "modified-mit", "license_link": "LICENSE"}
    hub_server.add(REPO, make.shards(1, 300_000), card=card)
    service = bench.service()
    assert bench.hub.repository(REPO).licence == Licence(
        "modified-mit", f"{hub_server.url}/{REPO}/blob/main/LICENSE", asks=True
    )
    with pytest.raises(AppError, match=r"modified-mit.*LICENSE") as caught:
        start(bench, service)
    assert caught.value.code == "licence-not-accepted"
    assert isinstance(bench.events.end(start(bench, service, accepted=True)), DownloadFinished)


def test_offline_opens_no_socket(bench, hub_server, wishes, make):
    hub_server.add(REPO, make.shards(1, MB))
    repository = bench.hub.repository(REPO)
    asked = len(hub_server.requests)
    wishes.offline = True
    failed = bench.events.end(bench.service().start(repository, repository.models[0]))
    assert failed.error.code == "offline"
    assert len(hub_server.requests) == asked


def test_going_offline_in_the_middle(bench, hub_server, wishes, make):
    hub_server.add(REPO, make.shards(1, 4 * MB))
    hub_server.on_bytes = lambda sent: setattr(wishes, "offline", sent > MB)
    failed = bench.events.end(start(bench, bench.service()))
    assert failed.error.code == "offline"


def test_the_same_model_twice_is_one_download(bench, hub_server, make):
    hub_server.add(REPO, make.shards(1, MB))
    hub_server.hold_at = 100_000
    service = bench.service()
    first = start(bench, service)
    assert start(bench, service) == first
    go_on(hub_server)
    assert isinstance(bench.events.end(first), DownloadFinished)
    with pytest.raises(AppError) as caught:
        start(bench, service)
    assert caught.value.code == "already-there"


def test_two_programs_do_not_write_into_one_download(bench, hub_server, make):
    hub_server.add(REPO, make.shards(1, MB))
    hub_server.hold_at = 100_000
    download = start(bench, bench.service())
    assert hub_server.holding.wait(10)
    other = bench.service()
    other.resume(download)
    failed = bench.events.wait_for(lambda e: isinstance(e, DownloadFailed))
    assert failed.error.code == "download-elsewhere"
    go_on(hub_server)
    bench.events.wait_for(lambda e: isinstance(e, DownloadFinished))


def test_a_projector_comes_along(bench, hub_server, make):
    files = {**make.shards(1, 300_000), "mmproj-F16.gguf": make.gguf(200_000)}
    hub_server.add(REPO, files)
    service = bench.service()
    repository = bench.hub.repository(REPO)
    (model,) = repository.models
    bench.events.end(service.start(repository, model))
    assert len(bench.files()) == 2


@pytest.mark.expect_log("junk/job.json cannot be read")
def test_damaged_jobs_and_sidecars_do_no_harm(bench, hub_server, make):
    hub_server.add(REPO, make.shards(1, 2 * MB))
    service, download = begin(bench, hub_server, MB)
    service.close()
    (bench.folder / "junk").mkdir()
    (bench.folder / "junk" / "job.json").write_text("{")
    sidecar = bench.folder / download / "00001.json"
    stored = json.loads(sidecar.read_text())
    sidecar.write_text(json.dumps({**stored, "ranges": [[0, 1 << 40]]}))
    go_on(hub_server)
    later = bench.service()
    later.resume(download)
    assert isinstance(bench.events.end(download), DownloadFinished)


def test_half_a_model_is_not_begun(bench, hub_server, make):
    files = make.shards(2, 300_000)
    del files["Model-Q4_K_M-00002-of-00002.gguf"]
    hub_server.add(REPO, files)
    repository = bench.hub.repository(REPO)
    with pytest.raises(AppError, match="has only 1 of them"):
        bench.service().start(repository, repository.models[0])


def test_cancelling_what_has_ended_is_no_matter(bench):
    service = bench.service()
    service.cancel("gone")
    with pytest.raises(AppError, match="not in the list any more"):
        service.pause("gone")
