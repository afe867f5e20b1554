"""What a report holds, and what it does not."""

import logging
from dataclasses import replace
from pathlib import Path

import pytest

from app.diagnostics.log import logging_to
from app.diagnostics.report import LINES, report
from app.diagnostics.running import CRASH_FILE
from app.domain.models import ModelInfo
from app.machine.devices import GIB, Machine, gpu, this_ram

log = logging.getLogger("app.somewhere")
SECRET = "heliotrope"
MODEL = ModelInfo(
    "My heliotrope", "/home/me/heliotrope.gguf", "qwen3moe", "qwen3moe 30B Q4_K", 1, 1, 8192, 32768, "{{heliotrope}}",
    "", 0, "", "", add_bos=False, devices=("Card 1", "CPU"),
)  # fmt: skip


@pytest.fixture
def machine() -> Machine:
    return Machine(
        replace(this_ram(measure=False), total=32 * GIB, free=28 * GIB), (gpu("Card 1", 24 * GIB),), amx=True
    )


def test_program_machine_and_model_are_described_without_their_names(tmp_path: Path, machine: Machine) -> None:
    text = report(tmp_path, tmp_path, machine, MODEL)
    assert text.startswith("Alcove ")
    for words in ("llama-cpp-python 0.", "RAM 32.0 GB, 28.0 GB free, AMX", "Card 1 24.0 GB", "GB free on the disk"):
        assert words in text
    assert "model: qwen3moe, qwen3moe 30B Q4_K, context 8192 of 32768, on Card 1, CPU" in text
    assert SECRET not in text
    bare = report(tmp_path / "none", tmp_path / "none", Machine(machine.ram), None)
    assert "no model is loaded" in bare
    assert "no graphics card" in bare


@pytest.mark.expect_log("it broke")
def test_the_last_errors_come_whole_and_the_last_lines_short(tmp_path: Path, machine: Machine) -> None:
    with logging_to(tmp_path):
        try:
            int(SECRET)
        except ValueError:
            log.exception("it broke")
        for number in range(LINES + 20):
            log.info("step %d in %s\nmore", number, Path.home())
    text = report(tmp_path, tmp_path, machine, None)
    errors, lines = text.split("The end of ")
    assert "ERROR app.somewhere [MainThread] it broke\n    Traceback" in errors
    assert errors.rstrip().endswith("ValueError")
    assert f"step {LINES + 19} in ~\n" in lines
    assert lines.count("step ") == LINES
    assert "more" not in lines
    assert str(Path.home()) not in text
    assert SECRET not in text.replace("int(SECRET)", "")


def test_the_last_crash_is_in_it(tmp_path: Path, machine: Machine) -> None:
    (tmp_path / CRASH_FILE).write_text("Fatal Python error: Aborted\n", encoding="utf-8")
    assert ":\nFatal Python error: Aborted\n" in report(tmp_path, tmp_path, machine, None)
    (tmp_path / CRASH_FILE).write_text("", encoding="utf-8")
    assert "ended from outside" in report(tmp_path, tmp_path, machine, None)
