"""Where prose is a sample of code or JSON: there, text that looks like a marker is text."""

import re

MAX_INLINE = 256  # characters within which inline code has to end
_EVENT = re.compile(r"\n|`+|~{3,}|[{\[]")
_BEFORE_FENCE = re.compile(r"[\s>*+\-]*(?:\d+[.)]\s*)?")
_PLAIN_STRING = re.compile(r'[^"\\\n]+')
_BETWEEN = re.compile(r"[\s\w.+\-:,]+")
_SPACES = re.compile(r"\s+")


class JsonSample:
    """A piece of JSON inside of prose, recognised by how it begins: a bracket and then a quote or another bracket."""

    def __init__(self) -> None:
        self.depth = 0
        self.in_string = False
        self._escaped = False
        self._sure = False

    def see(self, text: str, at: int) -> int:
        """Follow ``text`` from ``at``; returns where the JSON ends, or the end of the text."""
        while at < len(text):
            at = self._string(text, at) if self.in_string else self._outside(text, at)
            if not self.depth:
                return at
        return at

    def _string(self, text: str, at: int) -> int:
        if self._escaped:
            self._escaped = False
            return at + 1
        if plain := _PLAIN_STRING.match(text, at):
            return plain.end()
        if text[at] == "\\":
            self._escaped = True
        elif text[at] == '"':
            self.in_string = False
        else:
            return self._stop(at)
        return at + 1

    def _outside(self, text: str, at: int) -> int:
        char = text[at]
        if not self._sure and not char.isspace() and char not in '"{[' and self.depth:
            return self._stop(at)
        if char in "{[":
            self.depth += 1
        elif char in "}]":
            self.depth -= 1
            self._sure = self._sure and self.depth > 0
        elif char == '"':
            self.in_string = self._sure = True
        elif between := (_BETWEEN if self._sure else _SPACES).match(text, at):
            return between.end()
        else:
            return self._stop(at)
        return at + 1

    def _stop(self, at: int) -> int:
        self.depth, self.in_string, self._escaped, self._sure = 0, False, False, False
        return at


class Samples:
    """Follows Markdown fences, inline code and JSON through text that arrives in pieces.

    A fence lasts until its closing fence, inline code until the same run of backticks or the end of the line.
    """

    def __init__(self) -> None:
        self._fence = ""
        self._inline = 0
        self._line = ""  # the line so far, as long as it may still introduce a fence
        self._run = ""  # backticks or tildes at the end of what was seen: the run may go on
        self._json = JsonSample()

    def see(self, text: str) -> None:
        if self._run:
            text, self._run = self._run + text, ""
        at = 0
        while at < len(text):
            if self._json.depth:
                begin, at = at, self._json.see(text, at)
                *lines, last = text[begin:at].split("\n")
                if lines:
                    self._inline, self._line = 0, ""
                self._grow(last)
                continue
            match = _EVENT.search(text, at)
            if match is None:
                rest = text[at:]
                tail = len(rest) - len(rest.rstrip("~"))
                self._grow(rest[: len(rest) - tail])
                self._run = rest[len(rest) - tail :]
                return
            self._grow(text[at : match.start()])
            at = match.end()
            event = match.group()
            if event == "\n":
                self._inline, self._line = 0, ""
            elif event in "{[":
                self._grow(event)
                if not self._fence and not self._inline:
                    self._json.depth = 1
            elif at == len(text):
                self._run = event
            else:
                self._mark(event)

    def inside(self) -> bool:
        """Whether the next character, which is no backtick, stands in a sample."""
        if self._run:
            run, self._run = self._run, ""
            if run[0] == "`" or len(run) >= 3:
                self._mark(run)
            else:
                self._grow(run)
        return bool(self._fence or self._inline or self._json.in_string)

    def goes_on(self, rest: str, *, ended: bool) -> bool | None:
        """Whether the open sample reaches into ``rest``, which follows; None while more of it decides.

        An odd backtick in a line opens nothing.
        """
        if self._fence or self._json.in_string:
            return True
        line, newline, _ = rest[:MAX_INLINE].partition("\n")
        if "`" in line:
            return True
        return False if newline or ended or len(rest) >= MAX_INLINE else None

    def _grow(self, text: str) -> None:
        if len(self._line) < 64:
            self._line += text[:64]

    def _mark(self, run: str) -> None:
        starts_line = _BEFORE_FENCE.fullmatch(self._line) is not None
        self._grow(run)
        if self._fence:
            if starts_line and run[0] == self._fence[0] and len(run) >= len(self._fence):
                self._fence = ""
        elif starts_line and len(run) >= 3 and not self._inline:
            self._fence = run
        elif run[0] == "`":
            if not self._inline:
                self._inline = len(run)
            elif self._inline == len(run):
                self._inline = 0
