r"""LaTeX as chat models write it, said in the words that ziamath draws rightly. Pure.

Measured with ziamath 0.13 and latex2mathml 3.81: they leave out or misread ``\not``, ``\tag``, ``\phantom``, sans-serif
and typewriter letters, ``$`` inside ``\text``, ``||``, and lines that are broken outside an environment.
"""

import re
from collections.abc import Callable, Iterator

MAX_SOURCE = 1500  # characters of one formula
MAX_COST = 2000  # about the ms that drawing takes, at most
_TOKEN = re.compile(r"\\[A-Za-z]+\*?|\\.|\s+|.", re.DOTALL)
_GROUP = r"\{((?:[^{}\\]|\\.|\{(?:[^{}\\]|\\.|\{[^{}]*\})*\})*)\}"  # with groups in groups in it

_ENVIRONMENTS = {
    "aligned": "aligned", "align": "aligned", "align*": "aligned", "split": "aligned", "eqnarray": "aligned",
    "eqnarray*": "aligned", "alignat": "aligned", "alignat*": "aligned",
    "gathered": "gathered", "gather": "gathered", "gather*": "gathered", "multline": "gathered",
    "multline*": "gathered",
    "equation": "", "equation*": "", "displaymath": "", "math": "",
    "matrix": "matrix", "pmatrix": "pmatrix", "bmatrix": "bmatrix", "Bmatrix": "Bmatrix", "vmatrix": "vmatrix",
    "Vmatrix": "Vmatrix", "smallmatrix": "matrix", "cases": "cases", "array": "array",
}  # fmt: skip

# Commands, besides symbols and functions, that were looked at on the screen.
_COMMANDS = frozenset(
    r"""frac dfrac tfrac cfrac sqrt binom dbinom tbinom atop left right middle begin end big Big bigg Bigg bigl bigr
    Bigl Bigr biggl biggr Biggl Biggr bigm Bigm text textbf textit textrm textnormal mathrm mathbf mathit mathbb
    mathcal mathfrak mathscr boldsymbol bm operatorname operatorname* hat bar vec tilde dot ddot acute grave
    check breve overline underline widehat widetilde overbrace underbrace overrightarrow overleftarrow overset
    underset stackrel xrightarrow xleftarrow boxed cancel bcancel xcancel color textcolor displaystyle textstyle
    scriptstyle limits nolimits substack pmod bmod mod quad qquad enspace hline rm bf it cal hspace mbox hbox
    argmax argmin not prime""".split()
)
_SPACES = frozenset(r"\, \; \: \! \> \\ \{ \} \% \$ \# \& \_".split()) | {"\\ "}

_NEGATED = {
    "=": r"\neq ", r"\in": r"\notin ", r"\ni": r"\not\ni ", r"\subset": "⊄", r"\subseteq": "⊈", r"\supset": "⊅",
    r"\supseteq": "⊉", r"\equiv": "≢", r"\exists": r"\nexists ", r"\mid": "∤", r"\parallel": "∦", r"\sim": "≁",
    r"\approx": "≉", r"\cong": "≇", r"\leq": "≰", r"\le": "≰", r"\geq": "≱", r"\ge": "≱", "<": "≮", ">": "≯",
}  # fmt: skip
_SANS, _MONO = (0x1D5A0, 0x1D5BA, 0x1D7E2), (0x1D670, 0x1D68A, 0x1D7F6)  # of A, a and 0


def prepared(source: str, is_symbol: Callable[[str], bool]) -> str | None:
    """What to draw instead of ``source``; None where something in it is unknown or goes wrong.

    ``is_symbol`` tells of the name of a command, as ``\\alpha``, whether it stands for a letter, sign or function.
    """
    if len(source) > MAX_SOURCE:
        return None
    text = source.strip()
    for pattern, replacement in _REWRITES:
        text = pattern.sub(replacement, text)
    whole = _broken_lines(text)
    return whole if whole is not None and _is_known(whole, is_symbol) else None


def _is_known(text: str, is_symbol: Callable[[str], bool]) -> bool:
    for part in _TOKEN.findall(text):
        if part in ("$", "%", "#") or (part[0] == "\\" and not _is_command(part, is_symbol)):
            return False
    return True


def _is_command(part: str, is_symbol: Callable[[str], bool]) -> bool:
    return part in _SPACES or part[1:] in _COMMANDS or (part[1:].isalpha() and is_symbol(part))


def _broken_lines(text: str) -> str | None:
    """With lines that are broken outside an environment put into one; None where groups do not close.

    None, too, where it would take too long: ziamath lays out what is in a group twice.
    """
    stack: list[str] = []
    cost = 0
    broken = False
    parts = iter(_TOKEN.findall(text))
    for part in parts:
        if part in ("{", r"\begin", r"\left"):
            stack.append(_name(parts) if part == r"\begin" else part)
        elif part in ("}", r"\end", r"\right"):
            opened = {"}": "{", r"\right": r"\left"}.get(part) or _name(parts)
            if not stack or stack.pop() != opened:
                return None
        elif part == "\\\\":
            broken |= not stack
        elif part == "&" and not any(name.isalpha() for name in stack):
            return None
        cost += 2 ** len(stack) if not part.isspace() else 0
        if cost > MAX_COST:
            return None
    if stack:
        return None
    return rf"\begin{{gathered}}{text}\end{{gathered}}" if broken else text


def _name(parts: Iterator[str]) -> str:
    """The group that follows, as "matrix" of ``{matrix}``."""
    name = ""
    for part in parts:
        if part == "}":
            break
        name += part.strip("{")
    return name


def _environment(match: re.Match[str]) -> str:
    name, columns = match[2], match[3] or ""
    known = _ENVIRONMENTS.get(name)
    if known is None:
        return rf"\unknown{match[0]}"
    return rf"\{match[1]}{{{known}}}{columns if known == 'array' else ''}" if known else ""


def _letters(bases: tuple[int, int, int]) -> Callable[[re.Match[str]], str]:
    def replace(match: re.Match[str]) -> str:
        found = []
        for letter in match[1]:
            if not letter.isascii() or letter in "\\{}":
                return r"\unknown "
            kind = 0 if letter.isupper() else 1 if letter.islower() else 2 if letter.isdigit() else -1
            found.append(letter if kind < 0 else chr(bases[kind] + ord(letter) - ord("Aa0"[kind])))
        return "{" + "".join(found) + "}"

    return replace


def _text(match: re.Match[str]) -> str:
    """``\\text{if $x$ is 5\\%}`` as ``\\text{if }{x}\\text{ is 5}{\\%}``."""
    command = match[1]
    pieces = re.split(r"(?<!\\)\$", re.sub(r"(\\[%$#&_])", r"$\1$", match[2]))
    if len(pieces) % 2 == 0:
        return r"\unknown "
    if len(pieces) == 1:
        return match[0]
    made = [f"{{{piece}}}" if i % 2 else rf"\{command}{{{piece}}}" for i, piece in enumerate(pieces) if piece]
    return "{" + "".join(made) + "}"


def _not(match: re.Match[str]) -> str:
    return _NEGATED.get(match[1], r"\unknown ")


def _phantom(match: re.Match[str]) -> str:
    """Room of about the same width: nobody sees the difference."""
    if match[1] == "v":
        return ""
    letters = len(re.sub(r"\\[A-Za-z]+\s*|[{}^_\\]", "x" if "\\" in match[2] else "", match[2]))
    return rf"\hspace{{{0.5 * max(1, letters):.1f}em}}"


def _chemistry(match: re.Match[str]) -> str:
    """A formula of chemistry: letters upright, numbers behind them low, charges high, arrows."""
    text = re.sub(r"<=>|<->", r"\\rightleftharpoons ", match[1].replace("->", r"\rightarrow "))
    if re.search(r"[^A-Za-z0-9()\[\]+\-^_{}\\ .=]", text):
        return r"\unknown "
    text = re.sub(r"(?<=[A-Za-z)\]])(\d+)", r"_{\1}", text)
    text = re.sub(r"\^(?!\{)([0-9]*[+-])|(?<=[A-Za-z}\])])([+-])(?=\s|$)", r"^{\1\2}", text)
    return re.sub(r"(?<![\\A-Za-z])([A-Z][A-Za-z]*)", r"\\mathrm{\1}", text)


_REWRITES: tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = (
    (re.compile(r"(?<!\\)%"), r"\\%"),  # a percentage: chat models write no comments
    (re.compile(r"\\(begin|end)\s*\{([A-Za-z]+\*?)\}(\s*\{[^{}]*\})?"), _environment),
    (re.compile(r"\\(?:label|vspace)\s*" + _GROUP + r"|\\(?:nonumber|notag|displaylimits)(?![A-Za-z])"), ""),
    (re.compile(r"\\tag\*?\s*" + _GROUP), r"\\qquad \\text{(\1)}"),
    (re.compile(r"\\ce\s*" + _GROUP), _chemistry),
    (re.compile(r"\\(h|v)?phantom\s*" + _GROUP), _phantom),
    (re.compile(r"\\(text|textbf|textit|textrm|textnormal|mbox|hbox)\s*" + _GROUP), _text),
    (re.compile(r"\\mathop\s*\{\s*\\(?:mathrm|text|rm|operatorname)\s*" + _GROUP + r"\s*\}"), r"\\operatorname{\1}"),
    (re.compile(r"\\mathop\s*\{([A-Za-z ]+)\}"), r"\\operatorname{\1}"),
    (re.compile(r"\\(?:mathsf|textsf)\s*" + _GROUP), _letters(_SANS)),
    (re.compile(r"\\(?:mathtt|texttt)\s*" + _GROUP), _letters(_MONO)),
    (re.compile(r"\\not\s*(\\[A-Za-z]+|[^A-Za-z\\\s])"), _not),
    (re.compile(r"\\[dt]?binom\s*" + _GROUP + r"\s*" + _GROUP), r"\\left({{\1} \\atop {\2}}\\right)"),
    (re.compile(r"\\\|"), r"\\Vert "),
    (re.compile(r"\|(?=\|)"), "| "),
    (re.compile(r"\\hdots(?![A-Za-z])"), r"\\dots "),
    (re.compile(r"\\degree(?![A-Za-z])"), r"^{\\circ}"),
    (re.compile(r"\\(?:bold|pmb)(?![A-Za-z])"), r"\\mathbf"),
    (re.compile(r"\\Bbb(?![A-Za-z])"), r"\\mathbb"),
)
