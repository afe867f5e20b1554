"""The one streaming machine that reads every family.

It walks through text and markers. Text goes out as soon as it can no longer become a marker; a marker that is real
switches between reasoning and visible text, or hands over to the family's call reader. Whether something that looks
like a marker is one: by its token where that is known, otherwise by its place (not in a code sample).

A call that seems to open inside reasoning, where nobody knows the tokens, is read as a guess: it counts if nothing but
other calls or the end of the output follows, and stays reasoning otherwise ("tool syntax in prose is not a call").
"""

from collections.abc import Callable, Collection, Sequence

from app.domain.output import Content, OutputEvent, Reasoning
from app.formats.calls.named_json import read_named_json
from app.formats.family import CallReader, CallSink, Family, Header
from app.formats.markers import Markers
from app.formats.protocol import call_note
from app.formats.samples import Samples
from app.formats.sinks import TextSink
from app.formats.text.cursor import CONTROL, MAX_NAME, TEXT, Cursor, CutOff, Malformed, NoCall, Steps, Unexpected
from app.formats.text.schema import ToolTypes

MAX_GUESSES = 16  # calls tried without knowing the tokens; keeps the whole linear
MIN_CUT = 3  # characters at the end that tell the beginning of a marker from text; an angle bracket does at once
PIECE = 512  # longer input is used in pieces, so that the buffer stays short


class OutputParser:
    """A ``StreamParser`` for one generation of one family."""

    def __init__(
        self,
        family: Family,
        generation_prompt: str,
        tools: Sequence[dict[str, object]] = (),
        vocabulary: Collection[str] | None = None,
    ) -> None:
        self._family = family
        self._tools = ToolTypes(tools)
        self._markers = Markers(family, vocabulary)
        self._cursor = Cursor()
        self._events: list[OutputEvent] = []
        self._guess: list[OutputEvent] | None = None
        self._calls = CallSink(self._emit, self._cursor.next_call)
        self._samples = Samples()
        self._guesses = 0
        self._bare_tried = False
        opened = max((generation_prompt.rfind(marker) for marker in family.think_open), default=-1)
        closed = max((generation_prompt.rfind(marker) for marker in family.think_close), default=-1)
        self._thinking = opened > closed
        self._reasoned = False
        self._reasoning = self._reasoning_sink()
        self._content = TextSink(
            lambda text: self._emit(Content(text)),
            strip_lead=max(opened, closed) >= 0,
            space=generation_prompt.endswith(":"),
            closing=family.closing,
        )
        self._steps = self._run(generation_prompt)

    def feed(self, text: str, control: bool | None = None) -> list[OutputEvent]:
        for place in range(0, len(text), PIECE):
            self._cursor.push(text[place : place + PIECE], control)
            next(self._steps)
        return self._flush()

    def finish(self, *, truncated: bool = False) -> list[OutputEvent]:
        self._cursor.ended, self._cursor.truncated = True, truncated
        for _ in self._steps:
            raise AssertionError("a reader waits for text after the end")
        self._reasoning.finish()
        self._content.finish()
        return self._flush()

    def _emit(self, event: OutputEvent) -> None:
        (self._events if self._guess is None else self._guess).append(event)

    def _flush(self) -> list[OutputEvent]:
        events, self._events = self._events, []
        return events

    # -- text and markers

    def _run(self, generation_prompt: str) -> Steps[None]:
        cursor, markers = self._cursor, self._markers
        while cursor.empty and not cursor.ended:
            yield
        yield from self._beginning(generation_prompt)
        while True:
            while self._family.bare and not self._bare_tried and not self._thinking:
                yield from self._bare(self._family.bare)
            match = markers.search(cursor.text, cursor.at)
            if match is not None:
                self._write(cursor.take_text(match.start() - cursor.at))
                yield from self._marker(match.group())
                continue
            self._write(cursor.take_text(markers.held(cursor.text, cursor.at) - cursor.at))
            if cursor.ended:
                self._cut_marker()
                return
            yield

    def _cut_marker(self) -> None:
        """The end of the output could be the beginning of a marker: drop it if it was cut off there."""
        cursor, markers = self._cursor, self._markers
        rest = cursor.text[cursor.at :]
        flag = cursor.flag(len(rest))
        begun = {
            marker for marker in markers.all if marker.startswith(rest) and (flag != TEXT or marker in markers.spelt)
        }
        least = 1 if flag != TEXT and "<" in rest else MIN_CUT
        sure = flag == CONTROL or (cursor.truncated and len(rest) >= least and not self._samples.inside())
        if not (rest and begun and sure):
            self._write(cursor.take_all())
        elif begun <= markers.calls:
            self._emit(call_note("incomplete", None))

    def _write(self, text: str) -> None:
        if text:
            (self._reasoning if self._thinking else self._content).write(text)
            self._samples.see(text)

    def _marker(self, marker: str) -> Steps[None]:
        """Act on what looks like ``marker`` and stands here."""
        markers, flag = self._markers, self._cursor.flag(len(marker))
        late = marker in markers.leads and (self._thinking or self._content.started)
        if late or not (yield from self._real(marker, flag)):
            self._write(self._cursor.take(len(marker)))
        elif marker in markers.think_open:
            self._cursor.take(len(marker))
            self._begin_reasoning()
        elif marker in markers.think_close and (self._thinking or marker not in markers.ends):
            self._cursor.take(len(marker))
            self._end_reasoning()
        elif marker in markers.quiet:
            self._cursor.take(len(marker))
        elif marker in markers.headers:
            yield from self._header(marker)
        elif marker in markers.calls:
            assert self._family.calls is not None
            yield from self._call(marker, self._family.calls)
        elif marker in markers.inner and (marker in markers.spelt or (self._thinking and flag != CONTROL)):
            self._write(self._cursor.take(len(marker)))  # a stray piece of syntax in prose
        else:
            self._cursor.take(len(marker))
            if marker not in markers.inner:
                self._content.settle()
            self._end_reasoning(silent=True)

    def _real(self, marker: str, flag: str) -> Steps[bool]:
        cursor, samples = self._cursor, self._samples
        if flag == TEXT and marker not in self._markers.spelt:
            return False
        if flag == CONTROL or not samples.inside():
            return True
        while (sample := samples.goes_on(cursor.text[cursor.at + len(marker) :], ended=cursor.ended)) is None:
            yield
        if not sample:
            return True
        # A code sample may still be open where the message ends; then the marker is the last thing.
        return marker in self._markers.ends and (yield from cursor.over(skip=len(marker)))

    # -- reasoning

    def _reasoning_sink(self) -> TextSink:
        lead = "\n" if self._reasoned else ""

        def emit(text: str) -> None:
            nonlocal lead
            self._emit(Reasoning(lead + text))
            lead = ""
            self._reasoned = True

        return TextSink(emit, strip_lead=True, strip_tail=True)

    def _begin_reasoning(self) -> None:
        self._content.boundary()
        if not self._thinking:
            self._thinking = True
            self._reasoning = self._reasoning_sink()
            self._samples = Samples()

    def _end_reasoning(self, *, silent: bool = False) -> None:
        """Visible text follows; its leading newlines belong to the wire (``silent``: only where reasoning was)."""
        if self._thinking:
            self._thinking = False
            self._reasoning.boundary()
            self._reasoning.finish()
            self._samples = Samples()
            self._bare_tried = False
        elif silent and self._content.started:
            self._content.boundary()
            return
        self._content.boundary()
        self._content.lead()

    # -- calls

    def _call(self, marker: str, reader: CallReader) -> Steps[None]:
        """Read the call or calls that ``marker`` opens."""
        cursor = self._cursor
        soft = marker in self._markers.soft
        if cursor.flag(len(marker)) != CONTROL and (self._thinking or soft):
            if not (yield from self._guessed(marker, reader.read)):
                self._write(cursor.take(len(marker)))
            return
        self._end_reasoning(silent=True)
        cursor.record()
        cursor.take(len(marker))
        yield from self._read(reader.read(marker, cursor, self._calls, self._tools), len(marker))
        self._samples = Samples()
        self._bare_tried = False

    def _read(self, reading: Steps[None], opener: int) -> Steps[None]:
        """Finish ``reading`` a call that is one; its opener has ``opener`` characters."""
        try:
            yield from self._judged(reading)
        except CutOff:
            self._incomplete()
        except Malformed as error:
            yield from self._malformed(opener, note=not isinstance(error, NoCall))
        self._cursor.stop_recording()

    def _judged(self, reading: Steps[None]) -> Steps[None]:
        """``reading``, where an end of the message inside of a call cuts the call off."""
        cursor = self._cursor
        try:
            yield from reading
        except CutOff:
            cursor.take_all()
            raise
        except Unexpected:
            if (yield from cursor.follows(*self._markers.ends)) and cursor.flag(1, cursor.spaces() or 0) != TEXT:
                raise CutOff from None
            raise

    def _guessed(self, marker: str, read: Callable[[str, Cursor, CallSink, ToolTypes], Steps[None]]) -> Steps[bool]:
        """Read a call that may be none. False puts everything back."""
        if self._guesses >= MAX_GUESSES:
            return False
        cursor, calls, index = self._cursor, self._calls, self._calls.index
        self._guess = []
        cursor.record(guess=True)
        cursor.take(len(marker))
        try:
            real = not self._thinking
            yield from self._judged(read(marker, cursor, calls, self._tools))
            while not real and (following := (yield from cursor.accept(*sorted(self._markers.calls)))):
                yield from self._judged(read(following, cursor, calls, self._tools))
            real = real or (yield from self._markers.nothing_else(cursor))
        except CutOff:
            raw = cursor.recorded()
            real = (calls.name is not None or calls.index > index) and not any(
                close in raw for close in self._markers.think_close
            )
            if real:
                self._incomplete()
        except Malformed:
            real = not marker and calls.name is not None  # it names a tool: a call that went wrong
            if real:
                yield from self._malformed(0)
        events, self._guess = self._guess, None
        if real:
            cursor.stop_recording()
            self._end_reasoning(silent=True)
            self._events += events
            self._samples = Samples()
            self._bare_tried = False
        else:
            self._guesses += 1
            cursor.rewind()
            calls.index, calls.name = index, None
        return real

    def _incomplete(self) -> None:
        name = self._calls.name
        self._calls.broken("incomplete", self._cursor.recorded())
        self._emit(call_note("incomplete", name))

    def _malformed(self, opener: int, *, note: bool = True) -> Steps[None]:
        """Show what is no call as text, up to its closing marker."""
        cursor, name = self._cursor, self._calls.name
        raw = cursor.recorded()
        cursor.stop_recording()
        if not raw[opener:].strip() and (yield from cursor.follows(*self._markers.calls)):
            return  # its opener was written twice
        if name is not None:
            self._calls.broken("malformed", raw)
        if note:
            self._emit(call_note("malformed", name))
        if raw[opener:].strip() and not raw.rstrip().endswith(tuple(self._markers.inner - self._markers.spelt)):
            raw += yield from self._rest_of_broken()
        self._content.write(self._markers.strip(raw))
        self._content.boundary()

    def _rest_of_broken(self) -> Steps[str]:
        """What still belongs to a malformed call: up to a closing marker, another call, an end."""
        cursor, markers = self._cursor, self._markers
        pieces: list[str] = []
        while True:
            match = markers.search(cursor.text, cursor.at)
            stop = match.start() if match else len(cursor.text)
            if not match and not cursor.ended:
                stop = markers.held(cursor.text, cursor.at)
            pieces.append(cursor.take(stop - cursor.at))
            if match is None:
                if cursor.ended:
                    return "".join(pieces)
                yield
                continue
            marker = match.group()
            ordinary = cursor.flag(len(marker)) == TEXT and marker not in markers.spelt
            if not ordinary and marker in markers.calls | markers.ends | markers.headers:
                return "".join(pieces)
            pieces.append(cursor.take(len(marker)))
            if not ordinary and marker in markers.inner - markers.spelt:
                return "".join(pieces)

    def _bare(self, reader: CallReader) -> Steps[None]:
        """Read a call without a marker at the beginning of the text."""
        first = yield from self._cursor.peek()
        self._bare_tried = True
        if first and first in {start[0] for start in reader.openers}:
            yield from self._guessed("", reader.read)

    # -- messages with headers

    def _beginning(self, generation_prompt: str) -> Steps[None]:
        """Go on where the prompt stops: inside a header, or in a message."""
        syntax = self._family.headers
        if syntax is None:
            return
        began = max(generation_prompt.rfind(opener) for opener in syntax.openers)
        if began < 0:
            return
        ended = generation_prompt.find(syntax.end, began)
        if ended >= 0:
            header = syntax.classify(generation_prompt[began:ended], self._tools)
            if header is not None:
                yield from self._enter(header)
        elif (
            not syntax.first
            or generation_prompt.endswith(syntax.openers)
            or (yield from self._cursor.follows(*syntax.first))
        ):
            self._cursor.record()
            yield from self._read_header("")

    def _header(self, opener: str) -> Steps[None]:
        self._cursor.record()
        self._cursor.take(len(opener))
        yield from self._read_header(opener)

    def _read_header(self, opener: str) -> Steps[None]:
        syntax, cursor = self._family.headers, self._cursor
        assert syntax is not None
        header = None
        try:
            text, _ = yield from cursor.until(syntax.end, limit=MAX_NAME)
            header = syntax.classify(text, self._tools)
        except (CutOff, Malformed):
            if cursor.ended and not syntax.soft:
                header = syntax.classify(cursor.recorded()[len(opener) :], self._tools)
                if header is not None and header.kind == "call":
                    self._calls.open(header.name)
                    self._incomplete()
                if header is not None or cursor.truncated:
                    cursor.stop_recording()
                    return
        if header is None:
            cursor.rewind()
            piece = cursor.take(len(opener))
            if syntax.soft:
                self._write(piece)
            return
        cursor.stop_recording()
        yield from self._enter(header)

    def _enter(self, header: Header) -> Steps[None]:
        if header.kind == "reasoning":
            self._begin_reasoning()
            return
        self._end_reasoning(silent=True)
        if header.kind == "content":
            if self._content.started:
                self._content.separate()
            return
        self._cursor.record()
        ends = tuple(self._markers.ends)
        yield from self._read(read_named_json(header.name, self._cursor, self._calls, empty=ends), 0)
        yield from self._cursor.accept(*ends)
