"""The panel's sections from top to bottom. It shows what it is told and says what was pressed."""

import os

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from app.domain.models import ModelInfo
from app.domain.placement import LoadOverrides, Placement
from app.domain.sampling import ChosenSampling
from ui.models.panel.bars import DeviceBars
from ui.models.panel.form import OverridesForm
from ui.models.panel.head import Head
from ui.models.panel.speed import Speed
from ui.models.panel.tuning import TuningView
from ui.models.panel.words import same_settings, sampling_lines, trial_text
from ui.widgets.buttons import IconButton, mark

SIDE = 14  # px


class ModelPanel(QFrame):
    close_requested = Signal()
    choose_requested = Signal()  # there is no model
    opened = Signal()  # it came to be seen
    load_requested = Signal()
    reset_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("modelPanel")
        self.head = Head(self)
        self.bars = DeviceBars(self)
        self.form = OverridesForm(os.cpu_count() or 1, self)
        self.trial = _label("muted", self)
        self.load = QPushButton(self.tr("Load with these settings"), self)
        self.load.setProperty("kind", "primary")
        self.load.clicked.connect(self.load_requested)
        self.reset = QPushButton(self.tr("Reset"), self)
        self.reset.setProperty("kind", "link")
        self.reset.setToolTip(self.tr("Everything automatic"))
        self.reset.clicked.connect(self.reset_requested)
        self.tuning = TuningView(self)
        self.notice = _label("", self)
        self.notice.setAccessibleName(self.tr("Notice"))
        self.speed = Speed(self)
        self.reuse = _label("", self)
        self.reuse.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.sampling = _label("", self)
        self.sampling.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.sampling.setToolTip(self.tr("The lower the temperature, the fewer surprises"))
        self._sampling = _section(self.tr("How it chooses its words"), self.sampling, self)
        self._plan = QWidget(self)
        self._settings = QWidget(self)
        self._stack = QStackedWidget(self)
        self._scroll = QScrollArea(self)
        self._build()

    def _build(self) -> None:
        title = QLabel(self.tr("Model"), self)
        title.setProperty("kind", "heading")
        close = IconButton("close", self.tr("Hide the panel"), self, size=16)
        close.clicked.connect(self.close_requested)
        head = QHBoxLayout()
        head.setContentsMargins(SIDE, 0, 8, 0)
        head.addWidget(title)
        head.addStretch(1)
        head.addWidget(close)
        self._scroll.setWidget(self._content())
        self._scroll.setWidgetResizable(True)
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._stack.addWidget(self._empty())
        self._stack.addWidget(self._scroll)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 10, 0, 0)
        column.setSpacing(8)
        column.addLayout(head)
        column.addWidget(self._stack, 1)

    def _empty(self) -> QWidget:
        empty = QWidget(self)
        words = _label("muted", empty)
        words.setText(self.tr("There is no model yet. Choose one, and see here where it lies and how fast it is."))
        words.setAlignment(Qt.AlignmentFlag.AlignCenter)
        choose = QPushButton(self.tr("Choose a model"), empty)
        choose.clicked.connect(self.choose_requested)
        column = QVBoxLayout(empty)
        column.setContentsMargins(24, 0, 24, 0)
        column.setSpacing(12)
        column.addStretch(1)
        column.addWidget(words)
        column.addWidget(choose, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch(1)
        return empty

    def _content(self) -> QWidget:
        content = QWidget()
        content.setObjectName("modelPanelContent")
        column = QVBoxLayout(content)
        column.setContentsMargins(SIDE, 4, SIDE, 20)
        column.setSpacing(0)
        plan = QVBoxLayout(self._plan)
        plan.setContentsMargins(0, 0, 0, 0)
        plan.setSpacing(0)
        for widget in (_section(self.tr("Where it lies"), self.bars, self), self._settings_section()):
            plan.addWidget(widget)
        for widget in (
            self.head,
            self.notice,
            self._plan,
            self._sampling,
            _section(self.tr("Speed of the last answer"), self.speed, self),
            _section(self.tr("Prompt of the last answer"), self.reuse, self),
        ):
            column.addWidget(widget)
        column.addStretch(1)
        self.notice.hide()
        self._sampling.hide()
        return content

    def _settings_section(self) -> QWidget:
        body = QWidget(self)
        column = QVBoxLayout(body)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(10)
        column.addWidget(self.form)
        column.addWidget(self.trial)
        column.addWidget(self.load)
        column.addWidget(self.tuning)
        return _section(self.tr("Settings for this model"), body, self, self.reset)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.opened.emit()

    # What there is to show.

    def show_nothing(self) -> None:
        """There is no model."""
        self._stack.setCurrentIndex(0)

    def show_model(self, name: str, info: ModelInfo | None, progress: float | None, *, failed: bool) -> None:
        self._stack.setCurrentIndex(1)
        self.head.show_model(name, info, progress, failed=failed)

    def show_placement(
        self,
        plan: Placement | None,
        trial: Placement | None,
        info: ModelInfo | None,
        overrides: LoadOverrides,
        threads: int | None,
        *,
        known: bool,
        failed: bool,
    ) -> None:
        """``plan``: what comes of the overrides that are kept; ``trial``: of others, which the form shows. ``known``:
        whether the services have said so, which takes a moment. ``failed``: it could not be loaded."""
        loaded = info.placement if info is not None else None
        now = loaded or plan
        told = now if plan is None or now is None or not same_settings(plan, now) else plan  # it knows this machine
        if failed and told is not None and told.fits:
            told = None  # how it should run would be said beside why it does not
        self.head.show_placement(told if known else None, info, "" if known else self.tr("Reading its file…"))
        self._plan.setVisible(now is not None)
        self.form.setEnabled(known)
        if now is None:
            return
        self.bars.show_placement(trial or now, loaded if trial is not None else None)
        self.form.show_overrides(overrides, trial or now, threads)
        self.trial.setText(trial_text(trial, plan or now) if trial is not None else "")
        self.trial.setVisible(trial is not None)
        mark(self.trial, "muted" if trial is None or trial.fits else "warning")

    def show_buttons(self, *, loadable: bool, edited: bool, resettable: bool, tunable: bool) -> None:
        self.load.setText(self.tr("Load with these settings") if edited else self.tr("Load this model"))
        self.load.setEnabled(loadable)
        self.reset.setEnabled(resettable)
        self.tuning.set_possible(tunable)

    def show_notice(self, text: str, kind: str = "warning") -> None:
        """A sentence in the panel: why something failed, or what is waited for; "" for none."""
        self.notice.setText(text)
        self.notice.setVisible(bool(text))
        mark(self.notice, kind)

    def show_sampling(self, chosen: ChosenSampling | None) -> None:
        """None where that is not known, as it is read from the model's file."""
        self.sampling.setText("\n".join(sampling_lines(chosen)) if chosen is not None else "")
        self._sampling.setVisible(chosen is not None)

    def show_reuse(self, text: str, *, writing: bool) -> None:
        nothing = self.tr("Told when the answer is finished.") if writing else self.tr("Nothing was answered here yet.")
        self.reuse.setText(text or nothing)
        mark(self.reuse, "" if text else "muted")


def _label(kind: str, parent: QWidget) -> QLabel:
    label = QLabel(parent)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    label.setProperty("kind", kind)
    return label


def _section(title: str, body: QWidget, parent: QWidget, button: QWidget | None = None) -> QWidget:
    section = QWidget(parent)
    heading = QLabel(title, section)
    heading.setProperty("kind", "section")
    column = QVBoxLayout(section)
    column.setContentsMargins(0, 20, 0, 0)
    column.setSpacing(8)
    head = QHBoxLayout()
    head.addWidget(heading, 1)
    if button is not None:
        head.addWidget(button)
    column.addLayout(head)
    column.addWidget(body)
    return section
