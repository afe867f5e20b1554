"""The log: where it is, how much of it is kept, what stands in it and what never does."""

import logging
import stat
import subprocess
import sys
from pathlib import Path

import pytest

import app
from app.diagnostics.log import (
    FILE_BYTES,
    FILE_NAME,
    OLDER_FILES,
    WINDOW,
    ContentFree,
    categories,
    category_of,
    chosen_categories,
    last_records,
    logging_to,
    masked,
)
from app.domain.errors import AppError

SECRET = "heliotrope"
engine, agent = logging.getLogger("app.engine.local.somewhere"), logging.getLogger("app.agent.somewhere")


def written(folder: Path) -> str:
    return (folder / FILE_NAME).read_text(encoding="utf-8")


def test_a_record_is_one_line_with_its_place_and_what_belongs_to_it_below(tmp_path: Path) -> None:
    with logging_to(tmp_path / "logs") as path:
        assert not path.parent.exists()  # it costs nothing where nothing is said
        engine.info("loaded %s\nwell", "a model")
        engine.debug("not asked for")
    (first, second) = path.read_text(encoding="utf-8").splitlines()
    assert first.endswith("INFO app.engine.local.somewhere [MainThread] loaded a model")
    assert second == "    well"
    if sys.platform != "win32":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_everything_is_as_before_when_the_program_ends(tmp_path: Path) -> None:
    root = logging.getLogger()
    before = list(root.handlers), [logging.getLogger(name).level for name in ("app", "ui", "app.engine")]
    with logging_to(tmp_path, ("engine",)):
        pass
    assert before == (list(root.handlers), [logging.getLogger(name).level for name in ("app", "ui", "app.engine")])


def test_what_exceptions_and_libraries_quote_is_not_in_it(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with logging_to(tmp_path, ("all",)):
        try:
            int(SECRET)
        except ValueError as error:
            engine.exception("first")
            engine.info("second %s %r", error, error)
        logging.getLogger("httpx2").error("could not reach %s", SECRET)
    text = written(tmp_path)
    assert SECRET not in text
    assert "second ValueError ValueError" in text
    assert "int(SECRET)" in text
    assert "a message of test_log, line" in text


def test_a_sentence_that_cannot_be_filled_is_kept_as_it_is() -> None:
    record = logging.LogRecord("app.x", logging.INFO, "x.py", 1, "two %s %s", (SECRET,), None)
    assert ContentFree().format(record).endswith("two %s %s")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"{Path.home()}/models/a.gguf", "~/models/a.gguf"),
        ("GET https://cdn.hub.co/x/y.gguf?Signature=abc&x=1 failed", "GET https://cdn.hub.co/x/y.gguf?… failed"),
        ("proxy http://me:word@proxy:8080 refused", "proxy http://proxy:8080 refused"),
        ("with hf_abcdefghIJKL", "with hf_…"),
        ("why? because", "why? because"),
    ],
)
def test_names_and_keys_are_masked(text: str, expected: str) -> None:
    assert masked(text) == expected


@pytest.mark.expect_log("odd")
def test_categories_are_the_rooms(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rooms = {
        path.stem for path in Path(app.__path__[0]).iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()
    }
    assert set(categories()) == rooms - {"__init__"} | {WINDOW}
    assert category_of("ui.shell.window") == WINDOW
    assert category_of("httpx2._client") == ""
    with logging_to(tmp_path, ("engine",)):
        engine.debug("a step")
        agent.debug("another")
        agent.info("told")
        agent.warning("odd")
    text = written(tmp_path)
    assert "a step" in text
    assert "told" in text
    assert "another" not in text
    assert capsys.readouterr().err == "app.engine.local.somewhere: a step\napp.agent.somewhere: odd\n"


@pytest.mark.parametrize("text", ["motor", "", "engine,motor"])
def test_an_unknown_category_is_answered_with_all_there_are(text: str) -> None:
    with pytest.raises(AppError, match=r"There are: all, .*engine.*window") as caught:
        chosen_categories(text)
    assert caught.value.code == "debug-category"


def test_several_categories_can_be_chosen() -> None:
    assert chosen_categories("engine, agent,") == ("engine", "agent")


def test_a_program_without_a_terminal_has_a_log_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", None)
    with logging_to(tmp_path, ("all",)):
        engine.info("hello")
    assert "hello" in written(tmp_path)


def test_a_folder_that_cannot_be_made_costs_nothing_else(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    with logging_to(tmp_path / "file" / "logs"):
        engine.info("hello")
    assert capsys.readouterr().err == ""


WRITER = """
import logging, sys
from pathlib import Path
from app.diagnostics.log import logging_to
with logging_to(Path(sys.argv[1])):
    for number in range(30_000):
        logging.getLogger("app.engine").info("record %d of %s", number, sys.argv[2] * 60)
"""


def test_processes_that_write_at_the_same_time_keep_whole_lines_and_a_limit(tmp_path: Path) -> None:
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path), letter]) for letter in "ab"]
    assert [writer.wait(timeout=100) for writer in writers] == [0, 0]
    files = sorted(tmp_path.iterdir())
    assert 2 <= len(files) <= 1 + OLDER_FILES
    assert sum(file.stat().st_size for file in files) <= (1 + OLDER_FILES) * (FILE_BYTES + 100_000)
    for file in files:
        lines = file.read_text(encoding="utf-8").splitlines()
        assert all(line.endswith(("a" * 60, "b" * 60)) for line in lines)


def test_the_newest_records_come_with_what_belongs_to_them(tmp_path: Path) -> None:
    with logging_to(tmp_path):
        for number in range(50):
            engine.info("record %d\nbelow", number)
    records = last_records(tmp_path, 400)
    assert 2 < len(records) < 6
    assert records[-1].endswith("record 49\n    below")
    assert last_records(tmp_path / "none", 400) == []


def test_the_file_before_counts_as_well(tmp_path: Path) -> None:
    for name, word in ((FILE_NAME, "new"), (f"{FILE_NAME}.1", "old")):
        (tmp_path / name).write_text(f"2026-01-02 00:00:00.000 INFO app.x [m] {word}\n", encoding="utf-8")
    assert [record[-3:] for record in last_records(tmp_path, 4000)] == ["old", "new"]
