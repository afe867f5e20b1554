"""One page with every setting a person may want to change."""

from typing import TypeAlias

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QScrollArea,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from app.services import Settings
from ui.settings.connections import Connections
from ui.widgets.choice import CheckBox, ChoiceBox

LARGEST_CONTEXT = 1 << 20
FIELD_WIDTH = 220  # px
LABEL_WIDTH = 150  # px
GAP = 24  # px between a label and its field
FRAME = QSize(16, 56)  # px that a window's frame may take

Fields: TypeAlias = tuple[tuple[str, QWidget], ...]
Groups: TypeAlias = tuple[tuple[str, Fields], ...]


class _Scroll(QScrollArea):
    """As large as what is in it, where the screen has room for that."""

    def __init__(self, content: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._content = content
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setWidget(content)

    def sizeHint(self) -> QSize:
        return self._content.sizeHint()


class SettingsDialog(QDialog):
    """``saved`` carries the settings that differ from those shown, by name. A new access token is none of them."""

    saved = Signal(dict)
    token_given = Signal(str)

    def __init__(self, settings: Settings, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Settings"))
        self._settings = settings
        self._theme = self._choice(
            settings.theme,
            (("system", self.tr("Like the system")), ("light", self.tr("Light")), ("dark", self.tr("Dark"))),
        )
        self._approval = self._choice(
            settings.approval, (("effects", self.tr("If it changes something")), ("always", self.tr("Always")))
        )
        self._constrain = CheckBox(self.tr("Let a model write only calls that fit the tool"), self)
        self._constrain.setChecked(settings.constrain_calls)
        self._reasoning = CheckBox(self.tr("Keep the model's reasoning open after it has answered"), self)
        self._reasoning.setChecked(settings.keep_reasoning_open)
        self._context = self._number(settings.context, LARGEST_CONTEXT, self.tr(" tokens"))
        self._context.setSingleStep(1024)
        self._threads = self._number(settings.threads, 256, "")
        self._gpu = self._optional_layers(settings.gpu_layers)
        self._unload = self._box(0, 24 * 60)
        self._unload.setSuffix(self.tr(" minutes"))
        self._unload.setSpecialValueText(self.tr("Never"))
        self._unload.setValue(settings.unload_after_minutes)
        self._text_limit = self._box(1, 4096)
        self._text_limit.setSuffix(self.tr(" MB"))
        self._text_limit.setValue(settings.max_text_file_mb)
        self.connections = Connections(settings, self)
        self._prompt = QPlainTextEdit(self)
        self._prompt.setProperty("kind", "field")
        self._prompt.setTabChangesFocus(True)
        self._prompt.setMinimumHeight(110)
        self._prompt.setPlaceholderText(self.tr("Empty: Alcove's own instructions"))
        self._prompt.setPlainText(settings.system_prompt)
        self._explain()
        self._build()
        self._fit(self.screen().availableSize() - FRAME)

    def _fit(self, room: QSize) -> None:
        """Whole where there is room; else there is one scroll bar, not two."""
        size = self.sizeHint()
        if size.height() > room.height():
            size += QSize(self._scroll.verticalScrollBar().sizeHint().width(), 0)
        self.resize(size.boundedTo(room))

    def _explain(self) -> None:
        """What the words mean, for who rests the mouse on them."""
        token = self.tr("a token is a word or a piece of one")
        for field, meaning in (
            (self._constrain, self.tr("Fewer mistakes when a small model uses a tool")),
            (self._context, self.tr("How much of a conversation the model can see; {token}").format(token=token)),
            (self._threads, self.tr("How many cores of the processor work at most")),
            (self._gpu, self.tr("How much of the model the graphics card computes; more is faster, if it fits")),
            (self._unload, self.tr("The model gives its memory back then; the next question loads it again")),
            (self._text_limit, self.tr("Larger text files are left out")),
            (self.connections.token, self.tr("For models that ask for an account at Hugging Face")),
        ):
            field.setToolTip(meaning)
            field.setAccessibleDescription(meaning)

    def _choice(self, value: str, options: tuple[tuple[str, str], ...]) -> ChoiceBox:
        box = ChoiceBox(self)
        for name, label in options:
            box.addItem(label, name)
        box.setCurrentIndex(max(0, box.findData(value)))
        return box

    def _box(self, least: int, largest: int) -> QSpinBox:
        """The style sheet hides the arrows, which are small; keys and the wheel still count."""
        box = QSpinBox(self)
        box.setRange(least, largest)
        box.lineEdit().setTextMargins(6, 0, 0, 0)
        return box

    def _number(self, value: int | None, largest: int, suffix: str) -> QSpinBox:
        """0 is shown as a word and means: leave it to the program."""
        box = self._box(0, largest)
        box.setSuffix(suffix)
        box.setSpecialValueText(self.tr("Automatic"))
        box.setValue(value or 0)
        return box

    def _optional_layers(self, value: int | None) -> QSpinBox:
        """No layer at all is a choice of its own here, so that automatic is -1."""
        box = self._box(-1, 999)
        box.setSpecialValueText(self.tr("Automatic"))
        box.setValue(-1 if value is None else value)
        return box

    def _groups(self) -> tuple[Groups, Groups]:
        """Titles and fields of the left and of the right column. "" stands for a field without a label."""
        net = self.connections
        return (
            (
                (self.tr("Appearance"), ((self.tr("Colours"), self._theme), ("", self._reasoning))),
                (
                    self.tr("Model"),
                    (
                        (self.tr("Context"), self._context),
                        (self.tr("Threads"), self._threads),
                        (self.tr("Layers on the GPU"), self._gpu),
                        (self.tr("Unload when idle for"), self._unload),
                    ),
                ),
                (self.tr("Tools"), ((self.tr("Ask before a tool runs"), self._approval), ("", self._constrain))),
                (self.tr("Documents"), ((self.tr("Largest text file"), self._text_limit),)),
            ),
            (
                (
                    self.tr("Connections"),
                    (
                        ("", net.offline),
                        (self.tr("Proxy"), net.proxy),
                        ("", net.problem),
                        (self.tr("Hugging Face token"), net.token),
                        ("", net.token_note),
                    ),
                ),
                (self.tr("Instructions for the model"), (("", self._prompt),)),
            ),
        )

    def _build(self) -> None:
        content = QWidget()
        page = QVBoxLayout(content)
        page.setContentsMargins(24, 20, 24, 12)
        page.setSpacing(12)
        columns = QHBoxLayout()
        columns.setSpacing(40)
        left, right = self._groups()
        columns.addLayout(self._column(left))
        column = self._column(right)
        column.setStretch(column.count() - 1, 1)  # the instructions take what is left
        columns.addLayout(column)
        page.addLayout(columns)
        note = QLabel(
            self.tr(
                "Changes to the model's settings load it again. Those of a single model (Ctrl+I) come before these."
            ),
            self,
        )
        note.setProperty("kind", "muted")
        page.addWidget(note)
        self._scroll = _Scroll(content, self)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(self._scroll, 1)
        whole.addWidget(self._buttons())

    def _buttons(self) -> QDialogButtonBox:
        buttons = QDialogButtonBox(self)
        save = QPushButton(self.tr("Save"), self)
        save.setProperty("kind", "primary")
        save.setDefault(True)
        buttons.addButton(save, QDialogButtonBox.ButtonRole.AcceptRole)
        buttons.addButton(QPushButton(self.tr("Cancel"), self), QDialogButtonBox.ButtonRole.RejectRole)
        buttons.accepted.connect(self._save)
        buttons.rejected.connect(self.reject)
        buttons.setContentsMargins(24, 8, 24, 20)
        return buttons

    def _column(self, groups: Groups) -> QVBoxLayout:
        column = QVBoxLayout()
        column.setSpacing(12)
        for title, fields in groups:
            heading = QLabel(title, self)
            heading.setProperty("kind", "section")
            column.addSpacing(4)
            column.addWidget(heading)
            column.addLayout(self._form(fields))
        return column

    def _form(self, fields: Fields) -> QFormLayout:
        form = QFormLayout()
        form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.FieldsStayAtSizeHint)
        form.setHorizontalSpacing(GAP)
        form.setVerticalSpacing(8)
        for label, field in fields:
            if not label:
                form.addRow(field)
                continue
            field.setAccessibleName(label)
            field.setMinimumWidth(FIELD_WIDTH)
            text = QLabel(label, self)
            text.setMinimumHeight(field.sizeHint().height())
            text.setMinimumWidth(LABEL_WIDTH)
            text.setBuddy(field)
            text.setToolTip(field.toolTip())
            form.addRow(text, field)
        self._prompt.setAccessibleName(self.tr("Instructions for the model"))
        return form

    def changes(self) -> dict[str, object]:
        """The settings that differ from those the dialog was opened with."""
        chosen: dict[str, object] = {
            "theme": self._theme.currentData(),
            "constrain_calls": self._constrain.isChecked(),
            "keep_reasoning_open": self._reasoning.isChecked(),
            "approval": self._approval.currentData(),
            "context": self._context.value() or None,
            "threads": self._threads.value() or None,
            "gpu_layers": self._gpu.value() if self._gpu.value() >= 0 else None,
            "unload_after_minutes": self._unload.value(),
            "max_text_file_mb": self._text_limit.value(),
            "offline": self.connections.offline.isChecked(),
            "proxy": self.connections.chosen_proxy(),
            "system_prompt": self._prompt.toPlainText().strip(),
        }
        return {name: value for name, value in chosen.items() if value != getattr(self._settings, name)}

    def _save(self) -> None:
        if not self.connections.check():
            return
        changes, token = self.changes(), self.connections.chosen_token()
        self.accept()
        if changes:
            self.saved.emit(changes)
        if token:
            self.token_given.emit(token)
