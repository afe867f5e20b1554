"""Which shared libraries of Linux a frozen program takes from the system, and what of them it really needs.

Graphics, windows, fonts, the message bus and the C and C++ runtimes belong to the system: a copy of ours would not fit
its drivers and settings. Everything else lies in the program's folder.
"""

import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

# soname -> the Debian package that brings it
SYSTEM: Mapping[str, str] = {
    "ld-linux-x86-64.so.2": "libc6",
    "ld-linux-aarch64.so.1": "libc6",
    "libc.so.6": "libc6",
    "libm.so.6": "libc6",
    "libdl.so.2": "libc6",
    "libpthread.so.0": "libc6",
    "librt.so.1": "libc6",
    "libutil.so.1": "libc6",
    "libresolv.so.2": "libc6",
    "libstdc++.so.6": "libstdc++6",
    "libgcc_s.so.1": "libgcc-s1",
    "libGL.so.1": "libgl1",
    "libGLX.so.0": "libglx0",
    "libOpenGL.so.0": "libopengl0",
    "libEGL.so.1": "libegl1",
    "libvulkan.so.1": "libvulkan1",
    "libdrm.so.2": "libdrm2",
    "libgbm.so.1": "libgbm1",
    "libdbus-1.so.3": "libdbus-1-3",
    "libfontconfig.so.1": "libfontconfig1",
    "libfreetype.so.6": "libfreetype6",
    "libexpat.so.1": "libexpat1",
    "libz.so.1": "zlib1g",
    "libX11.so.6": "libx11-6",
    "libX11-xcb.so.1": "libx11-xcb1",
    "libxcb.so.1": "libxcb1",
    "libwayland-client.so.0": "libwayland-client0",
    "libwayland-cursor.so.0": "libwayland-cursor0",
    "libwayland-egl.so.1": "libwayland-egl1",
}
# What a bundled library reads: libxkbcommon the keyboards.
DATA = ("xkb-data",)
# What the bundle may lack without harm: a backend whose library is missing is passed over.
OPTIONAL = ("libvulkan1",)
_PATHS = re.compile(r"^\s+(?:RPATH|RUNPATH)\s+(\S+)$", re.MULTILINE)
_NEEDED = re.compile(r"^\s+NEEDED\s+(\S+)$", re.MULTILINE)
_VERSION = re.compile(r"\b(GLIBC|GLIBCXX)_(\d+(?:\.\d+)+)\b")


@dataclass(frozen=True, slots=True)
class Closure:
    """What a folder of programs and libraries asks of the system. ``missing``: soname -> a file that wants it."""

    packages: tuple[str, ...]
    missing: Mapping[str, str]
    glibc: tuple[int, ...]
    glibcxx: tuple[int, ...]


def closure(folder: Path) -> Closure:
    """Looks at every ELF file below the folder with objdump."""
    files = [path for path in folder.rglob("*") if path.is_file() and is_elf(path)]
    own = {path.name for path in folder.rglob("*") if path.is_file()}
    packages: set[str] = set()
    missing: dict[str, str] = {}
    newest: dict[str, tuple[int, ...]] = {"GLIBC": (), "GLIBCXX": ()}
    for path in files:
        if path.is_symlink():
            continue
        headers = _headers(path)
        for soname in _NEEDED.findall(headers):
            if soname in SYSTEM:
                packages.add(SYSTEM[soname])
            elif soname not in own:
                missing[soname] = str(path.relative_to(folder))
        for kind, version in versions(headers):
            newest[kind] = max(newest[kind], version)
    return Closure(tuple(sorted(packages)), missing, newest["GLIBC"], newest["GLIBCXX"])


def _headers(path: str | Path) -> str:
    return subprocess.run(["objdump", "-p", str(path)], check=True, capture_output=True, text=True).stdout


def needed(path: str | Path) -> list[str]:
    """The names of the libraries that a file asks for; none for a file that is no ELF file."""
    return _NEEDED.findall(_headers(path)) if is_elf(Path(path)) else []


def has_foreign_path(path: Path) -> bool:
    """Whether a file looks for libraries in a folder of the machine it was built on."""
    return any(not part.startswith("$ORIGIN") for found in _PATHS.findall(_headers(path)) for part in found.split(":"))


def notices(libraries: Iterable[str]) -> list[tuple[str, Path]]:
    """(package, its copyright file) for each Debian package that these libraries were taken from."""
    names = sorted({str(Path(library).resolve()) for library in libraries})
    if not names or shutil.which("dpkg") is None:
        return []
    # Debian's /lib is /usr/lib, and dpkg knows a file by either name.
    asked = [*names, *(name.removeprefix("/usr") for name in names)]
    told = subprocess.run(["dpkg", "-S", *asked], check=False, capture_output=True, text=True).stdout
    packages = sorted({line.split(":", 1)[0] for line in told.splitlines()})
    texts = [(package, Path("/usr/share/doc") / package / "copyright") for package in packages]
    return [(package, text.resolve()) for package, text in texts if text.is_file()]


def versions(headers: str) -> Iterator[tuple[str, tuple[int, ...]]]:
    """("GLIBC", (2, 35)) for each version of the C and C++ runtimes that objdump's headers name."""
    for kind, version in _VERSION.findall(headers):
        yield kind, tuple(int(part) for part in version.split("."))


def is_elf(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) == b"\x7fELF"


def is_system(name: str) -> bool:
    """Whether a collected file (by its name) is one of the system's libraries, in whatever exact version."""
    return any(name == soname or name.startswith(f"{soname}.") for soname in SYSTEM)


def debian_depends(found: Closure) -> str:
    """The value of Depends. Debian's libstdc++6 carries GCC's version: 3.4.30 came with 12."""
    floors = {"libc6": f" (>= {'.'.join(map(str, found.glibc[:2]))})"}
    if found.glibcxx:
        floors["libstdc++6"] = f" (>= {max(4, found.glibcxx[2] - 18) if len(found.glibcxx) > 2 else 4})"
    return ", ".join(f"{name}{floors.get(name, '')}" for name in _required(found.packages, DATA))


def _required(*packages: Iterable[str]) -> list[str]:
    return sorted(name for group in packages for name in group if name not in OPTIONAL)
