"""`dev.py installer --try`: the package in a bare Debian 12, as a person would have it: installed, used, removed.

Needs root, debootstrap, Xvfb and xdotool. The bare system lies in `.cache/trial/base` and is copied for every trial.
What is seen is reported line by line; the screenshot is for a person to look at.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import freeze
import system
from console import Stop, quiet, say, step
from environment import CACHE, VENV

HOME = CACHE / "trial"
DISPLAY = ":97"
SYSTEM_FOLDERS = ("usr", "etc", "opt", "lib", "bin", "sbin", "var/lib", "home")
# Apt's and dpkg's own records, and what every installed library makes the linker and fontconfig write.
EXPECTED = ("var/lib/dpkg/", "var/lib/apt/", "etc/ld.so.cache", "var/lib/systemd/", "home/person")
NEEDS = (
    system.Need("program", ("debootstrap",), "debootstrap"),
    system.Need("program", ("Xvfb",), "xvfb"),
    system.Need("program", ("xdotool",), "xdotool"),
)
QUESTION, ANSWER = "what is 17*23?", "391"
ASKED_IN_WINDOW, ANSWERED_IN_WINDOW = "what is 19*21?", "399"
SCREENSHOT = """
import sys
from PySide6.QtGui import QGuiApplication
app = QGuiApplication([])
app.primaryScreen().grabWindow(0).save(sys.argv[1])
"""


@dataclass(frozen=True, slots=True)
class Bare:
    """A Debian system in a folder."""

    root: Path

    def run(self, *words: str, person: bool = True, timeout: float = 300.0) -> subprocess.CompletedProcess[str]:
        """A program in it, as an ordinary person or as root."""
        return subprocess.run(
            self.command(*words, person=person), check=False, capture_output=True, text=True, timeout=timeout
        )

    def command(self, *words: str, person: bool = True) -> list[str]:
        home = "/home/person" if person else "/root"
        clean = [
            "env",
            "-i",
            f"HOME={home}",
            "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
            "LANG=C.UTF-8",
            f"DISPLAY={DISPLAY}",
        ]
        clean.append("DEBIAN_FRONTEND=noninteractive")
        who = ["--userspec=person:person"] if person else []
        return ["chroot", *who, str(self.root), *clean, *words]


def run(package: Path) -> int:
    """0 where everything that was tried went well."""
    if sys.platform != "linux" or os.geteuid() != 0:
        raise Stop("A trial needs root on Linux: it makes a system in a folder and changes into it.")
    system.ensure(NEEDS)
    failed: list[str] = []

    def tried(title: str, attempt: Callable[[], str]) -> None:
        started = time.monotonic()
        try:
            words = attempt()
        except (AssertionError, subprocess.SubprocessError, OSError) as error:
            failed.append(title)
            words = f"FAILED: {error}"
        say(f"   {title} ({time.monotonic() - started:.1f} s): {words}")

    with bare_system() as bare:
        before = files(bare.root)
        tried("install", lambda: install(bare, package))
        tried("doctor --selftest", lambda: selftest(bare))
        tried("ask", lambda: ask(bare))
        tried("search", lambda: search(bare))
        with screen():
            tried("window", lambda: window(bare, freeze.DIST / "trial-window.png"))
        tried("file type and menu", lambda: desktop(bare))
        tried("remove", lambda: remove(bare, before))
    say(f"   {'FAILED: ' + ', '.join(failed) if failed else 'everything went well'}")
    return 1 if failed else 0


@contextmanager
def bare_system() -> Iterator[Bare]:
    """A fresh copy of a bare Debian 12 with its file systems mounted; gone afterwards."""
    base, root = HOME / "base", HOME / "root"
    if not (base / "etc/debian_version").is_file():
        with step("Making a bare Debian 12"):
            quiet(["debootstrap", "--variant=minbase", "bookworm", base], "debootstrap failed: see its words above.")
    _require_unmounted(root)
    shutil.rmtree(root, ignore_errors=True)
    quiet(["cp", "-a", base, root], "The bare system could not be copied.")
    shutil.copy("/etc/resolv.conf", root / "etc/resolv.conf")
    (root / "tmp/.X11-unix").mkdir(mode=0o1777, parents=True, exist_ok=True)
    Path("/tmp/.X11-unix").mkdir(mode=0o1777, exist_ok=True)
    mounts = {
        "proc": ("-t", "proc", "proc"),
        "dev/shm": ("-t", "tmpfs", "tmpfs"),
        "tmp/.X11-unix": ("--bind", "/tmp/.X11-unix"),
    }
    try:
        for target, how in mounts.items():
            quiet(["mount", *how, root / target], f"{target} could not be mounted.")
        bare = Bare(root)
        # What any desktop has: a person, somewhere to look names up, fonts, menus and file types.
        bare.run("useradd", "--create-home", "person", person=False)
        bare.run("apt-get", "update", person=False)
        usual = ("fonts-dejavu-core", "shared-mime-info", "desktop-file-utils")
        done = bare.run("apt-get", "install", "-y", "--no-install-recommends", *usual, person=False)
        if done.returncode != 0:
            raise Stop(f"The bare system could not be prepared: {done.stderr.strip()[-300:]}")
        yield bare
    finally:
        for target in reversed(mounts):
            subprocess.run(["umount", str(root / target)], check=False, capture_output=True)
    _require_unmounted(root)
    shutil.rmtree(root)


def _require_unmounted(root: Path) -> None:
    """Removing a folder would remove what lies mounted in it."""
    mounted = Path("/proc/self/mounts").read_text(encoding="utf-8")
    if f" {root}" in mounted:
        raise Stop(f"Something is still mounted below {root}. Unmount it first.")


def files(root: Path) -> set[str]:
    """Paths of everything in the system's folders."""
    found = set()
    for folder in SYSTEM_FOLDERS:
        for where, folders, names in os.walk(root / folder):
            found |= {str((Path(where) / name).relative_to(root)) for name in (*folders, *names)}
    return {path for path in found if not path.startswith(EXPECTED)}


def install(bare: Bare, package: Path) -> str:
    shutil.copy(package, bare.root / "tmp" / package.name)
    done = bare.run("apt-get", "install", "-y", "--no-install-recommends", f"/tmp/{package.name}", person=False)
    assert done.returncode == 0, done.stderr.strip()[-500:]
    new = [line.split()[1] for line in done.stdout.splitlines() if line.startswith("Setting up")]
    return f"with {len(new) - 1} packages that it depends on"


def selftest(bare: Bare) -> str:
    done = bare.run("alcove", "doctor", "--selftest", "--json")
    findings = [json.loads(line) for line in done.stdout.splitlines()]
    for finding in findings:
        say(f"      {finding['status']:8} {finding['check']:14} {finding['text']}")
    assert done.returncode == 0, done.stderr.strip()[-500:]
    checked = {finding["check"] for finding in findings if finding["status"] == "ok"}
    assert checked >= {"engine", "window", "conversations", "models"}, checked
    return f"{len(findings)} findings"


def ask(bare: Bare) -> str:
    """The shipped model answers and calls a tool; the log names the variant of llama.cpp that computes."""
    words = ("ask", QUESTION, "--model", "alcove-tiny", "--temperature", "0", "--max-tokens", "300")
    done = bare.run("alcove", words[0], "-v", *words[1:])
    assert done.returncode == 0, done.stderr.strip()[-500:]
    assert ANSWER in done.stdout, done.stdout
    (variant,) = [line for line in done.stderr.splitlines() if "libggml-cpu-" in line]
    assert "/usr/lib/alcove/_internal/llama_cpp/lib/" in variant, variant
    return f"{ANSWER}; {variant.partition(': ')[2]}"


def search(bare: Bare) -> str:
    """The documents that come with the program are read, each in the limited process that reads strangers' files."""
    samples = "/usr/lib/alcove/_internal/resources/samples"
    done = bare.run("alcove", "search", "how long does sourdough bake", "--docs", samples, "--json")
    assert done.returncode == 0, done.stderr.strip()[-500:]
    passages = [json.loads(line) for line in done.stdout.splitlines()]
    assert passages, "no passage was found"
    assert "sourdough" in passages[0]["path"], passages[0]
    return f"{len(passages)} passages, the first in {Path(passages[0]['path']).name}"


@contextmanager
def screen() -> Iterator[None]:
    command = ["Xvfb", DISPLAY, "-screen", "0", "1400x900x24", "-nolisten", "tcp", "-ac"]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(lambda: Path(f"/tmp/.X11-unix/X{DISPLAY[1:]}").exists(), "the X server", 20)
        yield
    finally:
        server.terminate()
        server.wait()


def wait_for(condition: Callable[[], bool], what: str, seconds: float) -> float:
    """Seconds that it took. Raises AssertionError when it did not happen in time."""
    started = time.monotonic()
    while not condition():
        assert time.monotonic() - started < seconds, f"{what} did not come in {seconds:.0f} s"
        time.sleep(0.05)
    return time.monotonic() - started


def window(bare: Bare, picture: Path) -> str:
    """The main job from the window: a question typed, the answer kept, closed as a person closes it."""
    program = subprocess.Popen(bare.command("alcove"), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        opened = wait_for(lambda: bool(_xdo("search", "--onlyvisible", "--name", "Alcove")), "the window", 60)
        shown = _xdo("search", "--onlyvisible", "--name", "Alcove").split()[0]
        _xdo("windowsize", "--sync", shown, "1280", "820")
        _xdo("windowmove", shown, "40", "20")
        _xdo("windowfocus", shown)
        time.sleep(3)  # the shipped model is chosen and the composer has the cursor
        _xdo("type", "--delay", "30", ASKED_IN_WINDOW)
        _xdo("key", "Return")
        kept = bare.root / "home/person/.local/share/alcove/chats.db"
        answered = wait_for(lambda: ANSWERED_IN_WINDOW in _stored(kept), "the answer", 90)
        time.sleep(1)
        _photograph(picture)
        _xdo("key", "ctrl+q")
        program.wait(30)
    finally:
        if program.poll() is None:
            program.kill()
        words = (program.communicate()[0] or "").strip()
    assert program.returncode == 0, f"status {program.returncode}: {words[-500:]}"
    return f"open after {opened:.1f} s, answered after {answered:.1f} s, {picture.name}; it said {words!r}"


def _stored(database: Path) -> str:
    """All text of the conversations; read from the file, its log included, without opening it."""
    parts = (database, database.with_name(f"{database.name}-wal"))
    return "".join(part.read_bytes().decode("utf-8", "replace") for part in parts if part.is_file())


def _photograph(picture: Path) -> None:
    env = {**os.environ, "DISPLAY": DISPLAY, "QT_QPA_PLATFORM": "xcb"}
    subprocess.run([str(VENV / "bin/python"), "-c", SCREENSHOT, str(picture)], check=True, env=env, capture_output=True)


def _xdo(*words: str) -> str:
    env = {**os.environ, "DISPLAY": DISPLAY}
    return subprocess.run(["xdotool", *words], check=False, env=env, capture_output=True, text=True).stdout.strip()


def desktop(bare: Bare) -> str:
    """Debian's triggers took notice of the file type and the menu entry."""
    types = (bare.root / "usr/share/mime/globs2").read_text(encoding="utf-8")
    assert "application/x-gguf:*.gguf" in types, "the file type is not known"
    menu = (bare.root / "usr/share/applications/mimeinfo.cache").read_text(encoding="utf-8")
    assert "application/x-gguf=alcove.desktop" in menu, "nothing opens the file type"
    done = bare.run("desktop-file-validate", "/usr/share/applications/alcove.desktop")
    assert done.returncode == 0, done.stdout
    return "application/x-gguf opens with alcove.desktop"


def remove(bare: Bare, before: set[str]) -> str:
    """With what it brought along; then the system's folders hold what they held before."""
    done = bare.run("apt-get", "purge", "-y", "--auto-remove", "alcove", person=False)
    assert done.returncode == 0, done.stderr.strip()[-500:]
    after = files(bare.root)
    left, lost = sorted(after - before), sorted(before - after)
    ours = [path for path in left if "alcove" in path or "gguf" in path]
    assert not ours, f"left behind: {ours}"
    assert not lost, f"lost: {lost}"
    return "nothing of it is left" + (f" (others left {left})" if left else "")
