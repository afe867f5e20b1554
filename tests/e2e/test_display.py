"""The window on a real X display (Xvfb), with the real models."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtGui import QColor, QImage

from ui.theme import DARK, LIGHT

pytestmark = [pytest.mark.model, pytest.mark.display]


@pytest.fixture
def display() -> Iterator[str]:
    if shutil.which("Xvfb") is None:
        pytest.skip("Xvfb is not installed")
    read, write = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(write), "-screen", "0", "1400x900x24", "-nolisten", "tcp"],
        pass_fds=[write],
        stderr=subprocess.DEVNULL,
    )
    os.close(write)
    try:
        with os.fdopen(read) as number:
            yield f":{number.readline().strip()}"
    finally:
        server.terminate()
        server.wait()


def test_typed_answered_and_drawn_in_both_schemes(display: str, environment: dict[str, str], tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("drive_window.py")), str(tmp_path / "home"), str(tmp_path)],
        env={**environment, "DISPLAY": display, "QT_QPA_PLATFORM": "xcb"},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "391" in done.stdout
    for name, theme in (("light", LIGHT), ("dark", DARK)):
        picture = QImage(str(tmp_path / f"{name}.png"))
        assert picture.width() >= 1000
        colours = [
            picture.pixelColor(x, y) for x in range(0, picture.width(), 9) for y in range(0, picture.height(), 9)
        ]
        assert colours.count(QColor(theme.background)) > len(colours) // 10
        assert len({colour.rgb() for colour in colours}) > 20  # text and icons, not a blank sheet
