"""The frozen program in dist/: which native code it loads, on which processors it runs, what it hands to others.

Nightly, and only where `dev.py freeze` has been run: `python3 packaging/dev.py test -m nightly tests/packaging`.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).resolve().parents[2] / "dist" / "alcove" / "alcove"
HERE = Path(__file__).parent
ASK = ("ask", "-v", "what is 17*23?", "--model", "alcove-tiny", "--temperature", "0", "--max-tokens", "200")

pytestmark = [
    pytest.mark.nightly,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks at Linux's linker"),
    pytest.mark.skipif(not PROGRAM.exists(), reason="dev.py freeze has not been run"),
    pytest.mark.skipif(shutil.which("cc") is None, reason="needs a C compiler"),
]


def library(source: str, target: Path) -> Path:
    subprocess.run(["cc", "-shared", "-fPIC", "-o", str(target), str(HERE / source), "-ldl"], check=True)
    return target


def alcove(*words: str, cwd: Path, timeout: float = 100, **variables: str) -> subprocess.CompletedProcess[str]:
    env = {"HOME": str(cwd), "PATH": os.environ["PATH"], "ALCOVE_HOME": str(cwd / "home"), **variables}
    return subprocess.run(words, cwd=cwd, env=env, capture_output=True, text=True, timeout=timeout, check=False)


def variant(log: str) -> str:
    """haswell, from the line of the log that names the library."""
    found = re.search(r"loaded .* with (\S+)/libggml-cpu-(\w+)\.so", log)
    assert found, log
    assert found[1] == str(PROGRAM.parent / "_internal" / "llama_cpp" / "lib")
    return found[2]


def test_libraries_come_from_its_own_folder_alone(tmp_path: Path) -> None:
    """Not from the current directory, and not from where llama.cpp's own variables point."""
    mark = tmp_path / "mark"
    stranger = library("stranger.c", tmp_path / "libggml-cpu-stranger.so")
    for name in ("libggml-cuda.so", "libggml-base.so.0", "libggml.so.0", "libllama.so", "libgomp.so.1", "libz.so.1"):
        shutil.copy(stranger, tmp_path / name)
    variables = {
        "STRANGER_WAS_HERE": str(mark),
        "GGML_BACKEND_PATH": str(stranger),
        "LLAMA_CPP_LIB_PATH": str(tmp_path),
    }
    done = alcove(str(PROGRAM), *ASK, cwd=tmp_path, **variables)
    assert done.returncode == 0, done.stderr
    assert "391" in done.stdout
    assert variant(done.stderr) != "stranger"
    assert not mark.exists()


def test_the_linker_never_looks_in_the_current_directory_or_where_it_was_built(tmp_path: Path) -> None:
    done = alcove(str(PROGRAM), *ASK, cwd=tmp_path, LD_DEBUG="files,libs", LD_DEBUG_OUTPUT=str(tmp_path / "linker"))
    assert done.returncode == 0, done.stderr
    logs = sorted(tmp_path.glob("linker.*"))
    assert len(logs) > 1  # the program and its engine's process
    tried = {path for log in logs for path in re.findall(r"trying file=(\S+)", log.read_text(errors="replace"))}
    folders = {str(Path(path).parent) for path in tried}
    own = str(PROGRAM.parent)
    system = ("/lib/", "/usr/lib/", "/lib64/", "/usr/lib64/")
    foreign = {folder for folder in folders if not folder.startswith(own) and not f"{folder}/".startswith(system)}
    assert not foreign
    loaded = {path for log in logs for path in re.findall(r"calling init: (\S+)", log.read_text(errors="replace"))}
    assert any("libggml-cpu-" in path for path in loaded)
    assert all(path.startswith((own, *system)) for path in loaded)


@pytest.mark.timeout(900)
@pytest.mark.skipif(shutil.which("qemu-x86_64") is None, reason="needs qemu-user")
@pytest.mark.parametrize("processor", ["Haswell", "SandyBridge"])
def test_an_older_processor_gets_the_variant_made_for_it(tmp_path: Path, processor: str) -> None:
    emulator = shutil.which("qemu-x86_64")
    assert emulator
    follow = library("follow.c", tmp_path / "follow.so")
    variables = {"EMULATOR": emulator, "QEMU_CPU": processor, "LD_PRELOAD": str(follow), "GOMP_SPINCOUNT": "0"}
    done = alcove(emulator, str(PROGRAM), *ASK, cwd=tmp_path, timeout=800, **variables)
    assert done.returncode == 0, done.stderr
    assert "391" in done.stdout
    assert variant(done.stderr) == processor.lower()


def test_passages_are_found_by_their_meaning(tmp_path: Path) -> None:
    embedder = next((Path(sys.prefix) / "share" / "alcove" / "models" / "embedding").glob("*.gguf"), None)
    if embedder is None:
        pytest.skip("the embedding model was not fetched")
    folder = tmp_path / "home" / "models" / "embedding"
    folder.mkdir(parents=True)
    shutil.copy(embedder, folder)
    papers = tmp_path / "papers"
    papers.mkdir()
    (papers / "cats.txt").write_text("The old feline dozed on the sofa.", encoding="utf-8")
    (papers / "banks.txt").write_text("Interest rates rose by two percent.", encoding="utf-8")
    done = alcove(str(PROGRAM), "search", "Where did my kitten sleep?", "--docs", str(papers), "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "cats.txt" in done.stdout.splitlines()[0]


def test_what_it_starts_gets_the_persons_own_environment(tmp_path: Path) -> None:
    """`doctor` asks `uname` for the processor: an ordinary program, started by an ordinary call."""
    spy = tmp_path / "bin" / "uname"
    spy.parent.mkdir()
    spy.write_text(f'#!/bin/sh\nenv > "{tmp_path}/seen"\nexec /bin/uname "$@"\n', encoding="utf-8")
    spy.chmod(0o755)
    mine = {"LD_LIBRARY_PATH": "/opt/of-the-person", "PATH": f"{spy.parent}:{os.environ['PATH']}"}
    done = alcove(str(PROGRAM), "doctor", "--selftest", cwd=tmp_path, **mine)
    assert done.returncode == 0, done.stdout + done.stderr
    seen = dict(line.split("=", 1) for line in (tmp_path / "seen").read_text().splitlines() if "=" in line)
    assert seen["LD_LIBRARY_PATH"] == "/opt/of-the-person"
    assert "QT_PLUGIN_PATH" not in seen
