"""Text on its way out."""

from collections.abc import Callable


class TextSink:
    """Reasoning or visible text, without the newlines that belong to the wire.

    Whitespace is held until text follows it or a marker that ends it. What stands beside another marker at the end is
    dropped.
    """

    def __init__(
        self,
        emit: Callable[[str], None],
        *,
        strip_lead: bool,
        strip_tail: bool = False,
        space: bool = False,
        closing: str = "",
    ) -> None:
        self._emit = emit
        self._strip_lead = strip_lead
        self._strip_tail = strip_tail
        self._closing = closing  # what the wire has between the text and its end
        self._space = space  # one space at the beginning belongs to the prompt ("assistant:")
        self._held: list[str] = []
        self._beside_marker = False
        self._kept = 0  # pieces of held whitespace that stood before the marker
        self._line_ended = False
        self.started = False

    def write(self, text: str) -> None:
        if self._space and text:
            text, self._space = text.removeprefix(" "), False
        if self._strip_lead and not self.started and not self._held:
            text = text.lstrip("\n")
        body = text.rstrip()
        if body:
            self._out("".join(self._held) + body)
            self._held.clear()
            self.started = True
            self._beside_marker = False
        if tail := text[len(body) :]:
            self._held.append(tail)

    def lead(self) -> None:
        """Leading newlines belong to the wire from here on, if no text came yet."""
        self._strip_lead = True
        if not self.started:
            held = "".join(self._held).lstrip("\n")
            self._held = [held] if held else []
            self._kept = min(self._kept, len(self._held))

    def separate(self) -> None:
        """Another message of the same kind follows: a line of its own."""
        held = "".join(self._held)
        if not (held.endswith("\n") if held else self._line_ended):
            self._held.append("\n")

    def settle(self) -> None:
        """The text ends here: whitespace that follows it is its own, but for what the wire puts there."""
        if self.started and self._held and not self._beside_marker:
            if kept := "".join(self._held).removesuffix(self._closing):
                self._out(kept)
            self._held.clear()

    def boundary(self) -> None:
        """A marker stands here. Whitespace between two markers is the wire's."""
        if self._beside_marker:
            del self._held[self._kept :]
        self._kept = len(self._held)
        self._beside_marker = True

    def finish(self) -> None:
        held = "".join(self._held).removesuffix(self._closing)
        self._held.clear()
        if self._strip_tail:
            held = held.rstrip("\n")
        if held and not self._beside_marker:
            self._out(held)

    def _out(self, text: str) -> None:
        self._emit(text)
        self._line_ended = text.endswith("\n")
