"""One formula drawn by ziamath. Slow (4 to 300 ms), and its import takes 200 ms more: not on the UI thread."""

import functools
import logging
from dataclasses import dataclass
from xml.etree import ElementTree as ET

from ui.chat.transcript.math.tex import prepared

log = logging.getLogger(__name__)

INK = "#010203"  # where the text's colour goes
MAX_SIZE = 8000  # px of a side
MAX_BYTES = 400_000


@dataclass(frozen=True, slots=True)
class Drawing:
    """SVG whose ink is ``INK``, and in px how far it reaches: to the right, above and below the baseline."""

    svg: str
    width: float
    above: float
    below: float


def draw(source: str, size: float, *, display: bool) -> Drawing | None:
    """``size`` in px of a letter; None where the formula cannot be drawn as it is meant."""
    from ziamath import zmath
    from ziamath.config import config
    from ziamath.tex import tex2mml

    text = prepared(source, _is_symbol)
    if text is None:
        return None
    config.svg2 = False  # Qt reads SVG 1
    try:
        mathml = ET.fromstring(tex2mml(text, inline=not display))  # noqa: S314  # made by us just now, from plain text
        mathml.set("mathcolor", INK)
        _name_delimiters(mathml)
        formula = zmath.Math(mathml, size)
        if not _is_whole(mathml, formula.font):
            return None
        picture = formula.svgxml()
        _, top, width, height = (float(number) for number in picture.attrib["viewBox"].split())
        svg = ET.tostring(picture, encoding="unicode")
    except Exception:  # of many kinds, by what is wrong in the formula
        log.debug("a formula could not be drawn", exc_info=True)
        return None
    if not 0 < width < MAX_SIZE or not 0 < height < MAX_SIZE or len(svg) > MAX_BYTES:
        return None
    return Drawing(svg, width, -top, height + top)


def _name_delimiters(mathml: ET.Element) -> None:
    """``\\big`` leaves the name of the delimiter behind it as it was written."""
    for sign in mathml.iter():
        name = {r"\{": r"\lbrace", r"\}": r"\rbrace"}.get(sign.text or "", sign.text or "")
        if name.startswith("\\") and _is_symbol(name):
            sign.text = chr(int(_code(name) or "5C", 16))


def _is_whole(mathml: ET.Element, font: object) -> bool:
    """Whether all of it was understood and can be drawn: tables have no rules, and every letter is in the font."""
    if any(table.get("columnlines") or table.get("rowlines") for table in mathml.iter()):
        return False
    letters = set("".join(mathml.itertext()))
    return "\\" not in letters and all(
        letter.isspace() or font.glyphindex(letter) > 0  # type: ignore[attr-defined] # ziafont's, untyped
        for letter in letters
    )


@functools.cache
def _functions() -> frozenset[str]:
    from latex2mathml import commands

    names = (*commands.FUNCTIONS, *commands.LIMIT, "\\det", "\\gcd", "\\Pr", "\\liminf", "\\limsup")
    return frozenset(names)


def _is_symbol(name: str) -> bool:
    return name in _functions() or _code(name) is not None


def _code(name: str) -> str | None:
    """The code point of a symbol in hexadecimal, as "003B1" of ``\\alpha``."""
    from latex2mathml.symbols_parser import convert_symbol

    return convert_symbol(name)
