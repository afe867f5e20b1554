"""Draws the icon in the formats that installers want. Runs in the freezing environment, with Qt and without a screen:
`python icons.py alcove.svg small.png@48 large.png@256 out.ico out.icns`."""

import os
import sys
from pathlib import Path

os.environ["QT_QPA_PLATFORM"] = "offscreen"

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QImage, QPainter
from PySide6.QtSvg import QSvgRenderer

SIZES = {".ico": 256, ".icns": 1024}


def draw(drawing: Path, target: Path, size: int) -> None:
    image = QImage(size, size, QImage.Format.Format_ARGB32)
    image.fill(Qt.GlobalColor.transparent)
    renderer = QSvgRenderer(str(drawing))
    painter = QPainter(image)
    renderer.render(painter)
    painter.end()
    target.parent.mkdir(parents=True, exist_ok=True)
    if not renderer.isValid() or not image.save(str(target)):
        sys.exit(f"{target} could not be drawn from {drawing}.")


def main(words: list[str]) -> None:
    application = QGuiApplication([])
    for word in words[1:]:
        name, _, size = word.rpartition("@")
        target = Path(name or word)
        draw(Path(words[0]), target, int(size) if name else SIZES[target.suffix])
    del application


if __name__ == "__main__":
    main(sys.argv[1:])
