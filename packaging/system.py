"""What the operating system has to provide: a C++ compiler, the libraries Qt loads, fonts, an X server for the tests.

Only what is really missing is named, with the Debian packages that bring it; as root on Debian it is installed.
"""

import ctypes
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from console import Stop, answers, quiet, step

FONT_FOLDERS = (Path("/usr/share/fonts"), Path("/usr/local/share/fonts"), Path.home() / ".local/share/fonts")


@dataclass(frozen=True, slots=True)
class Need:
    """A library (by its soname), a program (any of several names) or a kind of file, and the Debian package with it."""

    kind: str
    names: tuple[str, ...]
    package: str

    def is_met(self) -> bool:
        if self.kind == "library":
            return any(_loads(name) for name in self.names)
        if self.kind == "program":
            return any(shutil.which(name) for name in self.names)
        return any(next(folder.rglob(name), None) for folder in FONT_FOLDERS for name in self.names)


def _loads(soname: str) -> bool:
    try:
        ctypes.CDLL(soname)
    except OSError:
        return False
    return True


def _libraries(*pairs: tuple[str, str]) -> tuple[Need, ...]:
    return tuple(Need("library", (soname,), package) for soname, package in pairs)


# Qt's core, without a screen. Read from the needed entries of the PySide6 wheel's own libraries.
OFFSCREEN = _libraries(
    ("libGL.so.1", "libgl1"),
    ("libEGL.so.1", "libegl1"),
    ("libdbus-1.so.3", "libdbus-1-3"),
    ("libfontconfig.so.1", "libfontconfig1"),
    ("libfreetype.so.6", "libfreetype6"),
    ("libglib-2.0.so.0", "libglib2.0-0"),
    ("libxkbcommon.so.0", "libxkbcommon0"),
    ("libX11.so.6", "libx11-6"),
    # QtNetwork's, for the single instance
    ("libgssapi_krb5.so.2", "libgssapi-krb5-2"),
    ("libbrotlidec.so.1", "libbrotli1"),
    ("libzstd.so.1", "libzstd1"),
)
# A real X window besides. Qt blames libxcb-cursor0 whichever of them is missing.
WINDOW = (
    *_libraries(
        ("libX11-xcb.so.1", "libx11-xcb1"),
        ("libxcb-cursor.so.0", "libxcb-cursor0"),
        ("libxcb-icccm.so.4", "libxcb-icccm4"),
        ("libxcb-image.so.0", "libxcb-image0"),
        ("libxcb-keysyms.so.1", "libxcb-keysyms1"),
        ("libxcb-randr.so.0", "libxcb-randr0"),
        ("libxcb-render-util.so.0", "libxcb-render-util0"),
        ("libxcb-shape.so.0", "libxcb-shape0"),
        ("libxcb-shm.so.0", "libxcb-shm0"),
        ("libxcb-sync.so.1", "libxcb-sync1"),
        ("libxcb-util.so.1", "libxcb-util1"),
        ("libxcb-xfixes.so.0", "libxcb-xfixes0"),
        ("libxcb-xkb.so.1", "libxcb-xkb1"),
        ("libxkbcommon-x11.so.0", "libxkbcommon-x11-0"),
    ),
    Need("file", ("*.ttf", "*.otf", "*.ttc"), "fonts-dejavu-core"),
)
COMPILER = (Need("program", ("c++", "g++", "clang++"), "g++"),)
XVFB = (Need("program", ("Xvfb",), "xvfb"),)


def ensure(*groups: tuple[Need, ...]) -> None:
    """Sees to it that all these needs are met. Outside Linux only a compiler is looked for.

    Raises ``Stop`` naming what is missing and the line that installs it.
    """
    if sys.platform == "win32":
        return  # CMake finds Microsoft's compiler by itself, outside PATH
    if sys.platform == "darwin":
        if answers(["xcode-select", "-p"]) is None:
            raise Stop("A C++ compiler is missing. Install Apple's with: xcode-select --install")
        return
    needs = [need for group in groups for need in group]
    missing = [need for need in needs if not need.is_met()]
    if not missing:
        return
    if os.geteuid() == 0 and shutil.which("apt-get"):
        install_packages(need.package for need in missing)
        missing = [need for need in missing if not need.is_met()]
    if missing:
        raise Stop(_how_to_install(missing))


def _how_to_install(missing: list[Need]) -> str:
    names = ", ".join(need.names[0] for need in missing)
    packages = " ".join(sorted({need.package for need in missing}))
    if shutil.which("apt-get"):
        return f"Missing on this system: {names}. Install with: sudo apt-get install {packages}"
    return f"Missing on this system: {names}. Install what brings them (on Debian: {packages}) and try again."


def install_packages(packages: Iterable[str]) -> None:
    """Installs Debian packages as root. A package list that cannot be read does not matter by itself."""
    names = sorted(set(packages))
    with step(f"Installing with apt-get: {' '.join(names)}"):
        env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["apt-get", "update"], env=env, check=False, capture_output=True)  # a slow mirror takes its time
        quiet(
            ["apt-get", "install", "--yes", "--no-install-recommends", *names],
            f"apt-get could not install these packages. Try by hand: apt-get install {' '.join(names)}",
            env=env,
        )


def can_open_a_window() -> bool:
    """Whether a window would find a display: an X server that answers, or a Wayland socket. Always so outside Linux."""
    if sys.platform in ("win32", "darwin"):
        return True
    if os.environ.get("DISPLAY") and _x_server_answers():
        return True
    wayland = os.environ.get("WAYLAND_DISPLAY")
    return bool(wayland) and (Path(os.environ.get("XDG_RUNTIME_DIR", "/")) / str(wayland)).exists()


def _x_server_answers() -> bool:
    try:
        xcb = ctypes.CDLL("libxcb.so.1")
    except OSError:
        return True  # not known yet: the libraries are checked, and installed, before the window opens
    xcb.xcb_connect.restype = ctypes.c_void_p
    xcb.xcb_connect.argtypes = [ctypes.c_char_p, ctypes.c_void_p]
    for function in (xcb.xcb_connection_has_error, xcb.xcb_disconnect):
        function.argtypes = [ctypes.c_void_p]
    connection = xcb.xcb_connect(None, None)
    try:
        return not xcb.xcb_connection_has_error(connection)
    finally:
        xcb.xcb_disconnect(connection)
