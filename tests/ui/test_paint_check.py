"""``alcove --paint-check``, with which an installation shows that it can paint a window."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtGui import QImage

from ui.paint_check import FEWEST_COLOURS, count_colours


def test_the_window_is_painted_and_nobodys_home_is_touched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALCOVE_HOME", str(tmp_path / "home"))
    command = [sys.executable, "-m", "ui.main", "--paint-check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=100)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["width"] > 600  # Qt's offscreen screen is 800 wide, and the window fits it
    assert report["colours"] >= FEWEST_COLOURS
    assert not (tmp_path / "home").exists()


def test_an_empty_picture_has_one_colour(qapp: object) -> None:
    image = QImage(64, 64, QImage.Format.Format_RGB32)
    image.fill(0xFFFFFF)
    assert count_colours(image) == 1
