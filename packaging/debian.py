"""The Debian package: the frozen program in /usr/lib/alcove, its place in the menu, its icon and its file type.

There are no maintainer scripts: Debian's own triggers take notice of menu entries, icons and file types. Everything
that is installed is a file of the package, so removing it leaves nothing behind.
"""

import gzip
import hashlib
import os
import shutil
import textwrap
from pathlib import Path

import freeze
import shared_libraries
import system
from console import ROOT, answers, quiet, step
from environment import CACHE

LINUX = ROOT / "packaging" / "linux"
TREE = CACHE / "debian"
TOOLS = (system.Need("program", ("dpkg-deb",), "dpkg"), *freeze.BINUTILS)
MAINTAINER = "The Alcove developers <maintainers@alcove.invalid>"
DESCRIPTION = "chat with thinking models on your own machine"
LONG_DESCRIPTION = (
    "Alcove is a desktop chat over llama.cpp. It shows how a model thinks and which tools it calls, answers questions"
    " about folders of documents with citations that open the passage, and fetches models from the Hugging Face Hub."
    " Conversations and documents stay on the machine. A small model to try it out is part of the package."
)


def make(version: str) -> Path:
    """dist/alcove_VERSION_ARCHITECTURE.deb from dist/alcove."""
    system.ensure(TOOLS)
    architecture = (answers(["dpkg", "--print-architecture"]) or "amd64").strip()
    target = freeze.DIST / f"alcove_{version}_{architecture}.deb"
    with step("Making the Debian package"):
        lay_out(TREE, freeze.folder())
        depends = shared_libraries.debian_depends(shared_libraries.closure(freeze.folder()))
        write_control(TREE, version, architecture, depends)
        build: list[str | Path] = ["dpkg-deb", "--root-owner-group", "-Zxz", "-z9", "--build", TREE, target]
        quiet(build, "dpkg-deb failed: see its words above.", env=freeze.dated())
    return target


def lay_out(tree: Path, program: Path) -> None:
    """Every file in its place, with the modes that Debian wants whatever this person's umask is."""
    shutil.rmtree(tree, ignore_errors=True)
    usr = tree / "usr"
    usr.mkdir(parents=True)
    (usr / "lib").mkdir()
    shutil.copytree(program, usr / "lib" / "alcove", symlinks=True)
    (usr / "bin").mkdir()
    (usr / "bin" / "alcove").symlink_to("../lib/alcove/alcove")
    _copy(LINUX / "alcove.desktop", usr / "share/applications/alcove.desktop")
    _copy(LINUX / "alcove.xml", usr / "share/mime/packages/alcove.xml")
    _copy(LINUX / "alcove.metainfo.xml", usr / "share/metainfo/alcove.metainfo.xml")
    icons = usr / "share/icons/hicolor"
    _copy(freeze.drawing(), icons / "scalable/apps/alcove.svg")
    for size in (48, 128, 256):
        _copy(freeze.WORK / f"alcove-{size}.png", icons / f"{size}x{size}/apps/alcove.png")
    papers = usr / "share/doc/alcove"
    papers.mkdir(parents=True)
    _copy(LINUX / "copyright", papers / "copyright")
    changes = (ROOT / "CHANGELOG.md").read_bytes()
    (papers / "changelog.gz").write_bytes(gzip.compress(changes, mtime=0))
    for path in tree.rglob("*"):
        if not path.is_symlink():
            is_program = path.is_dir() or (path.parent == usr / "lib/alcove" and path.name == "alcove")
            path.chmod(0o755 if is_program else 0o644)


def write_control(tree: Path, version: str, architecture: str, depends: str) -> None:
    """DEBIAN/control and DEBIAN/md5sums."""
    files = sorted(path for path in (tree / "usr").rglob("*") if path.is_file() and not path.is_symlink())
    kilobytes = sum(-(-path.stat().st_size // 1024) for path in files)
    control = f"""\
Package: alcove
Version: {version}
Section: science
Priority: optional
Architecture: {architecture}
Maintainer: {os.environ.get("DEBEMAIL") or MAINTAINER}
Installed-Size: {kilobytes}
Depends: {depends}
Recommends: fonts-dejavu-core, xdg-utils
Suggests: gnome-keyring | kwalletmanager, libvulkan1
Description: {DESCRIPTION}
{textwrap.fill(LONG_DESCRIPTION, 78, initial_indent=" ", subsequent_indent=" ")}
"""
    folder = tree / "DEBIAN"
    folder.mkdir(exist_ok=True)
    folder.chmod(0o755)
    (folder / "control").write_text(control, encoding="utf-8")
    sums = "".join(f"{_md5(path)}  {path.relative_to(tree)}\n" for path in files)
    (folder / "md5sums").write_text(sums, encoding="utf-8")


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def _md5(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
