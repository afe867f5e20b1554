"""A row of the settings dialog: label, field, meaning, a mark where it differs from the default, and the way back."""

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QGridLayout, QLabel, QWidget

from app.domain.errors import AppError
from app.domain.setting import Declared
from ui.errors import error_hint, error_message
from ui.settings.editors import editor_for
from ui.settings.words import help_text, said, search_text, value_text
from ui.theme import current_theme
from ui.widgets.buttons import IconButton

LABEL_WIDTH = 190  # px
FIELD_WIDTH = 290  # px
MARK_WIDTH = 14  # px left of the label
BUTTON = 28  # px
BOX = 26  # px that a check box takes before its label


class Mark(QWidget):
    """A dot beside what differs from its default. The button to the right of the field says so in words."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setFixedSize(MARK_WIDTH, BUTTON)
        self.on = False

    def set_on(self, on: bool) -> None:
        self.on = on
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        if not self.on:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(current_theme().accent)
        painter.drawEllipse(QRectF(0, (self.height() - 6) / 2, 6, 6))
        painter.end()


class Row(QWidget):
    """The grid that all rows share. ``words``: what the search looks through."""

    def __init__(self, words: str, parent: QWidget) -> None:
        super().__init__(parent)
        self._words = words
        self.grid = QGridLayout(self)
        self.grid.setContentsMargins(0, 0, 0, 0)
        self.grid.setHorizontalSpacing(0)
        self.grid.setVerticalSpacing(2)
        for column, width in enumerate((MARK_WIDTH, LABEL_WIDTH, FIELD_WIDTH, BUTTON + 8)):
            self.grid.setColumnMinimumWidth(column, width)
        self.grid.setColumnStretch(2, 1)

    def matches(self, words: list[str]) -> bool:
        return all(word in self._words for word in words)

    def label(self, text: str, field: QWidget) -> QLabel:
        """A label that leads the keyboard to its field."""
        label = QLabel(text, self)
        label.setWordWrap(True)
        label.setBuddy(field)
        field.setAccessibleName(text)
        return label

    def note(self, kind: str, text: str = "", indent: int = 0) -> QLabel:
        """A line below the field; it takes no room while it is empty."""
        note = QLabel(text, self)
        note.setProperty("kind", kind)
        note.setTextFormat(Qt.TextFormat.PlainText)
        note.setWordWrap(True)
        note.setContentsMargins(indent, 0, 0, 0)
        note.setVisible(bool(text))
        self.grid.addWidget(note, self.grid.rowCount(), 1, 1, 2)
        return note


class SettingRow(Row):
    """One declared setting."""

    def __init__(self, declared: Declared, value: object, parent: QWidget) -> None:
        super().__init__(search_text(declared), parent)
        self.declared = declared
        self._before = value
        self._help = help_text(declared)
        self._mark = Mark(self)
        self._editor = editor_for(declared, self)
        self._editor.show(value)
        self.field = self._editor.widget
        self._back: IconButton | None = None
        self._problem: QLabel | None = None
        self._place()
        self.note("help", self._help, BOX if declared.kind is bool else 0)
        self._editor.changed.connect(self._changed)
        self._changed()

    def _place(self) -> None:
        label, grid, editor = said(self.declared.setting.label), self.grid, self._editor
        grid.addWidget(self._mark, 0, 0, Qt.AlignmentFlag.AlignTop)
        if self.declared.kind is bool:  # the box has its label beside it
            self.field.setAccessibleName(label)
            grid.addWidget(self.field, 0, 1, 1, 2)
            return
        words = self.label(label, self.field)
        words.setMinimumHeight(BUTTON)
        if editor.wide:
            grid.addWidget(words, 0, 1, 1, 2)
            grid.addWidget(self.field, 1, 1, 1, 2)
        else:
            words.setContentsMargins(0, 0, 16, 0)
            grid.addWidget(words, 0, 1)
            grid.addWidget(self.field, 0, 2)

    def changed_value(self) -> dict[str, object]:
        """The setting by its key, where it is another one than before. Raises AppError for what cannot be kept."""
        value = self._editor.value()
        if value == self._before:
            return {}
        value = self.declared.cleaned(value)
        return {} if value == self._before else {self.declared.key: value}

    def take_default(self) -> None:
        self._editor.show(self.declared.default)

    @property
    def differs(self) -> bool:
        """From the default."""
        return self._editor.value() != self.declared.default

    def show_problem(self, error: AppError) -> None:
        if self._problem is None:
            self._problem = self.note("error")
        self._problem.setText(f"{error_message(error.info)} {error_hint(error.info)}".strip())
        self._problem.show()
        self.field.setFocus()

    def _make_back(self) -> IconButton:
        """Made where it is wanted: most settings are as they were, and buttons take long to be styled."""
        setting = self.declared.setting
        default = value_text(self.declared, self.declared.default)
        button = IconButton("refresh", self.tr("Back to the default: {value}").format(value=default), self, size=16)
        button.setAccessibleName(self.tr("{setting}: back to the default").format(setting=said(setting.label)))
        button.setFixedSize(BUTTON, BUTTON)
        button.clicked.connect(self._take_back)
        self.grid.addWidget(button, 0, 3, Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignRight)
        QWidget.setTabOrder(self.field, button)
        return button

    def _take_back(self) -> None:
        self.take_default()
        self.field.setFocus()

    def _changed(self) -> None:
        differs = self.differs
        self._mark.set_on(differs)
        if differs and self._back is None:
            self._back = self._make_back()
        if self._back is not None:
            self._back.setVisible(differs)
        if self._problem is not None:
            self._problem.hide()
        told = self.tr("Differs from the default.") if differs else ""
        self.field.setAccessibleDescription(f"{self._help} {told}".strip())
