"""What a person can send who reports a fault: shown whole before anything is copied."""

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLabel, QPlainTextEdit, QPushButton, QVBoxLayout, QWidget

from ui.bridge import Bridge
from ui.theme import code_font


class ReportDialog(QDialog):
    """``make`` writes the report, on the bridge's pool."""

    def __init__(self, make: Callable[[], str], bridge: Bridge, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("Copy report"))
        self.resize(760, 520)
        note = QLabel(
            self.tr(
                "This is all that is copied, and nothing is sent. It holds no word of your chats and documents; look it"
                " over before you give it to somebody."
            ),
            self,
        )
        note.setProperty("kind", "muted")
        note.setWordWrap(True)
        self.text = QPlainTextEdit(self)
        self.text.setReadOnly(True)
        self.text.setProperty("kind", "code")
        self.text.setFont(code_font())
        self.text.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.text.setPlaceholderText(self.tr("Looking at this machine…"))
        self.text.setAccessibleName(self.tr("The report"))
        self.copy = QPushButton(self.tr("Copy"), self)
        self.copy.setProperty("kind", "primary")
        self.copy.setEnabled(False)
        self.copy.clicked.connect(self._copy)
        close = QPushButton(self.tr("Close"), self)
        close.clicked.connect(self.reject)
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        buttons.addWidget(close)
        buttons.addWidget(self.copy)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 20, 24, 18)
        column.setSpacing(12)
        column.addWidget(note)
        column.addWidget(self.text, 1)
        column.addLayout(buttons)
        bridge.run(make, self._show)

    def _show(self, report: str) -> None:
        self.text.setPlainText(report)
        self.copy.setEnabled(True)
        self.copy.setDefault(True)
        self.copy.setFocus()

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self.text.toPlainText())
        self.copy.setText(self.tr("Copied"))
