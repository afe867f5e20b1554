"""A field for each kind of setting."""

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import Qt, SignalInstance
from PySide6.QtGui import QFontMetrics, QWheelEvent
from PySide6.QtWidgets import QLineEdit, QPlainTextEdit, QSpinBox, QWidget

from app.domain.setting import Declared
from ui.settings.words import said
from ui.widgets.choice import CheckBox, ChoiceBox

LIST_LINES = 3


@dataclass(frozen=True, slots=True)
class Editor:
    """A field, and how a value goes in and comes out. ``wide``: it takes the row's whole width, below the label."""

    widget: QWidget
    value: Callable[[], object]
    show: Callable[[object], None]
    changed: SignalInstance
    wide: bool = False


class _NumberBox(QSpinBox):
    """The style sheet hides the arrows, which are small; keys count, and the wheel while the box has the focus."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.lineEdit().setTextMargins(8, 0, 0, 0)

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()


def editor_for(declared: Declared, parent: QWidget) -> Editor:
    """The field that fits the type of a setting; it shows no value yet."""
    if declared.choices:
        return _choice(declared, parent)
    if declared.kind is bool:
        box = CheckBox(said(declared.setting.label), parent)
        return Editor(box, box.isChecked, lambda value: box.setChecked(bool(value)), box.toggled)
    if declared.kind is int:
        return _number(declared, parent)
    if declared.kind is tuple:
        return _lines(declared, parent, LIST_LINES, listed=True)
    if declared.setting.lines > 1:
        return _lines(declared, parent, declared.setting.lines, listed=False)
    line = QLineEdit(parent)
    line.setPlaceholderText(_when_empty(declared))
    return Editor(line, line.text, lambda value: line.setText(str(value)), line.textChanged)


def _choice(declared: Declared, parent: QWidget) -> Editor:
    box = ChoiceBox(parent)
    for choice in declared.choices:
        box.addItem(said(declared.setting.words.get(choice, choice)), choice)
    return Editor(box, box.currentData, lambda value: box.setCurrentIndex(box.findData(value)), box.currentIndexChanged)


def _number(declared: Declared, parent: QWidget) -> Editor:
    """None is one below the smallest number, and is shown as a word."""
    setting = declared.setting
    none = setting.least - 1
    lowest = none if declared.optional else setting.least
    box = _NumberBox(parent)
    box.setRange(lowest, setting.most)
    box.setSingleStep(setting.step)
    box.setSuffix(f" {said(setting.unit)}" if setting.unit else "")
    box.setSpecialValueText(said(setting.words.get(None if declared.optional else lowest, "")))

    def value() -> object:
        return None if declared.optional and box.value() == none else box.value()

    def show(number: object) -> None:
        box.setValue(number if isinstance(number, int) else none)

    return Editor(box, value, show, box.valueChanged)


def _lines(declared: Declared, parent: QWidget, lines: int, *, listed: bool) -> Editor:
    """A text of several lines, or a text in each line."""
    field = QPlainTextEdit(parent)
    field.setProperty("kind", "field")
    field.setTabChangesFocus(True)
    field.setFixedHeight(QFontMetrics(field.font()).lineSpacing() * lines + 28)
    field.setPlaceholderText(_when_empty(declared))

    def value() -> object:
        text = field.toPlainText()
        return tuple(line.strip() for line in text.splitlines() if line.strip()) if listed else text

    def show(text: object) -> None:
        field.setPlainText("\n".join(text) if isinstance(text, tuple) else str(text))

    return Editor(field, value, show, field.textChanged, wide=True)


def _when_empty(declared: Declared) -> str:
    return said(declared.setting.words.get("", ""))
