"""Every setting that a person may want to change: found by a search, explained, and taken back one by one or all."""

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from app.domain.errors import AppError
from app.domain.setting import Group, Shown, declarations, grouped
from app.domain.settings import CONNECTIONS, Settings
from ui.settings.rows import MARK_WIDTH, Row, SettingRow
from ui.settings.token import TokenRow
from ui.settings.words import said

MARGIN = 24  # px
LARGEST = QSize(680, 760)  # px; wider fields read worse
FRAME = QSize(16, 56)  # px that a window's frame may take


class _Search(QLineEdit):
    """Enter does not save the dialog; it goes to what was found."""

    entered = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Down):
            self.entered.emit()
        else:
            super().keyPressEvent(event)


class _Scroll(QScrollArea):
    """As wide as what is in it."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setWidgetResizable(True)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.content = QWidget(self.viewport())
        self.setWidget(self.content)  # before it is filled: what is in it would be styled twice

    def sizeHint(self) -> QSize:
        return self.content.sizeHint() + QSize(self.verticalScrollBar().sizeHint().width(), 0)


class _Section(QWidget):
    """A group of settings below its name."""

    def __init__(self, group: Group, parent: QWidget) -> None:
        super().__init__(parent)
        self.rows: list[Row] = []
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(14)
        head = QVBoxLayout()
        head.setContentsMargins(MARK_WIDTH, 0, 0, 0)
        head.setSpacing(2)
        for kind, text in (("heading", group.label), ("help", group.note)):
            if text:
                label = QLabel(said(text), self)
                label.setProperty("kind", kind)
                label.setWordWrap(True)
                head.addWidget(label)
        self._layout.addLayout(head)

    def add(self, row: Row) -> None:
        self.rows.append(row)
        self._layout.addWidget(row)

    def filter(self, words: list[str]) -> bool:
        """Show the rows that match; whether there are any."""
        found = [row.matches(words) for row in self.rows]
        for row, shown in zip(self.rows, found, strict=True):
            row.setVisible(shown)
        self.setVisible(any(found))
        return any(found)


class SettingsDialog(QDialog):
    """``saved`` carries the settings that differ from those shown, by name. A new access token is none of them."""

    saved = Signal(dict)
    token_given = Signal(str)

    def __init__(self, settings: Settings, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Settings"))
        self.search = _Search(self)
        self.search.setPlaceholderText(self.tr("Search settings"))
        self.search.setAccessibleName(self.tr("Search settings"))
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(self._filter)
        self.search.entered.connect(self._enter)
        self.rows: list[SettingRow] = []
        self._scroll = _Scroll(self)
        self._content = self._scroll.content
        self._sections = self._make_sections(settings)
        self._nothing = QLabel(self.tr("No setting is called so."), self._content)
        self._nothing.setProperty("kind", "muted")
        self._nothing.setContentsMargins(MARK_WIDTH, 0, 0, 0)
        self._nothing.hide()
        self._build()
        self.setMaximumWidth(LARGEST.width())
        self.resize(self.sizeHint().boundedTo(self.screen().availableSize() - FRAME).boundedTo(LARGEST))

    def _make_sections(self, settings: Settings) -> list[_Section]:
        shown = [each for each in declarations(type(settings)).values() if each.setting.shown is Shown.EVERYWHERE]
        sections = []
        for group, members in grouped(shown).items():
            section = _Section(group, self._content)
            for declared in members:
                row = SettingRow(declared, getattr(settings, declared.key), section)
                self.rows.append(row)
                section.add(row)
            if group == CONNECTIONS:
                self.token = TokenRow(section)
                section.add(self.token)
            sections.append(section)
        return sections

    def _build(self) -> None:
        page = QVBoxLayout(self._content)
        page.setContentsMargins(MARGIN - MARK_WIDTH, 8, MARGIN - 8, MARGIN)
        page.setSpacing(28)
        for section in self._sections:
            page.addWidget(section)
        page.addWidget(self._nothing)
        page.addStretch(1)
        top = QVBoxLayout()
        top.setContentsMargins(MARGIN, 20, MARGIN, 12)
        top.addWidget(self.search)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addLayout(top)
        whole.addWidget(self._scroll, 1)
        whole.addLayout(self._buttons())
        self.search.setFocus()

    def _buttons(self) -> QHBoxLayout:
        defaults = QPushButton(self.tr("Reset all"), self)
        defaults.setToolTip(self.tr("Show the defaults of all these settings; they count once they are saved"))
        defaults.setAutoDefault(False)
        defaults.clicked.connect(self._take_defaults)
        save = QPushButton(self.tr("Save"), self)
        save.setProperty("kind", "primary")
        save.setDefault(True)
        cancel = QPushButton(self.tr("Cancel"), self)
        cancel.setAutoDefault(False)
        box = QDialogButtonBox(self)
        box.addButton(save, QDialogButtonBox.ButtonRole.AcceptRole)
        box.addButton(cancel, QDialogButtonBox.ButtonRole.RejectRole)
        box.accepted.connect(self._save)
        box.rejected.connect(self.reject)
        row = QHBoxLayout()  # a button box keeps the keyboard from what resets
        row.setContentsMargins(MARGIN, 12, MARGIN, 20)
        row.addWidget(defaults)
        row.addStretch(1)
        row.addWidget(box)
        return row

    def changes(self) -> dict[str, object]:
        """The settings that differ from those the dialog was opened with. Raises AppError for what cannot be kept."""
        found: dict[str, object] = {}
        for row in self.rows:
            found.update(row.changed_value())
        return found

    def _filter(self, text: str) -> None:
        words = text.casefold().split()
        found = [section.filter(words) for section in self._sections]
        self._nothing.setVisible(not any(found))

    def _enter(self) -> None:
        """Into the first field that is shown."""
        rows: Sequence[SettingRow | TokenRow] = [*self.rows, self.token]
        first = next((row for row in rows if row.isVisibleTo(self)), None)
        if first is not None:
            first.field.setFocus(Qt.FocusReason.TabFocusReason)

    def _take_defaults(self) -> None:
        for row in self.rows:
            row.take_default()

    def _save(self) -> None:
        changes: dict[str, object] = {}
        for row in self.rows:
            try:
                changes.update(row.changed_value())
            except AppError as error:
                self.search.clear()
                row.show_problem(error)
                QTimer.singleShot(0, self, lambda row=row: self._scroll.ensureWidgetVisible(row))  # laid out by then
                return
        token = self.token.chosen()
        self.accept()
        if changes:
            self.saved.emit(changes)
        if token:
            self.token_given.emit(token)
