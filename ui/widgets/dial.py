"""A number that the program chooses unless the person does: a slider, a field, and the word Auto."""

from bisect import bisect_left
from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QGridLayout, QLabel, QSlider, QSpinBox, QToolButton, QWidget

from ui.widgets.tip import plain_tip


class StepBox(QSpinBox):
    """Takes any number between the first and the last stop; keys and the wheel go from stop to stop. The wheel does so
    only while the box has the focus: else it scrolls what the box stands in."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._stops: Sequence[int] = (0,)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setKeyboardTracking(False)  # 1024 is not also 1, 10 and 102
        self.setGroupSeparatorShown(True)
        self.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.lineEdit().setTextMargins(0, 0, 4, 0)

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()

    def set_stops(self, stops: Sequence[int]) -> None:
        self._stops = stops
        self.setRange(stops[0], stops[-1])

    def stepBy(self, steps: int) -> None:
        stops, place = self._stops, bisect_left(self._stops, self.value())
        if steps < 0 or stops[min(place, len(stops) - 1)] == self.value():
            place += steps
        else:
            place += steps - 1
        self.setValue(stops[max(0, min(place, len(stops) - 1))])


class _Slider(QSlider):
    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()


class Dial(QWidget):
    """``changed`` carries the person's choice: a number, or None for automatic."""

    changed = Signal(object)

    def __init__(self, label: str, meaning: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._chosen: int | None = None
        self._stops: Sequence[int] = (0,)
        self.setToolTip(plain_tip(meaning))
        self.label = QLabel(label, self)
        self.label.setWordWrap(True)
        self.automatic = QToolButton(self)
        self.automatic.setObjectName("pill")
        self.automatic.setText(self.tr("Auto"))
        self.automatic.setToolTip(self.tr("Leave it to the program"))
        self.automatic.setCheckable(True)
        self.automatic.setAccessibleName(self.tr("{label}: automatic").format(label=label))
        self.box = StepBox(self)
        self.box.setAccessibleName(label)
        self.box.setAccessibleDescription(meaning)
        self.label.setBuddy(self.box)
        self.slider = _Slider(Qt.Orientation.Horizontal, self)
        self.slider.setAccessibleName(label)
        self.slider.setLayoutDirection(Qt.LayoutDirection.LeftToRight)  # the style fills it from the left
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(2)
        grid.addWidget(self.label, 0, 0)
        grid.addWidget(self.automatic, 0, 1)
        grid.addWidget(self.box, 0, 2)
        grid.addWidget(self.slider, 1, 0, 1, 3)
        grid.setColumnStretch(0, 1)
        self.automatic.clicked.connect(self._toggle)
        self.box.valueChanged.connect(self._choose)
        self.slider.valueChanged.connect(lambda place: self._choose(self._stops[place]))

    @property
    def chosen(self) -> int | None:
        return self._chosen

    def show_stops(self, stops: Sequence[int]) -> None:
        """What can be chosen, ascending."""
        if stops == self._stops:
            return
        self._stops = stops
        for widget in (self.box, self.slider):
            widget.blockSignals(True)
        self.box.set_stops(stops)
        self.slider.setRange(0, len(stops) - 1)
        self.slider.setPageStep(max(1, len(stops) // 8))
        for widget in (self.box, self.slider):
            widget.blockSignals(False)

    def show_choice(self, chosen: int | None, automatic: int) -> None:
        """``automatic``: what it is while nothing is chosen."""
        self._chosen = chosen
        value = automatic if chosen is None else chosen
        for widget in (self.box, self.slider, self.automatic):
            widget.blockSignals(True)
        if not self.slider.isSliderDown():
            self.slider.setValue(self._place(value))
        if not (self.box.hasFocus() and chosen is not None and self.box.value() == chosen):
            self.box.setValue(value)
        self.automatic.setChecked(chosen is None)
        for widget in (self.box, self.slider, self.automatic):
            widget.blockSignals(False)

    def _place(self, value: int) -> int:
        """The stop next to a number between two of them."""
        place = min(bisect_left(self._stops, value), len(self._stops) - 1)
        if place and value - self._stops[place - 1] < self._stops[place] - value:
            return place - 1
        return place

    def _choose(self, value: int) -> None:
        if value != self._chosen:
            self.show_choice(value, value)
            self.changed.emit(value)

    def _toggle(self, automatic: bool) -> None:
        chosen = None if automatic else self.box.value()
        self.show_choice(chosen, self.box.value())
        self.changed.emit(chosen)
