"""What a person is told where Qt can open no window."""

import os
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from app.diagnostics import libraries
from app.diagnostics.libraries import INSTALL, QT, WAYLAND, X11, Library, missing_libraries, no_window

ROOT = Path(__file__).parents[3]
NOWHERE = Library("libnowhere.so.1", "libnowhere1", "nowhere-libs", "nowhere")
CURSOR = next(library for library in X11 if "cursor" in library.soname)

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems bring them along")


@linux
@pytest.mark.parametrize(
    ("environ", "asked"),
    [
        ({"DISPLAY": ":0"}, "X11"),
        ({"WAYLAND_DISPLAY": "w"}, "WAYLAND"),
        ({"QT_QPA_PLATFORM": "xcb"}, "X11"),
        ({}, "QT"),
    ],
)
def test_only_what_this_screen_needs_is_looked_for(
    environ: dict[str, str], asked: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("QT", "X11", "WAYLAND"):
        monkeypatch.setattr(libraries, name, (NOWHERE,) if name == asked else ())
    assert missing_libraries(environ) == [NOWHERE]


@pytest.mark.parametrize(
    ("system", "told"),
    [
        ("debian", "sudo apt-get install libnowhere1 libxcb-cursor0"),
        ("fedora", "sudo dnf install nowhere-libs xcb-util-cursor"),
        ("arch", "sudo pacman -S nowhere xcb-util-cursor"),
        ("", "on Fedora nowhere-libs xcb-util-cursor"),
    ],
)
def test_packages_are_named_as_the_system_calls_them(system: str, told: str) -> None:
    text = no_window([NOWHERE, CURSOR], system=system)
    assert "libnowhere.so.1, libxcb-cursor.so.0" in text
    assert told in text
    assert "\n" not in text


def test_where_nothing_is_missing_qt_has_the_word() -> None:
    assert "(could not connect to display :7)" in no_window([], "could not connect to display :7.")


@pytest.mark.parametrize(
    ("release", "system"),
    [({"ID": "ubuntu", "ID_LIKE": "debian"}, "debian"), ({"ID": "mint", "ID_LIKE": "ubuntu debian"}, "debian"),
     ({"ID": "fedora"}, "fedora"), ({"ID": "rocky", "ID_LIKE": "rhel centos fedora"}, "fedora"),
     ({"ID": "manjaro", "ID_LIKE": "arch"}, "arch"), ({"ID": "void"}, "")],
)  # fmt: skip
def test_a_system_is_known_by_its_family(release: dict[str, str], system: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.freedesktop_os_release", lambda: release)
    assert libraries.distribution() == system


def test_the_set_up_knows_the_same_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "packaging"))
    names = runpy.run_path(str(ROOT / "packaging" / "system.py"))
    needed = {need.names[0]: need.package for need in (*names["OFFSCREEN"], *names["WINDOW"]) if need.kind == "library"}
    ours = {library.soname: library.debian for library in (*QT, *X11)}
    assert {name: needed.get(name) for name in ours} == ours
    assert all(getattr(library, system) for library in (*QT, *X11, *WAYLAND) for system in INSTALL)


def without_a_screen(code: str, **environ: str) -> "subprocess.CompletedProcess[str]":
    kept = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}
    return subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env={**kept, **environ}, capture_output=True, text=True, check=False
    )


@linux
def test_the_program_says_it_in_one_sentence_instead_of_aborting() -> None:
    environ = {"QT_QPA_PLATFORM": "xcb", "DISPLAY": ":nowhere"}
    done = without_a_screen("import sys; from ui.main import main; sys.exit(main([]))", **environ)
    assert done.returncode == 1, done.stderr
    missing = missing_libraries(environ)
    assert all(library.soname in done.stderr for library in missing)
    assert missing or ":nowhere" in done.stderr
    assert done.stderr.startswith("alcove: ")
    assert done.stderr.count("\n") == 1


NO_QT = """
import sys
from app.diagnostics import libraries
libraries.QT = (libraries.Library("libnowhere.so.1", "libnowhere1", "nowhere-libs", "nowhere"),)
sys.modules["PySide6"] = None
from ui.main import main
sys.exit(main([]))
"""


@linux
def test_also_where_qt_cannot_even_be_imported() -> None:
    done = without_a_screen(NO_QT, QT_QPA_PLATFORM="xcb")
    assert done.returncode == 1
    assert "libnowhere.so.1" in done.stderr
    assert done.stderr.count("\n") == 1
