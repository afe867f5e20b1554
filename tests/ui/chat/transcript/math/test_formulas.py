"""Formulas in a transcript: pictures that stay, and source where there is none."""

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.domain.messages import Message, TextPart
from ui.chat.transcript.math.formulas import Formula
from ui.chat.transcript.widgets.prose import ProseWidget
from ui.theme import apply_theme

Screen = Any  # the fixture of conftest.py
Make = Callable[..., Message]
PICTURE = "\N{OBJECT REPLACEMENT CHARACTER}"


@pytest.fixture
def drawn(screen: Screen, qtbot: QtBot) -> Callable[[str], None]:
    """Waits until the visible prose reads so; ``PICTURE`` for a formula that is drawn."""

    def wait(text: str) -> None:
        qtbot.waitUntil(lambda: screen.prose() == text, timeout=20_000)

    return wait


def show(screen: Screen, make_answer: Make, text: str) -> None:
    screen.view.show_conversation([make_answer("r", TextPart(text))])
    screen.settle()


def copied(screen: Screen) -> str:
    row = screen.rows(ProseWidget)[0]
    row.selectAll()
    QTest.keyClick(row, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    return QGuiApplication.clipboard().text()


@pytest.mark.parametrize("source", ["$x^2$", r"\(x^2\)", "$$x^2$$", r"\[x^2\]", "$$\nx^2\n$$", "\\[\nx^2\n\\]"])
def test_every_way_to_write_a_formula(
    source: str, screen: Screen, make_answer: Make, drawn: Callable[[str], None]
) -> None:
    show(screen, make_answer, source)
    drawn(PICTURE)


def test_a_copy_has_the_source(screen: Screen, make_answer: Make, drawn: Callable[[str], None]) -> None:
    show(screen, make_answer, "If $a^2$$a^2$ then \\(b\\), 5 $ each:\n\n$$\\frac{1}{2}$$")
    drawn(f"If {PICTURE}{PICTURE} then {PICTURE}, 5 $ each:\n{PICTURE}")
    assert copied(screen) == "If $a^2$$a^2$ then $b$, 5 $ each:\n$$\\frac{1}{2}$$"
    assert not QGuiApplication.clipboard().mimeData().hasHtml()


def test_an_unknown_command_shows_the_source(screen: Screen, make_answer: Make, drawn: Callable[[str], None]) -> None:
    show(screen, make_answer, "$x$ and $\\foo{<b>}$")
    drawn(f"{PICTURE} and \\foo{{<b>}}")


def test_ink_follows_the_theme(screen: Screen, make_answer: Make, drawn: Callable[[str], None]) -> None:
    show(screen, make_answer, "$x^2$")
    drawn(PICTURE)
    inks = []
    for scheme in ("light", "dark"):
        theme = apply_theme(screen.app, scheme)
        screen.settle()
        drawn(PICTURE)
        row = screen.rows(ProseWidget)[0]
        name = row.document().allFormats()
        image = row.loadResource(2, next(f.toImageFormat().name() for f in name if f.isImageFormat()))
        assert isinstance(image, QImage)
        colors = {image.pixelColor(x, y).name() for x in range(image.width()) for y in range(image.height())}
        assert theme.text in colors
        inks.append(colors)
    apply_theme(screen.app, "light")
    assert inks[0] != inks[1]


def test_a_formula_that_grows_is_source_and_nothing_before_it_changes(
    screen: Screen, drawn: Callable[[str], None]
) -> None:
    screen.start()
    screen.open(0, TextPart("Given $x$: "))
    drawn(f"Given {PICTURE}: ".rstrip())
    for piece, shown in [
        ("$\\frac{a_1", "\\frac{a_1"),
        ("}{b_1}", "\\frac{a_1}{b_1}"),
        ("$ so", f"{PICTURE} so"),
        ("\n\n$$\n\\int_0^1", f"{PICTURE} so\n\\int_0^1"),
        (" f_2", f"{PICTURE} so\n\\int_0^1 f_2"),
        ("\n$$\n", f"{PICTURE} so\n{PICTURE}"),
    ]:
        screen.write(0, piece)
        screen.settle()
        assert screen.prose().startswith(f"Given {PICTURE}: ")
        drawn(f"Given {PICTURE}: {shown}")


def test_a_wide_formula_fits_the_column(screen: Screen, make_answer: Make, drawn: Callable[[str], None]) -> None:
    show(screen, make_answer, "$$" + "+".join(f"x_{{{i}}}" for i in range(28)) + "$$")
    drawn(PICTURE)
    row = screen.rows(ProseWidget)[0]
    assert row.document().idealWidth() <= row.width()
    screen.view.resize(400, 700)
    screen.settle()
    row = screen.rows(ProseWidget)[0]
    assert row.document().idealWidth() <= row.width()


def test_names_of_pictures_say_which_formula_and_nothing_else_is_one() -> None:
    formula = Formula("a<b \\ $ 日本", True, 17.25)
    assert Formula.named(formula.name) == formula
    for name in ("", "file:///etc/passwd", "tex:!", "tex:", "tex:AAAA"):
        assert Formula.named(name) is None


def test_the_library_is_not_loaded_before_there_is_a_formula() -> None:
    code = "import sys, ui.chat.transcript; sys.exit('ziamath' in sys.modules or 'latex2mathml' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
