"""Formulas asked for, drawn on a thread, kept, and given as pictures to documents. UI thread, but for ``_work``."""

import base64
import binascii
import math
import re
import sys
import threading
from collections import OrderedDict, deque
from html import escape, unescape
from typing import NamedTuple

from PySide6.QtCore import QByteArray, QObject, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QImage, QPainter
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QApplication
from shiboken6 import isValid

from ui.chat.transcript.math.draw import INK, Drawing, draw

SCHEME = "tex:"
KEPT = 1000  # drawings, and as many pictures
YIELD_S = 0.0005  # while formulas are drawn, after how long the interpreter is handed to a UI thread that waits for it
GATHER_MS = 30  # formulas that become ready within this time come into view together
LETTER = 1.15  # size of a letter, in those of the text around: the fonts differ in height
SMALLEST = 0.55  # a wide formula is made smaller to fit, but not smaller than this
_MARK = re.compile(r"<tex-([id])>(.*?)</tex-\1>", re.DOTALL)


class Formula(NamedTuple):
    source: str
    display: bool
    size: float  # px of a letter

    @property
    def markdown(self) -> str:
        """As it is copied."""
        mark = "$$" if self.display else "$"
        return f"{mark}{self.source}{mark}"

    @property
    def name(self) -> str:
        """Of its picture in a document: everything is in it."""
        return SCHEME + base64.urlsafe_b64encode(f"{int(self.display)}{self.size}|{self.source}".encode()).decode()

    @classmethod
    def named(cls, name: str) -> "Formula | None":
        if not name.startswith(SCHEME):
            return None
        try:
            first, _, source = base64.urlsafe_b64decode(name.removeprefix(SCHEME)).decode().partition("|")
            return cls(source, first[0] == "1", float(first[1:]))
        except (binascii.Error, ValueError, IndexError):
            return None


class Formulas(QObject):
    """``drawn``: some that were asked for are ready, or will never be."""

    drawn = Signal()
    _one_drawn = Signal()

    def __init__(self, app: QApplication, parent: QObject) -> None:
        super().__init__(parent)
        self._drawings: OrderedDict[Formula, Drawing | None] = OrderedDict()
        self._pictures: OrderedDict[tuple[str, str, float], QImage] = OrderedDict()
        self._lock = threading.Lock()  # for the three below, and for adding to the drawings
        self._asked: deque[Formula] = deque()
        self._drawing: Formula | None = None
        self._thread: threading.Thread | None = None
        self._gather = QTimer(self, singleShot=True, interval=GATHER_MS)
        self._gather.timeout.connect(self.drawn)
        self._one_drawn.connect(self._gather_more, Qt.ConnectionType.QueuedConnection)
        app.aboutToQuit.connect(self.stop)

    def forget(self) -> None:
        """What was asked for and is not drawn yet will not be looked at."""
        with self._lock:
            self._asked.clear()

    def stop(self) -> None:
        """Ends the thread with the formula it is at."""
        self.forget()
        if self._thread is not None:
            self._thread.join()

    def html(self, html: str, font: QFont, width: int) -> tuple[str, bool]:
        """With pictures for the marked formulas, none wider than ``width`` px; and whether some are not ready yet."""
        waiting = False
        middle = QFontMetricsF(font).xHeight() / 2

        def show(match: re.Match[str]) -> str:
            nonlocal waiting
            formula = Formula(unescape(match[2]), match[1] == "d", font.pixelSize() * LETTER)
            if formula not in self._drawings:
                waiting = True
                self._ask(formula)
                return as_source(formula.source)
            drawing = self._drawings[formula]
            if drawing is None or drawing.width * SMALLEST > width:
                return as_source(formula.source)
            return _image(formula, drawing, width, middle)

        return _MARK.sub(show, html), waiting

    def picture(self, name: str, font: QFont, color: str, width: int, ratio: float) -> QImage | None:
        """For a name that ``html`` gave, with ``ratio`` pixels of the screen for one of the document."""
        formula = Formula.named(name)
        drawing = self._drawings.get(formula) if formula is not None else None
        if formula is None or drawing is None:
            return None
        key = (f"{width} {name}", color, ratio)
        picture = self._pictures.get(key)
        if picture is None:
            place = _place(formula, drawing, width, QFontMetricsF(font).xHeight() / 2)
            picture = self._pictures[key] = _paint(drawing, place, color, ratio)
            if len(self._pictures) > KEPT:
                self._pictures.popitem(last=False)
        return picture

    def _ask(self, formula: Formula) -> None:
        with self._lock:
            if formula in self._asked or formula == self._drawing:
                return
            self._asked.append(formula)
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="alcove-formulas")
                self._thread.start()

    def _work(self) -> None:
        """On the thread, which ends when nothing is to do."""
        usual = sys.getswitchinterval()
        sys.setswitchinterval(YIELD_S)
        while True:
            with self._lock:
                if not self._asked or not isValid(self):
                    self._thread = None
                    sys.setswitchinterval(usual)
                    return
                formula = self._drawing = self._asked.popleft()
            drawing = draw(formula.source, formula.size, display=formula.display)
            with self._lock:
                self._drawing = None
                self._drawings[formula] = drawing
                if len(self._drawings) > KEPT:
                    self._drawings.popitem(last=False)
            try:
                self._one_drawn.emit()
            except RuntimeError:  # the transcript is gone
                self.forget()

    def _gather_more(self) -> None:
        if not self._gather.isActive():
            self._gather.start()


class _Place(NamedTuple):
    """Where in its picture a formula stands, in px."""

    width: int
    height: int
    top: float  # of the drawing
    scale: float
    middle: bool  # aligned by its middle, else its lower edge stands on the line


def _place(formula: Formula, drawing: Drawing, width: int, middle: float) -> _Place:
    """Qt puts pictures on the line, or their middle to that of small letters (``middle`` px above the line).

    So a picture that reaches below the line gets as much room above or below as brings its baseline to the text's.
    """
    scale = min(1.0, width / drawing.width)
    above, below, wide = drawing.above * scale, drawing.below * scale, math.ceil(drawing.width * scale)
    if formula.display:
        return _Place(wide, math.ceil(above + below), 0.0, scale, middle=False)
    if below <= 1.0:
        height = math.ceil(above)
        return _Place(wide, height, height - above, scale, middle=False)
    height = math.ceil(max(2 * above - middle, 2 * below + middle))
    return _Place(wide, height, (height + middle) / 2 - above, scale, middle=True)


def _image(formula: Formula, drawing: Drawing, width: int, middle: float) -> str:
    place = _place(formula, drawing, width, middle)
    align = ' style="vertical-align:middle"' if place.middle else ""
    return f'<img src="{formula.name}" width="{place.width}" height="{place.height}"{align}>'


def _paint(drawing: Drawing, place: _Place, color: str, ratio: float) -> QImage:
    picture = QImage(
        math.ceil(place.width * ratio), math.ceil(place.height * ratio), QImage.Format.Format_ARGB32_Premultiplied
    )
    picture.setDevicePixelRatio(ratio)
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    svg = drawing.svg.replace(INK, QColor(color).name())
    area = QRectF(0, place.top, drawing.width * place.scale, (drawing.above + drawing.below) * place.scale)
    QSvgRenderer(QByteArray(svg.encode())).render(painter, area)
    painter.end()
    return picture


def as_source(source: str) -> str:
    """How a formula looks that is not drawn."""
    text = escape(source.strip(), quote=False).replace("\n", "<br>")
    return f'<code class="math">{text}</code>'
