"""Colours, fonts and icons of the window.

``apply_theme`` puts the Fusion style and a palette on the application; widgets that paint themselves read the named
colours of ``current_theme``. The palette is set by ourselves because ``QStyleHints.setColorScheme`` does nothing on
platforms without a theme. The style sheets are the window's, since Qt takes four times as long to change those of the
application. Every pair of text and background colour meets WCAG AA (4.5 : 1).
"""

from dataclasses import dataclass
from importlib import resources
from string import Template
from typing import Literal, TypeAlias

from PySide6.QtCore import QByteArray, QObject, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontDatabase, QFontInfo, QIcon, QPainter, QPalette, QPixmap
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QApplication

SchemeName: TypeAlias = Literal["system", "light", "dark"]

GRID = 8  # px; spacing is a multiple of it, or half of it inside small controls
RADIUS = 8  # px, corners of cards and fields
TEXT_COLUMN = 760  # px, the widest line of text that still reads well

_ICON_SIZES = (16, 20, 24, 32, 40, 48)  # px; the doubles serve screens with two pixels a point


@dataclass(frozen=True, slots=True)
class Theme:
    """Named colours as ``#rrggbb``. ``*_soft`` are tints to lie behind text of the same name."""

    name: str
    dark: bool
    background: str  # behind the conversation
    surface: str  # sidebar, status bar, panels
    raised: str  # cards, fields, menus
    hover: str
    pressed: str
    selection: str  # behind selected text
    text: str
    muted: str  # secondary text, still readable
    faint: str  # disabled text and resting icons: never the only carrier of meaning
    accent: str
    accent_hover: str
    accent_text: str  # on accent
    accent_soft: str
    link: str
    border: str
    border_strong: str
    focus: str
    code_background: str
    inline_code: str  # behind code inside a sentence
    user_bubble: str
    error: str
    error_soft: str
    ok: str
    ok_soft: str
    warning: str
    warning_soft: str
    code_keyword: str
    code_string: str
    code_number: str
    code_comment: str
    code_function: str
    code_type: str
    share_dense: str  # what a model takes on a device; told apart in every kind of colour blindness
    share_experts: str
    share_cache: str
    share_compute: str


LIGHT = Theme(
    name="light",
    dark=False,
    background="#fdfcfa",
    surface="#f5f3ef",
    raised="#ffffff",
    hover="#ece9e3",
    pressed="#e2ded6",
    selection="#bfe0e0",
    text="#24221f",
    muted="#67625a",
    faint="#938d83",
    accent="#176b73",
    accent_hover="#125a61",
    accent_text="#ffffff",
    accent_soft="#e0f0ef",
    link="#176b73",
    border="#e5e1da",
    border_strong="#cfc9be",
    focus="#2a939c",
    code_background="#f6f4f0",
    inline_code="#efece6",
    user_bubble="#f0ede7",
    error="#b3261e",
    error_soft="#fbeae8",
    ok="#2a6e3f",
    ok_soft="#e5f2e8",
    warning="#845400",
    warning_soft="#faf0dc",
    code_keyword="#8a3a8f",
    code_string="#2f6d33",
    code_number="#a1480a",
    code_comment="#6e6960",
    code_function="#1d5fa8",
    code_type="#17707a",
    share_dense="#0b4f5c",
    share_experts="#c9730a",
    share_cache="#4f7fe8",
    share_compute="#958c80",
)

DARK = Theme(
    name="dark",
    dark=True,
    background="#1d1c1b",
    surface="#171615",
    raised="#282624",
    hover="#2f2d2a",
    pressed="#3a3733",
    selection="#2c5f66",
    text="#e8e5e0",
    muted="#a8a299",
    faint="#7c766d",
    accent="#6cc5cc",
    accent_hover="#8ad5db",
    accent_text="#0d2426",
    accent_soft="#1d3a3d",
    link="#7fcdd4",
    border="#33302d",
    border_strong="#4c4843",
    focus="#6cc5cc",
    code_background="#151413",
    inline_code="#302e2b",
    user_bubble="#2b2926",
    error="#f28b82",
    error_soft="#3a2321",
    ok="#84c795",
    ok_soft="#1f3325",
    warning="#e3b563",
    warning_soft="#38301e",
    code_keyword="#d3a0d8",
    code_string="#a3c995",
    code_number="#e5ac7a",
    code_comment="#918b81",
    code_function="#8bbcf0",
    code_type="#7fcbd2",
    share_dense="#7fd8df",
    share_experts="#d9822b",
    share_cache="#6a7ff0",
    share_compute="#968f84",
)


class ThemeWatcher(QObject):
    """Holds the application's theme and its icons, and follows the system's scheme while asked to."""

    changed = Signal(object)  # Theme

    def __init__(self, app: QApplication) -> None:
        super().__init__(app)
        self._app = app
        self._icons: dict[tuple[str, str], QIcon] = {}
        self._styled = False
        self.scheme: SchemeName = "system"
        self.theme = LIGHT
        app.styleHints().colorSchemeChanged.connect(self._follow_system)

    def set_scheme(self, scheme: SchemeName) -> Theme:
        """Choose a scheme; ``changed`` is emitted when the colours become others."""
        self.scheme = scheme
        hints = self._app.styleHints()
        if scheme == "system":
            hints.unsetColorScheme()
        else:  # window frames and native dialogs follow where the platform can
            hints.setColorScheme(Qt.ColorScheme.Dark if scheme == "dark" else Qt.ColorScheme.Light)
        self._use(self._resolve())
        return self.theme

    def icon(self, name: str, color: QColor | str) -> QIcon:
        color = QColor(color).name()
        key = (name, color)
        found = self._icons.get(key)
        if found is None:
            found = self._icons[key] = _draw_icon(name, color)
        return found

    def _resolve(self) -> Theme:
        if self.scheme == "system":
            return DARK if self._app.styleHints().colorScheme() == Qt.ColorScheme.Dark else LIGHT
        return DARK if self.scheme == "dark" else LIGHT

    def _follow_system(self) -> None:
        if self.scheme == "system":
            self._use(self._resolve())

    def _use(self, theme: Theme) -> None:
        if theme is self.theme and self._styled:
            return
        self.theme = theme
        if not self._styled:  # a second time would polish every widget again
            self._app.setStyle("Fusion")
            self._styled = True
        self._app.setPalette(_palette(theme))
        self.changed.emit(theme)


def theme_watcher(app: QApplication) -> ThemeWatcher:
    """The application's watcher, made on first use. Its ``changed`` signal carries the new ``Theme``."""
    found = app.findChild(ThemeWatcher)
    return found if isinstance(found, ThemeWatcher) else ThemeWatcher(app)


def apply_theme(app: QApplication, scheme: SchemeName = "system") -> Theme:
    """Put style and palette on the application; with "system" they follow the desktop from then on."""
    return theme_watcher(app).set_scheme(scheme)


def current_theme(app: QApplication | None = None) -> Theme:
    return theme_watcher(app or _application()).theme


def icon(name: str, color: QColor | str) -> QIcon:
    """The line icon ``resources/icons/NAME.svg`` drawn in ``color``."""
    return theme_watcher(_application()).icon(name, color)


def style_sheet(theme: Theme) -> str:
    """Everything under ``resources/themes`` in the theme's colours, for a window and all that belongs to it."""
    colors = {name: getattr(theme, name) for name in Theme.__slots__}
    sheets = (Template(_resource("themes", name)).substitute(colors) for name in ("alcove.qss", "window.qss"))
    return "\n".join(sheets)


def text_font(app: QApplication | None = None) -> QFont:
    """The font of conversations: the system's, a little larger than in controls."""
    font = QFont((app or _application()).font())
    pixels = QFontInfo(font).pixelSize()
    font.setPixelSize(max(14, round(pixels * 1.12)))
    return font


def code_font(app: QApplication | None = None) -> QFont:
    """The system's fixed-pitch font, optically as large as ``text_font``."""
    font = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
    font.setPixelSize(max(12, text_font(app).pixelSize() - 1))
    font.setStyleHint(QFont.StyleHint.Monospace)
    return font


def _application() -> QApplication:
    app = QApplication.instance()
    assert isinstance(app, QApplication), "a QApplication must exist"
    return app


def _resource(folder: str, name: str) -> str:
    return resources.files("resources").joinpath(folder).joinpath(name).read_text(encoding="utf-8")


def _draw_icon(name: str, color: str) -> QIcon:
    svg = _resource("icons", f"{name}.svg").replace("currentColor", color)
    renderer = QSvgRenderer(QByteArray(svg.encode()))
    result = QIcon()
    for size in _ICON_SIZES:
        pixmap = QPixmap(size, size)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        renderer.render(painter, QRectF(0, 0, size, size))
        painter.end()
        result.addPixmap(pixmap)
    return result


def _palette(theme: Theme) -> QPalette:
    role = QPalette.ColorRole
    colors = {
        role.Window: theme.background,
        role.WindowText: theme.text,
        role.Base: theme.raised,
        role.AlternateBase: theme.surface,
        role.Text: theme.text,
        role.PlaceholderText: theme.muted,
        role.Button: theme.raised,
        role.ButtonText: theme.text,
        role.BrightText: theme.error,
        role.Highlight: theme.selection,
        role.HighlightedText: theme.text,
        role.Link: theme.link,
        role.LinkVisited: theme.link,
        role.ToolTipBase: theme.raised,
        role.ToolTipText: theme.text,
        role.Light: theme.raised,
        role.Midlight: theme.hover,
        role.Mid: theme.border_strong,
        role.Dark: theme.border_strong,
        role.Shadow: theme.border,
        role.Accent: theme.accent,
    }
    palette = QPalette()
    for name, color in colors.items():
        palette.setColor(name, QColor(color))
    for name in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, name, QColor(theme.faint))
    return palette
