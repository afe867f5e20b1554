"""How the house is built: contracts, who may import what, file lengths, nothing foreign in the files."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.domain.clock import SystemClock
from app.tools.builtin import builtin_tools

ROOT = Path(__file__).resolve().parents[2]
CODE = ("app", "ui", "resources", "packaging")
LONGEST_FILE = 400
LONGEST_TEST_FILE = 600  # tables of cases are long and still easy to read

# Each of these is known in one place only, so that it can be replaced, blocked or kept out of a process.
ONLY_IN = {
    "llama_cpp": ("app/engine/llama/",),
    "openai": ("app/engine/remote.py",),
    "huggingface_hub": ("app/models/",),
    "jsonschema": ("app/tools/arguments/",),
    "mcp": ("app/tools/",),
    "keyring": ("app/storage/secrets.py",),
    "ziamath": ("ui/chat/transcript/math/draw.py",),
    "PySide6": ("ui/",),
    "shiboken6": ("ui/",),
    "sqlite3": ("app/",),
    "httpx": ("app/",),
}


def python_files(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def imported_packages(path: Path) -> Iterator[str]:
    """Top-level names of everything a file imports, also inside functions."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


def test_import_contracts_hold() -> None:
    command = [Path(sys.executable).with_name("lint-imports"), "--no-logo", "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(("package", "places"), ONLY_IN.items())
def test_package_is_imported_in_its_place_only(package: str, places: tuple[str, ...]) -> None:
    elsewhere = [
        name
        for path in python_files("app", "ui", "resources")
        if not (name := path.relative_to(ROOT).as_posix()).startswith(places) and package in imported_packages(path)
    ]
    assert elsewhere == []


def test_the_check_for_imports_sees_lazy_ones(tmp_path: Path) -> None:
    file = tmp_path / "lazy.py"
    file.write_text("def f():\n    from llama_cpp.llama import Llama\n    return Llama\n", encoding="utf-8")
    assert list(imported_packages(file)) == ["llama_cpp"]


@pytest.mark.parametrize(("folders", "longest"), [(CODE, LONGEST_FILE), (("tests",), LONGEST_TEST_FILE)])
def test_no_file_is_long(folders: tuple[str, ...], longest: int) -> None:
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in python_files(*folders)}
    long = {path.relative_to(ROOT).as_posix(): lines for path, lines in lengths.items() if lines > longest}
    assert long == {}


def test_every_module_says_what_it_is() -> None:
    silent = [
        path.relative_to(ROOT).as_posix()
        for path in python_files(*CODE)
        if not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert silent == []


def test_packaging_is_no_package() -> None:
    # It would shadow the module `packaging` that pytest, pip and others import.
    assert not (ROOT / "packaging" / "__init__.py").exists()


def test_nothing_prints_but_the_command_line() -> None:
    found = [
        path.relative_to(ROOT).as_posix()
        for path in python_files("app", "ui")
        if "app/cli/" not in path.as_posix()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]
    assert found == []


def test_no_tool_is_known_by_its_name_outside_its_room() -> None:
    """Whoever needs one looks at what tools say of themselves."""
    documents: Any = None
    names = [spec.name for spec in builtin_tools(documents, SystemClock()).tools()]
    assert len(names) >= 4
    known = [
        (path.relative_to(ROOT).as_posix(), name)
        for path in python_files("app", "ui")
        if "app/tools/" not in path.as_posix()
        for name in names
        if re.search(rf"\b{name}\b", path.read_text(encoding="utf-8"))
    ]
    assert known == [("ui/shell/welcome.py", "calculator")]  # an icon


@pytest.mark.parametrize("name", ["requirements.lock", "packaging/bootstrap.lock", "packaging/models.toml"])
def test_locked_files_name_no_address(name: str) -> None:
    assert "://" not in (ROOT / name).read_text(encoding="utf-8")


def test_every_locked_package_is_pinned_and_hashed() -> None:
    blocks = re.split(r"\n(?=\S)", (ROOT / "requirements.lock").read_text(encoding="utf-8"))
    loose = [block.splitlines()[0] for block in blocks if "==" not in block or "--hash=sha256:" not in block]
    assert loose == []


@pytest.mark.parametrize("script", sorted((ROOT / "tests" / "bench").glob("[!_]*.py")), ids=lambda path: path.name)
def test_every_benchmark_takes_json(script: Path) -> None:
    """`dev.py bench` runs each with ``--json OUT``."""
    assert 'add_argument("--json"' in script.read_text(encoding="utf-8")


def is_plain(text: ast.expr) -> bool:
    """Whether what a tooltip is set to is our own words, or made plain."""
    match text:
        case ast.Constant():
            return True
        case ast.Call(func=ast.Name(id="plain_tip")) | ast.Call(func=ast.Attribute(attr="tr")):
            return True
        case ast.IfExp(body=body, orelse=orelse):
            return is_plain(body) and is_plain(orelse)
        case _:
            return False


def test_tooltips_take_no_strangers_text_for_html() -> None:
    found = [
        f"{path.relative_to(ROOT).as_posix()}:{node.lineno}"
        for path in python_files("ui")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "setToolTip"
        and not is_plain(node.args[0])
    ]
    assert found == []
