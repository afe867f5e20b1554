"""What the child process imports, and that it never outlives the program."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from app.domain.models import LoadRequest
from app.process.child import HUGE_PAGES, TUNABLES

ROOT = Path(__file__).resolve().parents[4]
PROGRAM = """
import sys
from app.domain.models import LoadRequest
from app.engine.local.worker import EngineWorker

if __name__ == "__main__":
    engine = EngineWorker(lambda event: None)
    engine.load(LoadRequest(sys.argv[1], threads=1))
    print(engine.child_pid, flush=True)
    sys.stdin.read()
"""


@pytest.mark.parametrize(
    ("entry", "rooms"),
    [
        ("app.engine.llama.child", {"domain", "engine", "process"}),
        ("app.engine.local.worker", {"domain", "engine", "gguf", "process", "storage"}),
    ],
)
def test_its_entry_point_is_cheap(entry, rooms):
    """That of the child, which every load imports, and that of the thread which starts it."""
    code = f"import sys, {entry}; print(*sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    modules = set(result.stdout.split())
    ours = {name.split(".")[1] for name in modules if name.startswith("app.")}
    assert ours == rooms
    assert not modules & {"llama_cpp", "numpy", "psutil", "msgspec", "ui", "PySide6", "app.engine.llama.bindings"}


@pytest.mark.model
@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_no_library_is_loaded_twice():
    """A second copy of ggml has devices of its own, which llama.cpp knows nothing of."""
    code = "from app.engine.llama import bindings; bindings.start(); print(open('/proc/self/maps').read())"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    names = {Path(line.split()[-1]).name for line in result.stdout.splitlines() if "/libggml" in line}
    stems = [name.partition(".")[0] for name in names]
    assert "libggml-base" in stems
    assert len(stems) == len(set(stems))


@pytest.mark.model
@pytest.mark.skipif(sys.platform != "linux", reason="glibc's")
@pytest.mark.parametrize("given", ["", "glibc.malloc.check=0"])
def test_only_the_child_asks_for_huge_pages(make_engine, tiny_path, monkeypatch, given):
    monkeypatch.setenv(TUNABLES, given)
    engine = make_engine().engine
    engine.load(LoadRequest(tiny_path))
    environment = Path(f"/proc/{engine.child_pid}/environ").read_bytes()
    assert f"{TUNABLES}={given}".encode() in environment
    assert HUGE_PAGES.encode() in environment  # glibc ends the string before it
    assert os.environ[TUNABLES] == given


@pytest.mark.model
def test_it_ends_with_the_program(tiny_path, tmp_path):
    script = tmp_path / "program.py"
    script.write_text(PROGRAM, "utf-8")
    program = subprocess.Popen(
        [sys.executable, str(script), tiny_path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    with program:
        assert program.stdout is not None
        child = psutil.Process(int(program.stdout.readline()))
        program.send_signal(signal.SIGINT if sys.platform == "win32" else signal.SIGKILL)
        program.wait(10)
        _gone, alive = psutil.wait_procs([child], timeout=10)
    assert not alive


@pytest.mark.model
def test_the_high_level_classes_are_never_loaded(make_engine, tiny_path, children):
    """numpy and jinja2 would make every load half a second longer. numpy is imported when nobody waits for it."""
    recorded = make_engine(target=children.tells_modules)
    modules = set(recorded.engine.load(LoadRequest(tiny_path)).template.split())
    assert "llama_cpp.llama_cpp" in modules
    assert not modules & {"numpy", "jinja2", "llama_cpp.llama", "ui", "app.services"}
