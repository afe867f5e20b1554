"""History to token ids: rendering, markers in strangers' text, the model's own words as its own ids, the budget.

The template decides which parts of the past are in the prompt; where a stretch of the rendered text is what this model
generated, it goes in as the ids that it generated, because tokenizing the text again can give other ids and lose the
KV cache from there on.
"""

import contextlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from app.domain.answers import given_sources, rounds
from app.domain.errors import AppError
from app.domain.messages import GeneratedSpan, Message, Role, ToolResultPart
from app.domain.models import ModelInfo, PromptText
from app.engine.protocol import Engine
from app.formats.protocol import ChatFormat
from app.formats.templates.messages import Kind, shortest
from app.formats.templates.template import ChatTemplate
from app.responders.local.history import TemplateMessage, question_text, template_messages

_MARK = "\ufdd0"  # a Unicode noncharacter: it is taken out of every text that a person or a file brings
_DROP_STEP = 4  # turns dropped together, so that the prefix cache survives the turns after a drop


_SHORT = {"user": shortest(Kind(system=False, calls=False)), "tool": shortest(Kind(system=False, calls=True))}
"""Short conversations by the role that they end with."""


@dataclass(frozen=True, slots=True)
class PromptOptions:
    """What stands around the history. ``examples``: questions and answers that show how to cite, put before it;
    ``reserve``: tokens to keep free for the answer."""

    system: str
    examples: tuple[tuple[str, str], ...] = ()
    tools: tuple[dict[str, object], ...] = ()
    think: bool | None = None
    reserve: int = 0


@dataclass(frozen=True, slots=True)
class Prompt:
    """``generation_prompt``: what the template put last, the parser's start state. ``dropped``: oldest messages left
    out for want of room. ``chars_per_token``: of this prompt, to size what is still to come."""

    ids: tuple[int, ...]
    generation_prompt: str
    dropped: int
    chars_per_token: float


class PromptBuilder:
    """Builds prompts for one loaded model. Used on turn threads; waits for the engine's tokenizer."""

    def __init__(self, engine: Engine, model: ModelInfo, template: ChatTemplate, chat_format: ChatFormat) -> None:
        self._engine = engine
        self._model = model
        self._template = template
        self._format = chat_format
        self._spelt: dict[str, tuple[int, ...]] = {"": ()}  # what stands around answers, in tokens
        markers = sorted((text for text in model.control_tokens if len(text) > 2), key=len, reverse=True)
        self._markers = re.compile("|".join(map(re.escape, markers))) if markers else None
        self._openings: dict[tuple[object, ...], str] = {}

    def build(self, history: Sequence[Message], options: PromptOptions, partial: GeneratedSpan | None = None) -> Prompt:
        """``history``: root to the answer being written. ``partial``: this round's output so far, to be continued.

        Raises AppError ``prompt-too-long`` where even the last question alone does not fit.
        """
        room = self._model.context - options.reserve
        for dropped in _drops(history):
            prompt = self._render(history[dropped:], options, partial, dropped)
            if len(prompt.ids) <= room:
                return prompt
        raise AppError(
            "prompt-too-long",
            "The question and what belongs to it take {needed} tokens, but the model's context holds {context}.",
            "Shorten the question, attach less, or load the model with a larger context.",
            needed=len(prompt.ids),
            context=self._model.context,
        )

    def guard(self, text: str) -> str:
        """Break the spellings of control tokens in ``text`` by a mark, so that no template acts on them and the prompt
        keeps them as text: where the mark was, the prompt is cut and each side is tokenized by itself."""
        text = text.replace(_MARK, "")
        return (
            self._markers.sub(lambda found: found.group()[0] + _MARK + found.group()[1:], text)
            if self._markers
            else text
        )

    def _render(
        self, history: Sequence[Message], options: PromptOptions, partial: GeneratedSpan | None, dropped: int
    ) -> Prompt:
        messages = template_messages(history, self.guard)
        for question, answer in reversed(options.examples):
            messages[:0] = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
        if options.system:
            messages.insert(0, {"role": "system", "content": self.guard(options.system)})
        tools = list(options.tools) or None
        rendered = self._template.render(messages, tools, think=options.think, format=self._format)
        opening = self._opening(messages, rendered, options)
        pieces = list(self._pieces(rendered, history))
        if partial is not None:
            known = partial.vocabulary == self._model.vocabulary
            pieces.append(partial.token_ids if known else PromptText(partial.raw))
        ids = self._tokenize(pieces)
        return Prompt(ids, opening, dropped, len(rendered) / max(1, len(ids)))

    def _opening(self, messages: Sequence[TemplateMessage], rendered: str, options: PromptOptions) -> str:
        """What the template put last, for the assistant to go on from.

        It is asked for with a short conversation that ends alike, since rendering a long one twice more costs as much
        again; where the prompt does not end so, with the whole one.
        """
        tools = list(options.tools) or None
        short = _SHORT.get(str(messages[-1]["role"])) if messages else None
        if short is not None:
            key = (messages[-1]["role"], options.think, tools is None)
            if key not in self._openings:
                self._openings[key] = self._ask_opening(short, options)
            opening = self._openings[key]
            if opening and rendered.endswith(opening):
                return opening
        return self._template.generation_prompt(messages, tools, think=options.think, format=self._format)

    def _ask_opening(self, messages: Sequence[TemplateMessage], options: PromptOptions) -> str:
        """ "" where the template does not take ``messages``."""
        tools = list(options.tools) or None
        try:
            return self._template.generation_prompt(messages, tools, think=options.think, format=self._format)
        except AppError:
            return ""

    def _pieces(self, rendered: str, history: Sequence[Message]) -> Iterator[PromptText | tuple[int, ...]]:
        """Cut the rendered text into ids that are known, and text to tokenize."""
        plain, cuts = _unmarked(rendered)
        done = position = 0
        for said in _said(history):
            if isinstance(said, str):  # a stranger's text: what the model wrote is not looked for inside it
                start = plain.find(said, position)
                position = start + len(said) if start >= 0 else position
                continue
            if said.vocabulary != self._model.vocabulary:
                continue
            start, length, ids = self._find(plain, said, position)
            if start >= 0 and not any(start < cut < start + length for cut in cuts):
                yield from _texts(plain, cuts, done, start)
                yield ids
                done = position = start + length
        yield from _texts(plain, cuts, done, len(plain))

    def _find(self, plain: str, span: GeneratedSpan, position: int) -> tuple[int, int, tuple[int, ...]]:
        """Where the span stands in the rendered text: whole, or (most templates drop old reasoning) what followed the
        last marker in it that ends the reasoning. (-1, 0, ()) where it was rendered differently."""
        if span.raw:
            start = plain.find(span.raw, position)
            if start >= 0:
                return start, len(span.raw), span.token_ids
        for closer in self._format.closers:
            if closer not in span.raw:
                continue
            tail = span.raw.rpartition(closer)[2]
            bare = _bare(tail, self._format.noise)
            for kept in dict.fromkeys((tail, tail.lstrip(), bare)) if bare else ():  # templates drop what is around it
                start = plain.find(kept, position)
                before, _, behind = tail.partition(kept)
                ids = self._between(span, closer + before, behind) if start >= 0 else ()
                if ids:
                    return start, len(kept), ids
        return -1, 0, ()

    def _between(self, span: GeneratedSpan, before: str, behind: str) -> tuple[int, ...]:
        """The span's ids from the last ``before`` in it up to ``behind``, with which it ends. () where the model wrote
        these in other tokens."""
        opening, end, ids = self._spell(before), self._spell(behind), span.token_ids
        starts, stop = _ends(ids, opening), len(ids) - len(end)
        if not starts or len(starts) != span.raw.count(before) or ids[stop:] != end:
            return ()
        return ids[starts[-1] : stop]

    def _spell(self, text: str) -> tuple[int, ...]:
        if text not in self._spelt:
            (self._spelt[text],) = self._engine.tokenize([PromptText(text)])
        return self._spelt[text]

    def _tokenize(self, pieces: Sequence[PromptText | tuple[int, ...]]) -> tuple[int, ...]:
        texts = [piece for piece in pieces if isinstance(piece, PromptText)]
        # A template that writes the BOS itself must not get a second one.
        own_bos = bool(self._model.bos) and bool(texts) and texts[0].text.startswith(self._model.bos)
        tokenized = iter(self._engine.tokenize(texts, add_special=not own_bos))
        ids: list[int] = []
        for piece in pieces:
            ids.extend(next(tokenized) if isinstance(piece, PromptText) else piece)
        return tuple(ids)


def _bare(text: str, noise: Sequence[str]) -> str:
    """``text`` without spaces and noise at its ends."""
    before = None
    while text != before:
        before, text = text, text.strip()
        for marker in noise:
            text = text.removeprefix(marker).removesuffix(marker)
    return text


def _ends(ids: tuple[int, ...], wanted: tuple[int, ...]) -> list[int]:
    """Behind each place where ``wanted`` stands in ``ids``."""
    ends, at = [], -1
    with contextlib.suppress(ValueError):
        while wanted:
            at = ids.index(wanted[0], at + 1)
            if ids[at : at + len(wanted)] == wanted:
                ends.append(at + len(wanted))
    return ends


def _drops(history: Sequence[Message]) -> Iterator[int]:
    """How many of the oldest messages to leave out, in the order of trying; the last question always stays."""
    questions = [index for index, message in enumerate(history) if message.role == "user"]
    yield 0
    yield from questions[_DROP_STEP:-1:_DROP_STEP]
    if len(questions) > 1:
        yield questions[-1]


def _said(history: Sequence[Message]) -> Iterator[str | GeneratedSpan]:
    """What stands in a rendered history, in order: strangers' texts, and the model's own rounds."""
    for position, message in enumerate(history):
        if message.role is Role.USER:
            sources = given_sources(history[position + 1].parts) if position + 1 < len(history) else ()
            yield question_text(message.text(), sources)
            continue
        spans = {span.round: span for span in message.spans}
        for number, turn_round in enumerate(rounds(message.parts)):
            if number in spans:
                yield spans[number]
            yield from (part.result for part in turn_round if isinstance(part, ToolResultPart) and part.result)


def _unmarked(rendered: str) -> tuple[str, list[int]]:
    """The text without marks, and where they were in it."""
    pieces = rendered.split(_MARK)
    cuts: list[int] = []
    for piece in pieces[:-1]:
        cuts.append(len(piece) + (cuts[-1] if cuts else 0))
    return "".join(pieces), cuts


def _texts(plain: str, cuts: Sequence[int], start: int, end: int) -> Iterator[PromptText]:
    """``plain[start:end]``, cut where marks were."""
    bounds = [start, *(cut for cut in cuts if start < cut < end), end]
    yield from (PromptText(plain[low:high]) for low, high in pairwise(bounds) if low < high)
