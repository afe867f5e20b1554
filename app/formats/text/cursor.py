"""The text that a parser has not used yet, with what is known of each character's token.

Reading functions are generators: they ``yield`` where the next characters decide and are not there yet. That makes the
result independent of how the stream is cut, because no decision ever looks at where a piece ends.
"""

import re
from collections.abc import Generator
from typing import TypeAlias, TypeVar

T = TypeVar("T")
Steps: TypeAlias = Generator[None, None, T]

CONTROL, TEXT, UNKNOWN = "c", "t", "?"
MAX_NAME = 256
_TOKEN = re.compile(r"<([|｜])[^|｜<>\s]+\1>")


class Malformed(Exception):
    """What was read is not what the wire format says."""


class Unexpected(Malformed):
    """The text that comes next is none of what may come next."""


class NoCall(Malformed):
    """Text where a call could stand; nothing is wrong with it."""


class CutOff(Exception):
    """The output ended inside a call."""


class Cursor:
    """A buffer with one flag a character: control token, ordinary text, or unknown. Not thread-safe."""

    def __init__(self) -> None:
        self.text = ""
        self.flags = ""
        self.at = 0
        self.ended = False
        self.truncated = False  # it ended by a limit, not by the model
        self.spelt = False  # what ``accept`` took last was ordinary text, no token
        self._tape: list[tuple[str, str]] | None = None
        self._call_begins = 0
        self._guess = False

    def push(self, text: str, control: bool | None) -> None:
        flag = UNKNOWN if control is None else CONTROL if control else TEXT
        self.text = self.text[self.at :] + text
        self.flags = self.flags[self.at :] + flag * len(text)
        self.at = 0

    @property
    def empty(self) -> bool:
        return self.at >= len(self.text)

    def take(self, count: int) -> str:
        """Use up ``count`` characters."""
        start, self.at = self.at, self.at + count
        piece = self.text[start : self.at]
        if self._tape is not None and piece:
            self._tape.append((piece, self.flags[start : self.at]))
        return piece

    def take_text(self, count: int) -> str:
        """``take`` for people: without tokens such as ``<|fim_pad|>`` that are no marker of the family."""
        flags = self.flags[self.at : self.at + count]
        text = self.take(count)
        if CONTROL not in flags:
            return text
        return _TOKEN.sub(lambda match: "" if CONTROL in flags[slice(*match.span())] else match.group(), text)

    def record(self, *, guess: bool = False) -> None:
        """Keep what is taken from here on, for ``recorded`` or ``rewind``; for a ``guess`` also after whole calls."""
        self._tape = []
        self._call_begins = 0
        self._guess = guess

    def next_call(self) -> None:
        """What is recorded from here on belongs to another call."""
        if self._guess:
            self._call_begins = len(self._tape or ())
        elif self._tape:
            self._tape.clear()

    def recorded(self) -> str:
        """What was taken since the recording began, or since the last whole call in it."""
        return "".join(piece for piece, _ in (self._tape or [])[self._call_begins :])

    def stop_recording(self) -> None:
        self._tape = None

    def rewind(self) -> None:
        """Put everything recorded back and stop recording."""
        tape, self._tape = self._tape or [], None
        self.text = "".join(piece for piece, _ in tape) + self.text[self.at :]
        self.flags = "".join(flags for _, flags in tape) + self.flags[self.at :]
        self.at = 0

    def starts(self, literal: str, skip: int = 0) -> bool | None:
        """Whether ``literal`` stands here (after ``skip`` characters); None while that is open."""
        begin = self.at + skip
        if self.text.startswith(literal, begin):
            return True
        if not self.ended and literal.startswith(self.text[begin : begin + len(literal)]):
            return None
        return False

    def flag(self, count: int, skip: int = 0) -> str:
        """What is known of the next ``count`` characters: a control token is among them, all are ordinary text, or
        nobody knows."""
        flags = self.flags[self.at + skip : self.at + skip + count]
        return CONTROL if CONTROL in flags else UNKNOWN if UNKNOWN in flags else TEXT

    def take_all(self) -> str:
        return self.take(len(self.text) - self.at)

    def spaces(self) -> int | None:
        """How many whitespace characters stand here; None while more could follow."""
        rest = self.text[self.at :]
        count = len(rest) - len(rest.lstrip())
        return None if count == len(rest) and not self.ended else count

    def peek(self, count: int = 1) -> Steps[str]:
        """The next ``count`` characters that are not whitespace, fewer at the end. Takes nothing."""
        found, seen = "", 0
        while True:
            rest = self.text[self.at + seen :]
            found, seen = found + "".join(rest.split()), seen + len(rest)
            if len(found) >= count or self.ended:
                return found[:count]
            yield

    def skip_space(self) -> Steps[None]:
        """Take whitespace up to something else or the end."""
        while True:
            rest = self.text[self.at :]
            self.take(len(rest) - len(rest.lstrip()))
            if not self.empty or self.ended:
                return
            yield

    def accept(self, *literals: str) -> Steps[str]:
        """Take whitespace and then the one of ``literals`` that follows; take nothing and return "" if none does.

        Where the output ends inside of one, that beginning is taken.
        """
        while True:
            count = self.spaces()
            if count is not None:
                rest = self.text[self.at + count :]
                if self.ended and rest and any(len(rest) < len(one) and one.startswith(rest) for one in literals):
                    self.take_all()
                    return ""
                verdicts = [self.starts(literal, count) for literal in literals]
                for literal, verdict in zip(literals, verdicts, strict=True):
                    if verdict:
                        self.spelt = self.flag(len(literal), count) == TEXT
                        self.take(count + len(literal))
                        return literal
                if None not in verdicts:
                    return ""
            yield

    def follows(self, *literals: str, skip: int = 0) -> Steps[bool]:
        """Whether whitespace and then one of ``literals`` stands here, after ``skip`` characters. Takes nothing.

        At the end of the output nothing follows.
        """
        while True:
            rest = self.text[self.at + skip :]
            count = len(rest) - len(rest.lstrip())
            if count < len(rest):
                verdicts = [self.starts(literal, skip + count) for literal in literals]
                if True in verdicts:
                    return True
                if None not in verdicts:
                    return False
            elif self.ended:
                return False
            yield

    def over(self, *ends: str, skip: int = 0) -> Steps[bool]:
        """Whether the output ends here or one of ``ends`` follows, after ``skip`` characters. Takes nothing."""
        while not self.text[self.at + skip :].strip():
            if self.ended:
                return True
            yield
        return bool(ends) and (yield from self.follows(*ends, skip=skip))

    def require(self, *literals: str) -> Steps[str]:
        """``accept``, or the verdict: cut off at the end of the output, malformed otherwise."""
        found = yield from self.accept(*literals)
        if not found:
            raise self.verdict(*literals)
        return found

    def verdict(self, *literals: str) -> Exception:
        """What is wrong when none of ``literals`` stands here: the rest may be the beginning of one."""
        rest = self.text[self.at :].lstrip()
        if self.ended and (not rest or any(literal.startswith(rest) for literal in literals)):
            return CutOff()
        return Unexpected(f"expected {' or '.join(literals)}")

    def before(self, stops: str, *, limit: int = MAX_NAME) -> Steps[str]:
        """Text up to one of the characters ``stops``, which is not taken, or the end. Malformed after ``limit``."""
        pieces = ""
        while True:
            rest = self.text[self.at :]
            stop = next((place for place, char in enumerate(rest) if char in stops), None)
            length, room = len(rest) if stop is None else stop, limit - len(pieces)
            pieces += self.take(min(length, room))
            if length > room:
                raise Malformed(f"none of {stops}")
            if stop is not None or self.ended:
                return pieces
            yield

    def up_to(self, *ends: str) -> Steps[str]:
        """Text up to the first of ``ends``, which is not taken, or the end of the output."""
        pieces: list[str] = []
        longest = max(map(len, ends))
        while True:
            found = min((place for end in ends if (place := self.text.find(end, self.at)) >= 0), default=None)
            hold = 0 if self.ended else longest - 1
            stop = max(self.at, len(self.text) - hold) if found is None else found
            pieces.append(self.take(stop - self.at))
            if found is not None or self.ended:
                return "".join(pieces)
            yield

    def until(self, *ends: str, limit: int | None = None, forbid: str = "") -> Steps[tuple[str, str]]:
        """Text up to the first of ``ends``, and that end, both taken.

        Raises CutOff at the end of the output, Malformed after ``limit`` characters or at one of ``forbid``.
        """
        pieces: list[str] = []
        size = 0
        longest = max(map(len, ends))
        while True:
            stop, found = len(self.text), ""
            for end in ends:
                if (place := self.text.find(end, self.at, stop + longest)) >= 0 and place < stop:
                    stop, found = place, end
            if not found and not self.ended:
                stop = max(self.at, stop - longest + 1)
            bad = None
            if forbid:
                places = (self.text.find(char, self.at, stop) for char in forbid)
                bad = min((place for place in places if place >= 0), default=None)
            if limit is not None and stop - self.at > limit - size:
                bad = min(self.at + limit - size, len(self.text) if bad is None else bad)
            piece = self.take((stop if bad is None else bad) - self.at)
            pieces.append(piece)
            size += len(piece)
            if bad is not None:
                raise self.verdict(*ends)
            if found:
                self.take(len(found))
                return "".join(pieces), found
            if self.ended:
                raise CutOff
            yield

    def raw_value(self, close: str, *followers: str, token: bool = False) -> Steps[str]:
        """Raw text of an argument up to ``close``, which is taken.

        ``close`` inside the value is told from the real one by its token where that is known (``token``), and
        otherwise by what follows: only whitespace and one of ``followers``.
        """
        pieces: list[str] = []
        while True:
            place = self.text.find(close, self.at)
            if place < 0:
                hold = 0 if self.ended else len(close) - 1
                pieces.append(self.take(max(0, len(self.text) - hold - self.at)))
                if self.ended:
                    raise CutOff
                yield
                continue
            pieces.append(self.take(place - self.at))
            flag = self.flag(len(close)) if token else UNKNOWN
            if flag == UNKNOWN:
                real = yield from self.follows(*followers, skip=len(close))
                if not real and self.ended and not self.text[self.at + len(close) :].strip():
                    raise CutOff
            else:
                real = flag == CONTROL
            if real:
                self.take(len(close))
                return "".join(pieces)
            pieces.append(self.take(1))
