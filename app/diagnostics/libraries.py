"""The libraries of a Linux system that Qt needs for a window, and the packages that bring them.

Read from the needed entries of PySide6's own libraries. Asked only when a window could not be opened: Qt names one of
them, not always the right one, and aborts.
"""

import ctypes
import platform
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Library:
    """A library by its soname, and what the package with it is called."""

    soname: str
    debian: str
    fedora: str
    arch: str


# To be imported at all.
QT = (
    Library("libGL.so.1", "libgl1", "libglvnd-glx", "libglvnd"),
    Library("libEGL.so.1", "libegl1", "libglvnd-egl", "libglvnd"),
    Library("libX11.so.6", "libx11-6", "libX11", "libx11"),
    Library("libdbus-1.so.3", "libdbus-1-3", "dbus-libs", "dbus"),
    Library("libfontconfig.so.1", "libfontconfig1", "fontconfig", "fontconfig"),
    Library("libfreetype.so.6", "libfreetype6", "freetype", "freetype2"),
    Library("libglib-2.0.so.0", "libglib2.0-0", "glib2", "glib2"),
    Library("libxkbcommon.so.0", "libxkbcommon0", "libxkbcommon", "libxkbcommon"),
    Library("libzstd.so.1", "libzstd1", "libzstd", "zstd"),
)
X11 = (
    Library("libX11-xcb.so.1", "libx11-xcb1", "libX11-xcb", "libx11"),
    Library("libxcb-cursor.so.0", "libxcb-cursor0", "xcb-util-cursor", "xcb-util-cursor"),
    Library("libxcb-icccm.so.4", "libxcb-icccm4", "xcb-util-wm", "xcb-util-wm"),
    Library("libxcb-image.so.0", "libxcb-image0", "xcb-util-image", "xcb-util-image"),
    Library("libxcb-keysyms.so.1", "libxcb-keysyms1", "xcb-util-keysyms", "xcb-util-keysyms"),
    Library("libxcb-randr.so.0", "libxcb-randr0", "libxcb", "libxcb"),
    Library("libxcb-render-util.so.0", "libxcb-render-util0", "xcb-util-renderutil", "xcb-util-renderutil"),
    Library("libxcb-shape.so.0", "libxcb-shape0", "libxcb", "libxcb"),
    Library("libxcb-shm.so.0", "libxcb-shm0", "libxcb", "libxcb"),
    Library("libxcb-sync.so.1", "libxcb-sync1", "libxcb", "libxcb"),
    Library("libxcb-util.so.1", "libxcb-util1", "xcb-util", "xcb-util"),
    Library("libxcb-xfixes.so.0", "libxcb-xfixes0", "libxcb", "libxcb"),
    Library("libxcb-xkb.so.1", "libxcb-xkb1", "libxcb", "libxcb"),
    Library("libxkbcommon-x11.so.0", "libxkbcommon-x11-0", "libxkbcommon-x11", "libxkbcommon-x11"),
)
WAYLAND = (
    Library("libwayland-client.so.0", "libwayland-client0", "libwayland-client", "wayland"),
    Library("libwayland-cursor.so.0", "libwayland-cursor0", "libwayland-cursor", "wayland"),
)

INSTALL = {"debian": "sudo apt-get install", "fedora": "sudo dnf install", "arch": "sudo pacman -S"}


def missing_libraries(environ: Mapping[str, str]) -> list[Library]:
    """What a window on this screen lacks; nothing outside Linux."""
    if not sys.platform.startswith("linux"):
        return []
    wanted = environ.get("QT_QPA_PLATFORM", "")
    needed = list(QT)
    if environ.get("DISPLAY") or "xcb" in wanted:
        needed += X11
    if environ.get("WAYLAND_DISPLAY") or "wayland" in wanted:
        needed += WAYLAND
    return [library for library in needed if not _is_there(library.soname)]


def no_window(missing: Iterable[Library], said: str = "", system: str | None = None) -> str:
    """Why no window opens and what to do: a sentence for standard error. ``said``: by Qt. ``system``: a key of
    ``INSTALL``, "" for another; None: this one."""
    missing = list(missing)
    if not missing:
        return f'no window could be opened ({said.rstrip(".")}); without one there is: alcove ask "your question"'
    lacks = f"the window needs libraries that are not here: {', '.join(library.soname for library in missing)}"
    system = distribution() if system is None else system
    if system in INSTALL:
        return f"{lacks}. Install them with: {INSTALL[system]} {_packages(missing, system)}"
    packages = "; ".join(f"on {kind.capitalize()} {_packages(missing, kind)}" for kind in INSTALL)
    return f"{lacks}. Install the packages with them: {packages}"


def distribution() -> str:
    """Whose packages this system takes: a key of ``INSTALL``, "" where none of them is known to fit."""
    try:
        found = platform.freedesktop_os_release()
    except OSError:
        return ""
    names = [found.get("ID", ""), *found.get("ID_LIKE", "").split()]
    families = {"ubuntu": "debian", "rhel": "fedora", "centos": "fedora"}
    return next((family for name in names if (family := families.get(name, name)) in INSTALL), "")


def _packages(missing: Iterable[Library], system: str) -> str:
    return " ".join(sorted({str(getattr(library, system)) for library in missing}))


def _is_there(soname: str) -> bool:
    packed = getattr(sys, "_MEIPASS", "")  # the packaged program brings some of them along
    if packed and (Path(packed) / soname).exists():
        return True
    try:
        ctypes.CDLL(soname)
    except OSError:
        return False
    return True
