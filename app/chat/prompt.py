"""History to token ids: rendering, markers in strangers' text, the model's own words as its own ids, the budget.

The template decides which parts of the past are in the prompt; where a stretch of the rendered text is what this model
generated, it goes in as the ids that it generated, because tokenizing the text again can give other ids and lose the
KV cache from there on.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from app.chat.formats.protocol import ChatFormat
from app.chat.history import template_messages
from app.chat.template import ChatTemplate
from app.domain.errors import AppError
from app.domain.messages import GeneratedSpan, Message
from app.domain.models import ModelInfo, PromptText
from app.engine.protocol import Engine

# Unicode noncharacters: no text that a person or a file brings contains them (they are taken out if it does).
_OPEN, _CLOSE = "\ufdd0", "\ufdd1"
_GUARDED = re.compile(f"{_OPEN}(.*?){_CLOSE}", re.DOTALL)
_DROP_STEP = 4  # turns dropped together, so that the prefix cache survives the turns after a drop


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
        markers = sorted((text for text in model.control_tokens if len(text) > 2), key=len, reverse=True)
        self._markers = re.compile("|".join(map(re.escape, markers))) if markers else None

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
        """Mark the spellings of control tokens in ``text`` so that they stay text in the prompt."""
        text = text.replace(_OPEN, "").replace(_CLOSE, "")
        return self._markers.sub(lambda found: f"{_OPEN}{found.group()}{_CLOSE}", text) if self._markers else text

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
        opening = self._template.generation_prompt(messages, tools, think=options.think, format=self._format)
        spans = [span for message in history for span in message.spans if span is not partial]
        pieces = list(self._pieces(rendered, spans))
        if partial is not None:
            known = partial.vocabulary == self._model.vocabulary
            pieces.append(partial.token_ids if known else PromptText(partial.raw))
        ids = self._tokenize(pieces)
        return Prompt(ids, opening, dropped, len(rendered) / max(1, len(ids)))

    def _pieces(self, rendered: str, spans: Sequence[GeneratedSpan]) -> Iterator[PromptText | tuple[int, ...]]:
        """Cut the rendered text into ids that are known, and text to tokenize with and without markers."""
        plain, guarded = _unguard(rendered)
        position = 0
        for span in spans:
            if span.vocabulary != self._model.vocabulary:
                continue
            start, length, ids = self._find(plain, span, position)
            if start >= 0:
                yield from _texts(plain, guarded, position, start)
                yield ids
                position = start + length
        yield from _texts(plain, guarded, position, len(plain))

    def _find(self, plain: str, span: GeneratedSpan, position: int) -> tuple[int, int, tuple[int, ...]]:
        """Where the span stands in the rendered text: whole, or (most templates drop old reasoning) what followed the
        last control token in it that ends the reasoning. (-1, 0, ()) where it was rendered differently."""
        if span.raw:
            start = plain.find(span.raw, position)
            if start >= 0:
                return start, len(span.raw), span.token_ids
        for marker in ("</think>", "[/THINK]", "</seed:think>", "</mm:think>"):
            marker_id = self._model.control_tokens.get(marker)
            if marker_id is None or marker_id not in span.token_ids or marker not in span.raw:
                continue
            after = len(span.token_ids) - span.token_ids[::-1].index(marker_id)
            tail = span.raw[span.raw.rindex(marker) + len(marker) :]
            start = plain.find(tail, position) if tail.strip() else -1
            if start >= 0:
                return start, len(tail), span.token_ids[after:]
        return -1, 0, ()

    def _tokenize(self, pieces: Sequence[PromptText | tuple[int, ...]]) -> tuple[int, ...]:
        texts = [piece for piece in pieces if isinstance(piece, PromptText)]
        # A template that writes the BOS itself must not get a second one.
        own_bos = bool(self._model.bos) and bool(texts) and texts[0].text.startswith(self._model.bos)
        tokenized = iter(self._engine.tokenize(texts, add_special=not own_bos))
        ids: list[int] = []
        for piece in pieces:
            ids.extend(next(tokenized) if isinstance(piece, PromptText) else piece)
        return tuple(ids)


def _drops(history: Sequence[Message]) -> Iterator[int]:
    """How many of the oldest messages to leave out, in the order of trying; the last question always stays."""
    questions = [index for index, message in enumerate(history) if message.role == "user"]
    yield 0
    yield from questions[_DROP_STEP:-1:_DROP_STEP]
    if len(questions) > 1:
        yield questions[-1]


def _unguard(rendered: str) -> tuple[str, list[tuple[int, int]]]:
    """The text without guards, and the ranges in it that were guarded."""
    plain: list[str] = []
    ranges: list[tuple[int, int]] = []
    length = position = 0
    for match in _GUARDED.finditer(rendered):
        before = rendered[position : match.start()]
        start = length + len(before)
        length = start + len(match.group(1))
        plain += [before, match.group(1)]
        ranges.append((start, length))
        position = match.end()
    plain.append(rendered[position:])
    return "".join(plain), ranges


def _texts(plain: str, guarded: Sequence[tuple[int, int]], start: int, end: int) -> Iterator[PromptText]:
    """``plain[start:end]`` as texts; guarded ranges keep their markers as ordinary text."""
    position = start
    for low, high in guarded:
        low, high = max(low, start), min(high, end)
        if low >= high:
            continue
        if position < low:
            yield PromptText(plain[position:low])
        yield PromptText(plain[low:high], special=False)
        position = high
    if position < end:
        yield PromptText(plain[position:end])
