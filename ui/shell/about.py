"""What this program is."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QDialog, QLabel, QPushButton, QVBoxLayout, QWidget

from app import __version__

WIDTH = 440  # px


class AboutDialog(QDialog):
    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("About Alcove"))
        name = QLabel(f"Alcove {__version__}", self)
        name.setProperty("kind", "title")
        text = QLabel(
            self.tr(
                "A desktop chat for thinking models on your own machine, with your own documents.\n\n"
                "Nothing leaves this computer unless you ask for it. No telemetry.\n\n"
                "Apache License 2.0. Alcove uses Qt (LGPL 3), llama.cpp (MIT) and other free software;"
                " their licences lie beside the program."
            ),
            self,
        )
        text.setWordWrap(True)
        close = QPushButton(self.tr("Close"), self)
        close.setDefault(True)
        close.clicked.connect(self.reject)
        column = QVBoxLayout(self)
        column.setContentsMargins(28, 24, 28, 20)
        column.setSpacing(12)
        column.addWidget(name)
        column.addWidget(text)
        column.addSpacing(8)
        column.addWidget(close, 0, Qt.AlignmentFlag.AlignRight)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)

    def showEvent(self, event: QShowEvent) -> None:
        """A dialog does not grow by itself for lines that break."""
        super().showEvent(event)
        if (layout := self.layout()) is not None:
            self.setFixedSize(WIDTH, layout.totalHeightForWidth(WIDTH))
