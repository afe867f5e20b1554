"""Markdown that arrives in pieces: blocks that can no longer change, and the tail that still can. No Qt in here."""

import re
from itertools import pairwise
from typing import Any

from ui.chat.transcript.rows.growing import with_open_formula
from ui.chat.transcript.rows.markdown import Block, parse
from ui.chat.transcript.rows.rules import FenceEnd

LONG_LIST = 8000  # characters from which on an open list is cut, so that its items are not parsed again and again
_FENCE = re.compile(r"( {0,3})(`{3,}|~{3,})([^\n]*)\n")
_DISPLAY_MATH = re.compile(r"\$\$|\\\[")
_INDENTED = re.compile(r" {4}| {0,3}\t")  # as code: no mark in it closes anything
_BLANK = re.compile(r"\n[ \t]*\n")


class MarkdownStream:
    """Feeds text to the parser without ever parsing again what is settled.

    A block is settled when the lines that make the next one what it is are complete, unless display math that is still
    open could swallow them. Feeding the same text in any pieces and closing gives the blocks of ``parse`` on the whole,
    unless it is ``provisional``: a link or footnote may have been used before its definition, or with one that was not
    yet whole, or a long list was cut.
    """

    def __init__(self) -> None:
        self._tail = ""
        self._return = False  # the last piece ended with "\r", whose "\n" may follow
        self._references: dict[str, Any] = {}
        self._footnotes: set[str] = set()
        self._fence: _OpenFence | None = None
        self._cut = False
        self._guessed = False  # a settled block was parsed with a definition that may still become plain text

    @property
    def provisional(self) -> bool:
        """The whole has to be parsed once more at the end."""
        return self._cut or self._guessed or bool(self._references) or bool(self._footnotes)

    def feed(self, text: str) -> tuple[list[Block], list[Block]]:
        """Newly settled blocks, and those of the tail as they look now."""
        text = self._normalized(text)
        self._tail += text
        if self._fence is not None:
            block = self._fence.feed(text)
            if block is not None:
                return [], [block]
            self._fence = None
        blocks, references = self._parse()
        settled, boundary = self._settled(blocks)
        last = "\n".join(self._tail.split("\n")[blocks[-1].start :]) if blocks else ""
        if settled:
            self._settle(boundary, references)
        rest = blocks[settled:]
        if len(rest) == 1 and len(self._tail) > LONG_LIST:
            parts = _cut_list(rest[0])
            if parts is not None:
                self._cut = True
                self._settle(parts[1].start - (boundary if settled else 0), references)
                return [*blocks[:settled], parts[0]], [parts[1]]
        if len(rest) == 1 and rest[0].kind == "code":
            self._fence = _OpenFence.begin(self._tail)
        growing = with_open_formula(last, references, self._footnotes) if rest and rest[-1].kind != "code" else None
        return blocks[:settled], rest if growing is None else [*rest[:-1], *growing]

    def close(self) -> list[Block]:
        """No more text comes: the tail is settled as it is."""
        if self._return:
            self._tail, self._return = self._tail + "\n", False
        blocks, references = self._parse()
        self._settle(self._tail.count("\n") + 1, references)
        self._fence = None
        return blocks

    def _normalized(self, text: str) -> str:
        if self._return:
            text = "\r" + text
        self._return = text.endswith("\r")
        if self._return:
            text = text[:-1]
        return text.replace("\r\n", "\n").replace("\r", "\n")

    def _parse(self) -> tuple[list[Block], dict[str, Any]]:
        references = dict(self._references)
        return parse(self._tail, references, self._footnotes), references

    def _settled(self, blocks: list[Block]) -> tuple[int, int]:
        """How many blocks are settled, and the line where the rest begins."""
        lines = self._tail.split("\n")
        settled, boundary = 0, 0
        for count, (block, following) in enumerate(pairwise(blocks), start=1):
            if _decided_by(following) >= len(lines) - 1:
                break  # it may become something else that goes on with this block
            if self._open_math(block, lines[block.start : following.start]):
                break
            # What lies between two blocks is blank or a link definition, which its next line may still complete.
            between = any(line.strip() for line in lines[block.end : following.start])
            settled, boundary = count, block.end if between else following.start
        return settled, boundary

    @staticmethod
    def _open_math(block: Block, lines: list[str]) -> bool:
        if block.math or block.kind == "code":
            return False
        source = "\n".join(lines) + "\n"
        last = source[max((match.end() for match in _BLANK.finditer(source)), default=0) :]
        return _DISPLAY_MATH.search(last) is not None

    def _settle(self, boundary: int, references: dict[str, Any]) -> None:
        for label, definition in references.items():
            if label not in self._references and definition["map"][0] < boundary:
                self._references[label] = definition
        self._guessed |= len(references) > len(self._references)
        self._tail = "\n".join(self._tail.split("\n")[boundary:])


def _decided_by(block: Block) -> int:
    """The line that makes ``block`` what it is: once complete, no later text can make another kind of it."""
    if block.math:
        return block.end - 1  # the closing mark has to end its line
    return block.start + 1 if block.kind == "table" else block.start  # the line of dashes below a table's head


def _cut_list(block: Block) -> tuple[Block, Block] | None:
    """A list as all items but the last, and the last. A later blank line may still make all of them paragraphs."""
    tokens = block.tokens
    if tokens[0].type not in ("bullet_list_open", "ordered_list_open"):
        return None
    items = [i for i, token in enumerate(tokens) if token.type == "list_item_open" and token.level == 1]
    if len(items) < 2:
        return None
    last = items[-1]
    line = (tokens[last].map or (block.start, block.end))[0]
    before = Block("prose", (*tokens[:last], tokens[-1]), block.start, line)
    return before, Block("prose", (tokens[0], *tokens[last:]), line, block.end)


class _OpenFence:
    """A code block whose end has not come: its lines are appended without parsing."""

    def __init__(self, indent: int, mark: str, language: str) -> None:
        self._indent = indent
        self._end = FenceEnd(mark, language)
        self._language = language
        self._lines: list[str] = []
        self._partial = ""

    @classmethod
    def begin(cls, source: str) -> "_OpenFence | None":
        """``source`` starts with the opening line; None where it does not or the block is already closed."""
        source = source.lstrip("\n")
        match = _FENCE.match(source)
        if match is None:
            return None
        words = match[3].split()
        fence = cls(len(match[1]), match[2], words[0] if words else "")
        return fence if fence.feed(source[match.end() :]) is not None else None

    def feed(self, text: str) -> Block | None:
        """The block so far, or None when this text closes it."""
        *whole, self._partial = (self._partial + text).split("\n")
        for line in whole:
            if _INDENTED.match(line) is None and self._end.closes(line.lstrip(" ")):
                return None
            self._lines.append(self._stripped(line))
        if _INDENTED.match(self._partial) is None and self._end.would_close(self._partial.lstrip(" ")):
            return None
        body = "\n".join([*self._lines, self._stripped(self._partial)])
        return Block("code", (), 0, len(self._lines) + 1, body, self._language)

    def _stripped(self, line: str) -> str:
        """Without as much indentation as the opening line has."""
        indent = 0
        while indent < self._indent and line[indent : indent + 1] == " ":
            indent += 1
        return line[indent:]
