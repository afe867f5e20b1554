"""Freezing and packing, without doing either: what is left out, how libraries lie, what the package asks for."""

import os
import stat
import sys
from pathlib import Path

import pytest

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="makes a package of Debian")


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("PySide6/Qt/plugins/platforms/libqxcb.so", True),
        ("PySide6/Qt/plugins/platforms/libqwayland.so", True),
        ("PySide6/Qt/plugins/platforms/libqoffscreen.so", True),
        ("PySide6/Qt/plugins/platforms/libqeglfs.so", False),
        ("PySide6/plugins/platforms/qwindows.dll", True),
        ("PySide6\\plugins\\platforms\\qminimal.dll", False),
        ("PySide6/Qt/plugins/platformthemes/libqgtk3.so", False),
        ("PySide6/Qt/plugins/generic/libqevdevkeyboardplugin.so", False),
        ("PySide6/Qt/plugins/imageformats/libqjpeg.so", True),
        ("PySide6/Qt/plugins/imageformats/libqpdf.so", False),
        ("PySide6/Qt/plugins/wayland-shell-integration/libxdg-shell.so", True),
        ("PySide6/Qt/plugins/wayland-shell-integration/libivi-shell.so", False),
        ("PySide6/Qt/translations/qtbase_de.qm", True),
        ("PySide6/Qt/translations/qtbase_fr.qm", False),
        ("PySide6/translations/qtwebengine_de.qm", False),
        ("resources/models/alcove-tiny.gguf", True),
    ],
)
def test_what_a_frozen_program_leaves_out(script, name, kept):
    assert script("trims").is_kept(name, {"de"}) is kept


def test_every_library_of_llama_cpp_lies_there_once(script):
    names = ("libllama.so", "libllama.so.0", "libllama.so.0.5.0", "libggml-cpu-haswell.so")
    table = [(f"llama_cpp/lib/{name}", f"/site/llama_cpp/lib/{name}", "BINARY") for name in names]
    other = ("libllama.so.0", "llama_cpp/lib/libllama.so.0", "SYMLINK")
    linked = script("trims").link_versions([*table, other])
    assert sorted(linked) == sorted(
        [
            other,
            ("llama_cpp/lib/libllama.so.0", "/site/llama_cpp/lib/libllama.so.0", "BINARY"),
            ("llama_cpp/lib/libllama.so", "libllama.so.0", "SYMLINK"),
            ("llama_cpp/lib/libggml-cpu-haswell.so", "/site/llama_cpp/lib/libggml-cpu-haswell.so", "BINARY"),
        ]
    )


def test_a_library_that_nothing_asks_for_goes(script):
    """And what only it asked for, and links to them."""
    needs = {"/plugin.so": ["libQt6Gui.so.6"], "/gui": ["libwanted.so.1"], "/gtk": ["libcairo.so.2"]}
    kept = [
        ("PySide6/Qt/plugins/platforms/libqxcb.so", "/plugin.so", "BINARY"),
        ("PySide6/Qt/lib/libQt6Gui.so.6", "/gui", "BINARY"),
        ("libQt6Gui.so.6", "PySide6/Qt/lib/libQt6Gui.so.6", "SYMLINK"),
        ("libwanted.so.1", "/wanted", "BINARY"),
        ("libpython3.11.so.1.0", "/python", "BINARY"),
        ("llama_cpp/lib/libllama.so", "/llama", "BINARY"),
        ("resources/catalogue.json", "/catalogue", "DATA"),
    ]
    unwanted = [
        ("libgtk-3.so.0", "/gtk", "BINARY"),
        ("libcairo.so.2", "/cairo", "BINARY"),
        ("libQt6EglFS.so.6", "PySide6/Qt/lib/libQt6EglFS.so.6", "SYMLINK"),
    ]
    assert script("trims").reachable([*kept, *unwanted], lambda path: needs.get(path, [])) == kept


def test_the_systems_own_libraries_are_not_bundled(script):
    is_system = script("shared_libraries").is_system
    assert is_system("libstdc++.so.6")
    assert is_system("libstdc++.so.6.0.30")
    assert not is_system("libsqlite3.so.0")
    assert not is_system("libGLU.so.1")


def test_depends_names_packages_with_their_oldest_version(script):
    libraries = script("shared_libraries")
    versions = {"glibc": (2, 35), "glibcxx": (3, 4, 30)}
    found = libraries.Closure(("libc6", "libgl1", "libstdc++6", "libvulkan1"), {}, **versions)
    assert libraries.debian_depends(found) == "libc6 (>= 2.35), libgl1, libstdc++6 (>= 12), xkb-data"


def test_versions_are_read_from_objdump(script):
    headers = "  required from libc.so.6:\n    0x0 0x00 05 GLIBC_2.34\n    0x0 0x00 06 GLIBC_2.2.5\n GLIBCXX_3.4.29\n"
    found = list(script("shared_libraries").versions(headers))
    assert found == [("GLIBC", (2, 34)), ("GLIBC", (2, 2, 5)), ("GLIBCXX", (3, 4, 29))]


@linux
def test_this_pythons_needs_are_found(script, tmp_path):
    """Of a program that is there: its libraries are the system's, or missing from a folder that holds it alone."""
    libraries = script("shared_libraries")
    (tmp_path / "python").write_bytes(Path(sys.executable).resolve().read_bytes())
    (tmp_path / "notes.txt").write_text("no ELF file", encoding="utf-8")
    found = libraries.closure(tmp_path)
    assert "libc6" in found.packages
    assert found.glibc > (2, 0)
    assert set(found.missing.values()) <= {"python"}


def test_llama_cpp_is_taken_out_of_the_lock(script):
    freeze = script("freeze")
    shorter = freeze.without_llama(freeze.FREEZE_LOCK.read_text(encoding="utf-8"))
    assert "llama-cpp-python" not in shorter
    assert "pyinstaller==" in shorter
    with pytest.raises(freeze.Stop, match="does not name llama-cpp-python"):
        freeze.without_llama(shorter)


def test_the_frozen_program_holds_what_was_tested(script):
    """Every package of the freezing lock that the environment's lock has, too, has the same version there."""
    environment = script("environment")

    def versions(path: Path) -> set[str]:
        return {line.split(" ")[0] for line in path.read_text(encoding="utf-8").splitlines() if "==" in line[:60]}

    tested, frozen = versions(environment.LOCK), versions(environment.FREEZE_LOCK)
    names = {entry.split("==")[0] for entry in tested}
    assert {entry for entry in frozen if entry.split("==")[0] in names} <= tested


def test_the_portable_build_has_every_variant_and_its_own_search_path(script):
    flags = script("portable").flags
    assert {"-DGGML_NATIVE=OFF", "-DGGML_BACKEND_DL=ON", "-DGGML_CPU_ALL_VARIANTS=ON"} <= set(flags("linux"))
    assert "-DCMAKE_INSTALL_RPATH=$ORIGIN" in flags("linux")
    assert "-DCMAKE_INSTALL_RPATH=@loader_path" in flags("darwin")


def test_the_portable_build_is_made_once(script, monkeypatch, tmp_path):
    portable = script("portable")
    built = []

    def build(command, failure, *, env):
        built.append(env["CMAKE_ARGS"])
        folder = Path(command[command.index("--out-dir") + 1])
        folder.mkdir(parents=True)
        (folder / "llama_cpp_python-1.0-py3-none-any.whl").touch()

    monkeypatch.setattr(portable, "HOME", tmp_path)
    monkeypatch.setattr(portable, "quiet", build)
    monkeypatch.setattr(portable, "find_uv", lambda: "uv")
    monkeypatch.setattr(portable.downloads, "fetch_source", lambda: tmp_path / "source.tar.gz")
    assert portable.wheel() == portable.wheel()
    assert len(built) == 1
    monkeypatch.setenv("ALCOVE_CMAKE_ARGS", "-DGGML_VULKAN=ON")
    assert portable.wheel().exists()
    assert built[1].endswith(" -DGGML_VULKAN=ON")


def test_the_persons_environment_comes_back(script):
    start = script("start")
    mine = {
        "LD_LIBRARY_PATH": "/usr/lib/alcove/_internal:/opt/mine",
        "LD_LIBRARY_PATH_ORIG": "/opt/mine",
        "QT_PLUGIN_PATH": "/usr/lib/alcove/_internal/PySide6/Qt/plugins",
        "PYSIDE6_OPTION_PYTHON_ENUM": "True",
        "HOME": "/home/person",
    }
    start.restore(mine, "/usr/lib/alcove")
    reset = {"PYINSTALLER_RESET_ENVIRONMENT": "1"}
    assert mine == {"LD_LIBRARY_PATH": "/opt/mine", "HOME": "/home/person", **reset}


# --- Debian's package -----------------------------------------------------------------------------------------------


@pytest.fixture
def tree(script, monkeypatch, tmp_path):
    """The package of a program of two files, laid out."""
    debian = script("debian")
    program = tmp_path / "dist" / "alcove"
    (program / "_internal").mkdir(parents=True)
    (program / "alcove").write_bytes(b"\x7fELF" + bytes(5000))
    (program / "_internal" / "libone.so.1").write_bytes(b"library")
    (program / "_internal" / "libone.so").symlink_to("libone.so.1")
    work = tmp_path / "work"
    work.mkdir()
    for size in (48, 128, 256):
        (work / f"alcove-{size}.png").write_bytes(b"picture")
    monkeypatch.setattr(debian.freeze, "WORK", work)
    before = os.umask(0o077)
    try:
        debian.lay_out(tmp_path / "tree", program)
        debian.write_control(tmp_path / "tree", "1.2.3", "amd64", "libc6 (>= 2.36), libgl1")
    finally:
        os.umask(before)
    return tmp_path / "tree"


@linux
def test_the_package_says_what_it_is_and_needs(tree):
    control = (tree / "DEBIAN" / "control").read_text(encoding="utf-8")
    assert "Package: alcove\nVersion: 1.2.3\n" in control
    assert "\nDepends: libc6 (>= 2.36), libgl1\n" in control
    size = int(control.partition("Installed-Size: ")[2].partition("\n")[0])
    assert size >= 5
    description = control.partition("Description: ")[2]
    assert all(line.startswith(" ") for line in description.splitlines()[1:])


@linux
def test_every_file_of_the_package_can_be_read_by_everybody(tree):
    modes = {path.relative_to(tree): stat.S_IMODE(path.lstat().st_mode) for path in (tree / "usr").rglob("*")}
    links = {path.relative_to(tree) for path in (tree / "usr").rglob("*") if path.is_symlink()}
    programs = {path for path, mode in modes.items() if mode == 0o755 and not (tree / path).is_dir()} - links
    assert programs == {Path("usr/lib/alcove/alcove")}
    assert {mode for path, mode in modes.items() if path not in links} == {0o755, 0o644}
    assert (tree / "usr/bin/alcove").resolve() == tree / "usr/lib/alcove/alcove"
    sums = (tree / "DEBIAN" / "md5sums").read_text(encoding="utf-8").splitlines()
    files = {str(path) for path in modes if path not in links and (tree / path).is_file()}
    assert {line.split("  ")[1] for line in sums} == files


@linux
def test_the_package_has_no_scripts(tree):
    assert {path.name for path in (tree / "DEBIAN").iterdir()} == {"control", "md5sums"}


def test_the_menu_entry_and_the_file_type_name_each_other(script):
    linux_files = script("debian").LINUX
    entry = (linux_files / "alcove.desktop").read_text(encoding="utf-8")
    kind = (linux_files / "alcove.xml").read_text(encoding="utf-8")
    assert "MimeType=application/x-gguf;" in entry
    assert 'type="application/x-gguf"' in kind
    assert 'pattern="*.gguf"' in kind


def test_an_installer_needs_a_frozen_program(script, monkeypatch, tmp_path):
    installer = script("installer")
    monkeypatch.setattr(installer.freeze, "DIST", tmp_path)
    with pytest.raises(installer.Stop, match="no frozen program"):
        installer.run(["--frozen"])


def test_the_version_is_the_programs(script):
    from app import __version__

    assert script("installer").version() == __version__
