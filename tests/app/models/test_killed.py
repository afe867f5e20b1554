"""A download whose line is cut ten times and whose program is killed twice, through the command line."""

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

REPO = "maker/Model-GGUF"
PROGRAM = """
import argparse, sys
from app.cli import models
from app.domain.errors import AppError
parser = argparse.ArgumentParser()
models.configure(parser)
try:
    sys.exit(models.run(parser.parse_args()))
except AppError as error:
    print(error, file=sys.stderr)
    sys.exit(1)
"""


@pytest.fixture
def command(hub_server, tmp_path):
    """Starts ``alcove models ...`` as a process of its own."""
    started = []
    environ = {
        **os.environ,
        "HF_ENDPOINT": hub_server.url,
        "ALCOVE_HOME": str(tmp_path / "home"),
        "HF_HOME": str(tmp_path),
    }

    def start(*words):
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environ,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def finish(process):
    output, errors = process.communicate(timeout=60)
    return process.returncode, [json.loads(line) for line in output.splitlines()], errors


def until_it_waits(process, hub_server, total, share):
    """Let the server send that share of all bytes, and the program write down what it got."""
    hub_server.hold_at = int(total * share)
    hub_server.holding.clear()
    hub_server.go.set()
    hub_server.go.clear()
    done, before = -1, -2
    for line in process.stdout:
        record = json.loads(line)
        done, before = record.get("done", -1), done
        if hub_server.holding.is_set() and done == before:
            return


def cut_and_kill(command, hub_server, files, cuts):
    total = sum(map(len, files.values()))
    hub_server.add(REPO, files)
    hub_server.cuts = list(cuts)
    hub_server.hold_at = int(total * 0.3)
    for share in (0.35, 0.7):
        process = command("download", REPO, "Q4_K_M", "--json")
        until_it_waits(process, hub_server, total, share)
        process.send_signal(signal.SIGKILL)
        assert process.wait(10) == -signal.SIGKILL
    hub_server.hold_at = None
    hub_server.go.set()
    code, records, errors = finish(command("download", REPO, "Q4_K_M", "--json"))
    assert (code, errors) == (0, "")
    folder = Path(records[-1]["path"]).parent
    assert records[-1]["event"] == "finished"
    assert {name: (folder / name).read_bytes() for name in files} == files
    assert hub_server.cuts == []
    return hub_server.sent / total


@pytest.mark.skipif(sys.platform == "win32", reason="has no SIGKILL")
def test_ten_cuts_and_two_kills(command, hub_server, make, record_property):
    ratio = cut_and_kill(command, hub_server, make.shards(3, 2 << 20), [20_000 + 9000 * n for n in range(10)])
    record_property("fetched", ratio)
    print(f"fetched {ratio:.4f} of the size")
    assert ratio <= 1.03
    code, records, _ = finish(command("list", "--json"))
    (model,) = (record for record in records if record["place"] == "library")
    assert code == 0
    assert model["complete"]
    assert (model["experts"], model["experts_used"], model["context"]) == (384, 8, 262144)
    code, records, _ = finish(command("verify", model["name"], "--json"))
    assert code == 0
    assert [record["checksum"] for record in records if "checksum" in record] == [True] * 3


@pytest.mark.nightly
@pytest.mark.skipif(sys.platform == "win32", reason="has no SIGKILL")
def test_kills_at_full_speed(command, hub_server, make):
    """Nobody waits for the program here: what is under way, in buffers too, is lost."""
    files = make.shards(3, 100 << 20)
    total = sum(map(len, files.values()))
    hub_server.add(REPO, files)
    for share in (0.35, 0.7):
        reached = threading.Event()
        hub_server.on_bytes = lambda sent, share=share, reached=reached: sent < total * share or reached.set()
        process = command("download", REPO, "--json")
        assert reached.wait(100)
        process.kill()
        process.wait(10)
    assert finish(command("download", REPO, "--json"))[0] == 0
    assert hub_server.sent <= total * 1.03


@pytest.mark.nightly
def test_ten_cuts_and_two_kills_of_300_mb(command, hub_server, make, record_property):
    ratio = cut_and_kill(command, hub_server, make.shards(3, 100 << 20), [50_000 + 30_000 * n for n in range(10)])
    record_property("fetched", ratio)
    print(f"fetched {ratio:.4f} of the size")
    assert ratio <= 1.03


def test_interrupting_the_command_keeps_what_came(command, hub_server, make):
    files = make.shards(1, 2 << 20)
    hub_server.add(REPO, files)
    process = command("download", REPO, "--json")
    hub_server.hold_at = 1 << 20
    until_it_waits(process, hub_server, sum(map(len, files.values())), 0.5)
    process.send_signal(signal.SIGINT)
    hub_server.hold_at = None
    code, records, errors = finish(process)
    assert (code, errors) == (130, "")
    assert records[-1]["event"] == "interrupted"
    hub_server.go.set()
    code, records, _ = finish(command("download", REPO, "--json"))
    assert (code, records[-1]["event"]) == (0, "finished")
    assert hub_server.sent <= sum(map(len, files.values())) * 1.05
