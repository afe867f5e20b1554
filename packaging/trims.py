"""What a frozen program leaves out, and how each of its libraries lies in it once. Works on PyInstaller's tables:
(name in the bundle, file it comes from, kind)."""

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from pathlib import PurePosixPath

Entry = tuple[str, str, str]

# Plugins of Qt for screens without a desktop, for networks and file formats that Alcove does not have. The GTK theme
# would bring all of GTK; the virtual keyboard all of Qt Quick.
_PLUGINS = (
    "plugins/egldeviceintegrations/",
    "plugins/generic/",
    "plugins/networkinformation/",
    "plugins/platforminputcontexts/*qtvirtualkeyboard*",
    "plugins/platforms/*eglfs*",
    "plugins/platforms/*linuxfb*",
    "plugins/platforms/*minimal*",
    "plugins/platforms/*vkkhrdisplay*",
    "plugins/platforms/*vnc*",
    "plugins/platformthemes/*gtk3*",
    "plugins/imageformats/*pdf*",
    "plugins/imageformats/*tga*",
    "plugins/imageformats/*tiff*",
    "plugins/imageformats/*wbmp*",
    # Only for programs that are a Wayland compositor, and shells that no desktop has.
    "plugins/wayland-graphics-integration-server/",
    "plugins/wayland-graphics-integration-client/*server*",
    "plugins/wayland-shell-integration/*fullscreen*",
    "plugins/wayland-shell-integration/*ivi*",
    "plugins/wayland-shell-integration/*qt-shell*",
    "plugins/wayland-shell-integration/*wl-shell*",
    "plugins/qmltooling/",
    "plugins/sqldrivers/",
)
_TRANSLATION = re.compile(r"PySide6/(?:Qt/)?translations/(\w+?)_(\w+)\.qm$")
_VERSIONED = re.compile(r"^(?P<stem>.+\.so)(?:\.(?P<version>[\d.]+))?$")
_LLAMA = PurePosixPath("llama_cpp/lib")


def is_kept(name: str, languages: Collection[str] = ()) -> bool:
    """Whether a file is part of the program. Of Qt's translations only its own widgets' in our ``languages`` are."""
    posix = PurePosixPath(name.replace("\\", "/"))
    translation = _TRANSLATION.search(posix.as_posix())
    if translation is not None:
        return translation[1] == "qtbase" and translation[2] in languages
    text = posix.as_posix()
    return not any(_matches(text, posix, pattern) for pattern in _PLUGINS)


def _matches(text: str, path: PurePosixPath, pattern: str) -> bool:
    if pattern.endswith("/"):
        return f"/{pattern}" in f"/{text}"
    return path.match(pattern)


def reachable(table: Iterable[Entry], needed: Callable[[str], Collection[str]]) -> list[Entry]:
    """Without the libraries that nothing asks for any more: what a left-out plugin brought goes with it.

    ``needed``: the names of the libraries that a file asks for. Python's modules and the plugins are asked for by name
    when the program runs, so only plain libraries (lib*.so*) outside plugins are candidates. Python's own is the
    program's to ask for.
    """
    entries = list(table)
    by_name: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        by_name[PurePosixPath(entry[0]).name].append(entry)
    waiting = [entry for entry in entries if not _is_plain_library(entry)]
    kept = set(waiting)
    while waiting:
        entry = waiting.pop()
        names = [PurePosixPath(entry[1]).name] if entry[2] == "SYMLINK" else needed(entry[1])
        found = {found for name in names for found in by_name.get(name, ())} - kept
        kept |= found
        waiting += found
    return [entry for entry in entries if entry in kept]


def _is_plain_library(entry: Entry) -> bool:
    path = PurePosixPath(entry[0])
    is_library = path.name.startswith("lib") and ".so" in path.name and not path.name.startswith("libpython")
    return is_library and (len(path.parts) == 1 or path.parent == PurePosixPath("PySide6/Qt/lib"))


def link_versions(table: Iterable[Entry]) -> list[Entry]:
    """Every library of llama.cpp once. A wheel cannot hold links, so it holds X.so, X.so.0 and X.so.0.1.2 as three
    files: the one that others ask for (X.so.0) stays, X.so becomes a link to it."""
    kept: list[Entry] = []
    families: dict[str, dict[str, Entry]] = defaultdict(dict)
    for entry in table:
        path = PurePosixPath(entry[0].replace("\\", "/"))
        match = _VERSIONED.match(path.name)
        if path.parent == _LLAMA and match is not None and entry[2] == "BINARY":
            families[match["stem"]][match["version"] or ""] = entry
        else:
            kept.append(entry)
    for stem, members in sorted(families.items()):
        soname = next((version for version in sorted(members) if version and "." not in version), "")
        kept.append(members.get(soname) or next(iter(members.values())))
        if soname and "" in members:
            kept.append((str(_LLAMA / stem), f"{stem}.{soname}", "SYMLINK"))
    return kept
