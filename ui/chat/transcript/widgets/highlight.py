"""Colours of code, by Pygments, as text formats of Qt."""

import functools
from collections.abc import Iterator

from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name
from pygments.token import Comment, Keyword, Name, Number, Operator, String, Token, _TokenType
from pygments.util import ClassNotFound
from PySide6.QtGui import QColor, QFont, QTextCharFormat, QTextLayout

from ui.theme import Theme


class Highlighter:
    """Formats of a theme for the tokens of any language."""

    def __init__(self, theme: Theme) -> None:
        self._formats: dict[_TokenType, QTextCharFormat | None] = {Token: None}
        for token, color in (
            (Keyword, theme.code_keyword),
            (Operator.Word, theme.code_keyword),
            (Name.Tag, theme.code_keyword),
            (String, theme.code_string),
            (Number, theme.code_number),
            (Keyword.Constant, theme.code_number),
            (Name.Function, theme.code_function),
            (Name.Attribute, theme.code_function),
            (Name.Decorator, theme.code_function),
            (Name.Class, theme.code_type),
            (Name.Builtin, theme.code_type),
            (Name.Exception, theme.code_type),
            (Keyword.Type, theme.code_type),
        ):
            self._formats[token] = _format(color)
        comment = _format(theme.code_comment)
        comment.setFontItalic(True)
        self._formats[Comment] = comment
        strong = QTextCharFormat()
        strong.setFontWeight(QFont.Weight.Bold)
        self._formats[Token.Generic.Heading] = self._formats[Token.Generic.Strong] = strong
        self._formats[Token.Generic.Deleted] = _format(theme.error)
        self._formats[Token.Generic.Inserted] = _format(theme.ok)

    def lines(self, text: str, language: str) -> Iterator[list[QTextLayout.FormatRange]]:
        """For each line of ``text`` its coloured ranges; nothing for a language that is not known."""
        lexer = _lexer(language)
        if lexer is None:
            return
        ranges: list[QTextLayout.FormatRange] = []
        column = 0
        for token, value in lexer.get_tokens(text):
            style = self._format_of(token)
            first, *rest = value.split("\n")
            column = _add(ranges, style, column, first)
            for line in rest:
                yield ranges
                ranges = []
                column = _add(ranges, style, 0, line)
        yield ranges

    def _format_of(self, token: _TokenType) -> QTextCharFormat | None:
        known = token
        while known not in self._formats:
            known = known.parent or Token
        return self._formats.setdefault(token, self._formats[known])


def _add(ranges: list[QTextLayout.FormatRange], style: QTextCharFormat | None, column: int, text: str) -> int:
    length = len(text) if text.isascii() else len(text.encode("utf-16-le")) // 2  # Qt counts UTF-16 units
    if style is not None and length and not text.isspace():
        part = QTextLayout.FormatRange()
        part.start, part.length, part.format = column, length, style
        ranges.append(part)
    return column + length


def _format(color: str) -> QTextCharFormat:
    result = QTextCharFormat()
    result.setForeground(QColor(color))
    return result


@functools.cache
def _lexer(language: str) -> Lexer | None:
    if not language:
        return None
    try:
        return get_lexer_by_name(language.lower(), stripnl=False, ensurenl=False)
    except ClassNotFound:
        return None
