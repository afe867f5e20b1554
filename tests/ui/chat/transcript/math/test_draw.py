"""Formulas drawn as they are meant, or not at all."""

import time

import pytest

from ui.chat.transcript.math.draw import INK, Drawing, draw
from ui.chat.transcript.math.tex import MAX_SOURCE


def drawn(source: str) -> Drawing | None:
    return draw(source, 17.0, display=True)


@pytest.mark.parametrize(
    "source",
    [
        r"u^2 - v^2 = (u-v)(u+v)",
        r"\frac{dy}{dt} = -k\,y \implies y = y_0 e^{-kt}",
        r"\begin{cases} 1 & \text{if } n = 0 \\ n \cdot (n-1)! & \text{else} \end{cases}",
        r"\begin{aligned} p &= 2q \\ &= 4r \end{aligned}",
        r"p = 1 \\ q = 2",
        r"\operatorname*{argmin}_w \lVert Xw - y \rVert_2^2",
        r"\bigl\{ s \mid s > 0 \bigr\} \big\| t \big\|",
        r"\text{about $m$ of 30\%}",
        r"40% \not\in \mathsf{Set1} \cup \mathtt{abc}",
        r"\ce{2H2 + O2 -> 2H2O} \quad \ce{SO4^2-}",
        r"\dbinom{n_{1}}{k+\frac{1}{2}}",
        r"\begin{equation} F = ma \tag{7} \label{f} \end{equation}",
        r"\mathop{\mathrm{rank}} A + \phantom{xx} \hat{\beta}",
    ],
)
def test_what_chat_models_write_is_drawn(source: str) -> None:
    drawing = drawn(source)
    assert drawing is not None
    assert drawing.width > 20
    assert INK in drawing.svg


@pytest.mark.parametrize(
    "source",
    [
        "",
        r"\foo{x}",
        r"\frac{a}",
        "{a",
        "a}",
        "x^",
        r"\begin{pmatrix} 1 \end{bmatrix}",
        r"\begin{tikzcd} A \end{tikzcd}",
        r"\begin{array}{c|c} p & q \\ \hline 1 & 0 \end{array}",  # rules are left out by the library
        r"\text{日本}",  # not in its font
        r"\not\alpha",
        r"\def\x{y}\x",
        r"\input{/etc/passwd}",
        r"\href{https://example.org}{x}",
        r"\text{odd $}",
        r"\ce{H2O;}",
        "a & b",
        "x" * (MAX_SOURCE + 1),
    ],
)
def test_anything_else_is_left_to_its_source(source: str) -> None:
    assert drawn(source) is None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (r"a \not= b", r"a \neq b"),
        (r"\mathop{\mathrm{softmax}}(z)", r"\operatorname{softmax}(z)"),
        (r"\ce{CO2}", r"\mathrm{CO}_{2}"),
        (r"E \tag{1}", r"E \qquad \text{(1)}"),
        (r"\text{so $x$}", r"{\text{so }{x}}"),
        (r"|x||y|", r"|x| |y|"),
        (r"\begin{align} a &= b \nonumber \end{align}", r"\begin{aligned} a &= b \end{aligned}"),
    ],
)
def test_what_the_library_misreads_is_said_otherwise(one: str, other: str) -> None:
    first, second = drawn(one), drawn(other)
    assert first is not None
    assert second is not None
    assert first.width == pytest.approx(second.width)


@pytest.mark.parametrize("command", [r"\sqrt{", r"\left(", r"\frac{1}{", "x_{", r"\boxed{", r"\begin{matrix}"])
def test_strangers_cannot_make_it_slow(command: str) -> None:
    closing = {r"\left(": r"\right)", r"\begin{matrix}": r"\end{matrix}"}.get(command, "}")
    for depth in (14, 100):
        start = time.thread_time()
        drawn(command * depth + "x" + closing * depth)
        assert time.thread_time() - start < 2


def test_a_letter_stands_on_the_line() -> None:
    letter, low = drawn("x"), drawn("x_i")
    assert letter is not None
    assert low is not None
    assert letter.below < 2 < low.below
