"""The environment in `.venv`: uv, the packages of the lock file, Alcove itself as an editable install."""

import hashlib
import importlib.util
import json
import os
import re
import shutil
import sys
import tomllib
from pathlib import Path

import system
from compiler import MARK, compiler_environment
from console import ROOT, Stop, answers, quiet, say, show, step

CACHE = ROOT / ".cache"
VENV = ROOT / ".venv"
LOCK = ROOT / "requirements.lock"
BOOTSTRAP_LOCK = ROOT / "packaging" / "bootstrap.lock"
FREEZE_LOCK = ROOT / "packaging" / "freeze.lock"
STAMP = VENV / "alcove-setup.json"
OLDEST_UV = (0, 9)
WINDOWS = sys.platform == "win32"


def program(name: str) -> Path:
    """A program of the environment, whether it exists yet or not."""
    return VENV / ("Scripts" if WINDOWS else "bin") / (f"{name}.exe" if WINDOWS else name)


def fingerprint() -> str:
    """What the environment was made from: it is made again only when this changes."""
    digest = hashlib.sha256()
    for path in (LOCK, ROOT / "pyproject.toml", Path(__file__)):
        digest.update(path.read_bytes() + b"\0")
    return digest.hexdigest()


def build() -> str:
    """How llama.cpp is built: a wheel of the same version that was built in another way has to go."""
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return json.dumps([MARK, pyproject["tool"]["uv"]["extra-build-variables"]])


def _stamp() -> dict[str, str]:
    try:
        found = json.loads(STAMP.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def is_ready() -> bool:
    stamp = _stamp()
    return bool(stamp.get("made_from") == fingerprint()) and program("python").exists() and program("alcove").exists()


def make() -> None:
    """Makes or mends the environment. Only the first time compiles llama.cpp: uv keeps what it built."""
    if is_ready():
        return
    uv = find_uv()
    built = _stamp().get("llama") == build()
    if built:
        STAMP.write_text(json.dumps({"llama": build()}), encoding="utf-8")  # true whatever fails from here on
    else:
        STAMP.unlink(missing_ok=True)
    if answers([program("python"), "-c", "import sys; sys.exit(sys.version_info < (3, 11))"]) is None:
        with step(f"Making .venv with Python {sys.version.split()[0]}"):
            new: list[str | Path] = [uv, "venv", "--quiet", "--allow-existing", "--python", sys.executable, VENV]
            quiet(new, "uv could not make .venv.")
    with step("Installing packages (the first time compiles llama.cpp: 4 to 8 minutes on two cores)"):
        if not built:  # uv sees the same version and would keep it
            gone = (uv, "pip", "uninstall", "--quiet", "--python", VENV, "llama-cpp-python")
            quiet(gone, "uv could not take the old llama.cpp away.")
        install = (uv, "pip", "sync", "--python", VENV, "--require-hashes", LOCK)
        if show(install, env=compiler_environment()) != 0:
            raise Stop("uv could not install the packages. Mend the cause it names above and run the command again.")
        # Alcove itself is built with the setuptools of the lock file, so nothing is fetched outside it.
        alone = ("--quiet", "--no-deps", "--no-build-isolation")
        quiet(
            [uv, "pip", "install", "--python", VENV, *alone, "--editable", "."], "uv could not install Alcove itself."
        )
    STAMP.write_text(json.dumps({"made_from": fingerprint(), "llama": build()}), encoding="utf-8")


def find_uv() -> str:
    """uv from PATH where it is recent enough, else our own copy in `.cache/uv`, fetched once."""
    on_path = shutil.which("uv")
    own = CACHE / "uv" / "bin" / ("uv.exe" if WINDOWS else "uv")
    for candidate in (on_path, str(own)):
        if candidate and _uv_version(candidate) >= OLDEST_UV:
            return candidate
    with step("Fetching uv"):
        shutil.rmtree(CACHE / "uv", ignore_errors=True)
        options = ("--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary=:all:", "--require-hashes")
        target: tuple[str | Path, ...] = ("--target", CACHE / "uv", "--requirement", BOOTSTRAP_LOCK)
        failure = "pip could not fetch uv. Install uv yourself, so that `uv --version` works, and try again."
        pip = _find_pip()
        quiet([*pip, "install", *options, *target], failure)
    return str(own)


def _uv_version(uv: str) -> tuple[int, ...]:
    """(major, minor), or () where the program does not run."""
    found = re.match(r"uv (\d+)\.(\d+)", answers([uv, "--version"]) or "")
    return tuple(int(number) for number in found.groups()) if found else ()


def _find_pip() -> list[str | Path]:
    """A pip to fetch uv with: this Python's own, else one in a throw-away environment, else Debian's."""
    own: list[str | Path] = [sys.executable, "-m", "pip"]
    if importlib.util.find_spec("pip"):
        return own
    helper = CACHE / "bootstrap"
    helper_python = helper / ("Scripts/python.exe" if WINDOWS else "bin/python")
    if answers([sys.executable, "-m", "venv", "--clear", helper]) is not None:
        return [helper_python, "-m", "pip"]
    is_debian_python = sys.executable.startswith("/usr/bin/") and shutil.which("apt-get")
    if is_debian_python and os.geteuid() == 0:
        system.install_packages(["python3-pip"])
        return own
    hint = "sudo apt-get install python3-venv" if is_debian_python else f"{sys.executable} -m ensurepip"
    raise Stop(
        f"This Python has neither pip nor venv, so uv cannot be fetched. Install one of them ({hint}) or uv itself."
    )


def write_locks(arguments: list[str]) -> None:
    """Resolves pyproject.toml into requirements.lock, for every platform, with hashes and without a registry's address.

    ``arguments`` go to uv, for example ``--upgrade`` or ``--upgrade-package NAME``.
    """
    uv = find_uv()
    everywhere = ("--universal", "--python-version", "3.11", "--generate-hashes")
    no_address = ("--no-emit-index-url", "--no-emit-find-links", "--no-header")
    # Resolving in the usual cache would make uv forget the llama-cpp-python that it built there.
    apart = ("--cache-dir", CACHE / "uv-lock")
    compile_: tuple[str | Path, ...] = (uv, "pip", "compile", "--quiet", *apart, *everywhere, *no_address)
    with step("Resolving requirements.lock and packaging/*.lock"):
        project = ("pyproject.toml", "--extra", "dev", "--output-file", LOCK)
        quiet([*compile_, *project, *arguments], "uv found no solution: see its words above.")
        # What is frozen is what was tested: the same versions as in requirements.lock, without the tools.
        frozen = ("pyproject.toml", "--extra", "freeze", "--constraint", LOCK, "--output-file", FREEZE_LOCK)
        quiet([*compile_, "--no-annotate", *frozen, *arguments], "uv found no solution for packaging/freeze.lock.")
        wanted = CACHE / "bootstrap.in"
        wanted.parent.mkdir(exist_ok=True)
        wanted.write_text("uv\n", encoding="utf-8")
        bootstrap = (wanted, "--no-annotate", "--output-file", BOOTSTRAP_LOCK)
        quiet([*compile_, *bootstrap, *arguments], "uv found no solution for itself: see its words above.")
    for path in (LOCK, BOOTSTRAP_LOCK, FREEZE_LOCK):
        if "://" in path.read_text(encoding="utf-8"):
            raise Stop(f"{path.name} holds an address. Look for a direct reference in pyproject.toml and take it out.")
    say("   all are written: run `setup` to install what they say")
