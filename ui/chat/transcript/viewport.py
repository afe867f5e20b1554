"""Keeps the rows that can be seen alive as widgets, and the place where the person reads where it is."""

from collections.abc import Callable

from PySide6.QtCore import QRect, Qt
from PySide6.QtWidgets import QApplication, QWidget

from ui.chat.transcript.rows.column import BOTTOM_MARGIN, TOP_MARGIN, Column, Placed, Position
from ui.chat.transcript.rows.segment import Segment
from ui.chat.transcript.widgets.context import RowContext, RowWidget
from ui.chat.transcript.widgets.factory import make_widget
from ui.chat.transcript.widgets.prose import ProseWidget

SPARE = 12  # widgets that stay alive after they left the screen, for a small step back


class RowsOnScreen:
    """The place is an anchor: a row and the y of its box. Heights above it may turn out otherwise without a jump."""

    def __init__(self, host: QWidget, context: RowContext) -> None:
        self._host, self._context = host, context
        self.on_made: Callable[[RowWidget | ProseWidget], None] = lambda _: None
        self.column = Column(context.metrics(1))
        self.following = True  # the end is kept in view
        self._anchor = Position(0, 0)
        self._anchor_y = 0
        self._stop_at_end = False
        self._alive: dict[Segment, RowWidget | ProseWidget] = {}
        self._revisions: dict[Segment, int] = {}
        self._placed: list[Placed] = []
        self._x = self._width = 0

    @property
    def alive(self) -> int:
        return len(self._alive)

    @property
    def placed(self) -> list[Placed]:
        return self._placed

    def widget(self, segment: Segment) -> RowWidget | ProseWidget | None:
        return self._alive.get(segment)

    @property
    def context(self) -> RowContext:
        return self._context

    def renew_waiting(self) -> bool:
        """Rows with a formula that was not ready are laid out anew; False where there are none."""
        waiting = [row for row, widget in self._alive.items() if isinstance(widget, ProseWidget) and widget.waiting]
        for segment in waiting:
            segment.changed()
        return bool(waiting)

    def set_context(self, context: RowContext) -> None:
        """Other colours: every widget is made anew."""
        self._context = context
        context.width = self._width
        self.drop()
        for item in self.column.items:
            for segment in item.segments:
                segment.width = 0

    def drop(self) -> None:
        for widget in self._alive.values():
            _bury(widget)
        self._alive.clear()
        self._revisions.clear()
        self._placed = []

    def set_width(self, x: int, width: int) -> None:
        self._x = x
        self._context.width = width
        if width != self._width:
            self._width = width
            self.column.set_metrics(self._context.metrics(width))

    def to_end(self) -> None:
        self.following = True
        self._anchor, self._anchor_y = Position(0, 0), self._host.height() + self.column.total

    def to_top_of(self, y: int) -> None:
        """Bring what stands at ``y`` px of the content to the top of the view."""
        self._anchor, below = self.column.at(y)
        self._anchor_y = -below

    def hold(self, segment: Segment) -> None:
        """Keep this row where it is on the screen while its height changes."""
        for row in self._placed:
            if row.segment is segment:
                self._anchor, self._anchor_y = row.position, row.y
                self.following = False

    def scroll(self, pixels: int) -> None:
        """Move the content up by ``pixels``, not beyond its ends."""
        self.following = False
        self._anchor_y -= pixels
        self._stop_at_end = pixels > 0

    def lay_out(self) -> int:
        """Place the rows; the y of the view's top in the content, in px."""
        column, height = self.column, self._host.height()
        if not column.items:
            self._show([])
            return 0
        self._anchor = column.clamp(self._anchor)
        if self.following:
            self._follow(height)
        rows = self._around_anchor(height)
        self._stop_at_end = False
        self._show(rows)
        first = rows[0]
        self._anchor, self._anchor_y = first.position, first.y
        return column.offset(first.position) - first.y

    def _follow(self, height: int) -> None:
        """Bring the end into view, but never move the content down: what got shorter leaves room that fills again."""
        column = self.column
        last = column.last()
        rows = column.up(last, height - BOTTOM_MARGIN, 0, self._measure)
        end = column.total - height
        now = column.offset(self._anchor) - self._anchor_y
        if end >= now or now > column.total:
            self._anchor, self._anchor_y = rows[0].position, rows[0].y

    def _around_anchor(self, height: int) -> list[Placed]:
        column = self.column
        rows = column.down(self._anchor, self._anchor_y, height, self._measure)
        if not rows:  # the anchor stands below the view
            rows = column.up(self._anchor, self._anchor_y + 1, height - 1, self._measure)
        if rows[0].y > 0:
            above = column.previous(rows[0].position)
            if above is not None:
                rows = column.up(above, rows[0].y, 0, self._measure) + rows
        rows = [row for row in rows if row.bottom > 0] or rows[-1:]
        if self._stop_at_end and rows[-1].bottom <= height - BOTTOM_MARGIN and rows[-1].position == column.last():
            self.following = True
            rows = column.up(column.last(), height - BOTTOM_MARGIN, 0, self._measure)
        first = rows[0]
        if first.y > TOP_MARGIN and column.previous(first.position) is None:
            rows = column.down(first.position, TOP_MARGIN, height, self._measure)
        return rows

    def _measure(self, segment: Segment) -> int:
        widget = self._alive.get(segment)
        if widget is None:
            widget = self._alive[segment] = make_widget(segment, self._context, self._host)
            self._revisions[segment] = -1
            self.on_made(widget)
        if self._revisions[segment] != segment.revision:
            self._revisions[segment] = segment.revision
            widget.refresh()
            segment.width = 0
        if segment.width != self._width:
            segment.width = self._width
            return widget.measure(self._width + 2 * widget.OUTSET)
        return segment.height

    def _show(self, rows: list[Placed]) -> None:
        seen = {row.segment for row in rows}
        shift = self._shift(rows)
        if shift:  # moves the pixels of all rows at once; only what comes into view is painted
            self._host.scroll(0, shift)
        for row in rows:
            widget = self._alive[row.segment]
            outset = widget.OUTSET
            place = QRect(self._x - outset, row.y + row.gap, self._width + 2 * outset, row.segment.height)
            if widget.geometry() != place:
                widget.setGeometry(place)
            if widget.isHidden():
                widget.show()
        unseen = [segment for segment in self._alive if segment not in seen]
        for segment in unseen:
            self._leave(self._alive[segment])
        for segment in unseen[: max(0, len(unseen) - SPARE)]:
            _bury(self._alive.pop(segment))
            del self._revisions[segment]
        self._placed = rows

    def _shift(self, rows: list[Placed]) -> int:
        """How far the topmost row that is on the screen already has to move."""
        for row in rows:
            widget = self._alive[row.segment]
            if not widget.isHidden():
                shift = row.y + row.gap - widget.y()
                return shift if abs(shift) < self._host.height() else 0
        return 0

    def _leave(self, widget: QWidget) -> None:
        """Hide it; the focus goes to the transcript, not to whichever row comes next."""
        focus = QApplication.focusWidget()
        view = self._host.parentWidget()
        if focus is not None and view is not None and (focus is widget or widget.isAncestorOf(focus)):
            view.setFocus(Qt.FocusReason.OtherFocusReason)
        widget.hide()


def _bury(widget: QWidget) -> None:
    widget.hide()
    widget.deleteLater()
