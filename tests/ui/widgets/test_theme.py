"""Colours that can be read, icons in any of them, and the change from light to dark."""

import string
from importlib import resources
from itertools import combinations
from math import dist

import pytest
from PySide6.QtCore import QSize
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from ui.theme import DARK, LIGHT, Theme, apply_theme, current_theme, icon, style_sheet, theme_watcher

ON_PAGE = ("background", "surface", "raised", "hover")
PAIRS = [
    *[(text, page) for text in ("text", "muted") for page in ON_PAGE],
    *[("text", page) for page in ("user_bubble", "inline_code", "selection", "code_background", "pressed")],
    *[(color, "background") for color in ("accent", "link", "error", "ok", "warning")],
    *[(color, "raised") for color in ("ok", "error", "warning")],
    *[(color, f"{color}_soft") for color in ("accent", "error", "ok", "warning")],
    ("accent_text", "accent"),
    ("accent_text", "accent_hover"),
    ("muted", "code_background"),
    *[(f"code_{name}", "code_background") for name in ("keyword", "string", "number", "comment", "function", "type")],
    ("code_type", "background"),
]


def luminance(color: str) -> float:
    """Relative luminance as WCAG 2 defines it."""
    channels = (value / 255 for value in QColor(color).getRgb()[:3])
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(first: str, second: str) -> float:
    low, high = sorted((luminance(first), luminance(second)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=lambda theme: theme.name)
@pytest.mark.parametrize(("text", "behind"), PAIRS)
def test_text_can_be_read(theme: Theme, text: str, behind: str) -> None:
    assert contrast(getattr(theme, text), getattr(theme, behind)) >= 4.5


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=lambda theme: theme.name)
def test_the_focus_can_be_seen(theme: Theme) -> None:
    assert contrast(theme.focus, theme.background) >= 3


# How each kind of colour blindness sees linear RGB (Machado, Oliveira, Fernandes 2009, severity 1).
SIGHT = {
    "usual": ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
    "protanopia": ((0.152, 1.053, -0.205), (0.115, 0.786, 0.099), (-0.004, -0.048, 1.052)),
    "deuteranopia": ((0.367, 0.861, -0.228), (0.280, 0.673, 0.047), (-0.012, 0.043, 0.969)),
    "tritanopia": ((1.256, -0.077, -0.179), (-0.078, 0.931, 0.148), (0.005, 0.691, 0.304)),
}


def seen(color: str, sight: str) -> tuple[float, float, float]:
    """The colour in CIE L*a*b* (D65)."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in QColor(color).getRgbF()[:3]]
    red, green, blue = (
        min(1.0, max(0.0, sum(a * b for a, b in zip(row, linear, strict=True)))) for row in SIGHT[sight]
    )
    x = (0.4124 * red + 0.3576 * green + 0.1805 * blue) / 0.9505
    y = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    z = (0.0193 * red + 0.1192 * green + 0.9505 * blue) / 1.0890
    fx, fy, fz = (t ** (1 / 3) if t > 0.008856 else 7.787 * t + 16 / 116 for t in (x, y, z))
    return 116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=lambda theme: theme.name)
@pytest.mark.parametrize("sight", SIGHT)
def test_what_a_model_takes_is_told_apart_by_everybody(theme: Theme, sight: str) -> None:
    shares = (theme.share_dense, theme.share_experts, theme.share_cache, theme.share_compute)
    for first, second in combinations(shares, 2):
        assert dist(seen(first, sight), seen(second, sight)) > 25
    for color in shares:
        assert contrast(color, theme.surface) >= 2.9


def test_every_icon_is_drawn_in_the_colour_asked_for(qapp: QApplication) -> None:
    names = [entry.name for entry in resources.files("resources").joinpath("icons").iterdir()]
    icons = [name.removesuffix(".svg") for name in names if name.endswith(".svg") and name != "alcove.svg"]
    assert len(icons) > 30
    for name in icons:
        image = icon(name, "#c02040").pixmap(QSize(32, 32)).toImage()
        solid = [
            image.pixelColor(x, y)
            for x in range(image.width())
            for y in range(image.height())
            if image.pixelColor(x, y).alpha() == 255
        ]
        assert solid, name
        wanted = (0xC0, 0x20, 0x40)
        worst = max(abs(a - b) for color in solid for a, b in zip(color.getRgb()[:3], wanted, strict=True))  # type: ignore[arg-type]
        assert worst <= 3, name  # rounding where strokes overlap


def test_an_icon_is_drawn_once(qapp: QApplication) -> None:
    assert icon("copy", "#123456").cacheKey() == icon("copy", QColor("#123456")).cacheKey()


def test_the_scheme_changes_the_palette_and_tells(qtbot: QtBot, qapp: QApplication) -> None:
    apply_theme(qapp, "light")
    watcher = theme_watcher(qapp)
    with qtbot.waitSignal(watcher.changed) as signal:
        assert apply_theme(qapp, "dark") is DARK
    assert signal.args == [DARK]
    assert current_theme(qapp) is DARK
    assert qapp.palette().color(QPalette.ColorRole.Window).name() == DARK.background
    assert DARK.surface in style_sheet(DARK)
    with qtbot.assertNotEmitted(watcher.changed):
        apply_theme(qapp, "dark")
    assert apply_theme(qapp, "light") is LIGHT
    assert theme_watcher(qapp) is watcher


@pytest.mark.parametrize("sheet", ["alcove.qss", "window.qss"])
def test_a_style_sheet_names_only_known_colours(sheet: str) -> None:
    source = resources.files("resources").joinpath("themes").joinpath(sheet).read_text(encoding="utf-8")
    names = set(string.Template(source).get_identifiers())
    assert names
    assert names <= set(Theme.__slots__)
