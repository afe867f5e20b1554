"""A model on this machine as a responder: its template, its own tokens, the context's room, grammars, reuse."""

import logging
import threading
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field, replace

from app.domain.answers import UnfinishedRound, unfinished_round
from app.domain.cancel import CancelToken
from app.domain.errors import AppError
from app.domain.messages import GenerationStats, Message, StopReason
from app.domain.models import LoadRequest, ModelInfo
from app.domain.protocols import Clock
from app.domain.tools import ToolSpec
from app.engine.protocol import Engine, Finished, GenerationRequest, Prefill, Tokens
from app.engine.protocol import Queued as EngineQueued
from app.formats.protocol import StreamParser
from app.responders.local.model_gate import ModelGate
from app.responders.local.prompt import Prompt, PromptBuilder, PromptOptions
from app.responders.local.rate import RateMeter
from app.responders.local.read_ahead import read_ahead
from app.responders.local.reuse import PromptFacts, PromptLedger, explained
from app.responders.local.style import Catalogued, ModelStyle, uncatalogued
from app.responders.protocol import (
    Abilities,
    Intake,
    Queued,
    Reading,
    RespondOptions,
    RoundEnded,
    RoundEvent,
    TakenUp,
    Tell,
    Written,
)

_log = logging.getLogger(__name__)
_RESERVE = 1024  # tokens kept free for an answer whose length nobody limits
_SHORTEST_RESULT = 80  # characters; less says nothing
_FIRST_GUESS = 3.0  # characters a token, before there was a prompt


@dataclass(frozen=True, slots=True)
class Spoken:
    """A model with everything that is made once for it."""

    model: ModelInfo
    style: ModelStyle
    builder: PromptBuilder


@dataclass(slots=True)
class LocalResources:
    """What the local responders of the program share."""

    engine: Engine
    clock: Clock
    gate: ModelGate = field(default_factory=ModelGate)
    prompts: PromptLedger = field(default_factory=PromptLedger)
    catalogued: Catalogued = uncatalogued
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)
    _last: Spoken | None = field(default=None, init=False)

    def spoken(self, model: ModelInfo) -> Spoken:
        """Made anew where another model was used last. Raises AppError where the model's template cannot be read."""
        with self._lock:
            if self._last is None or self._last.model != model:
                style = ModelStyle.of(model, self.catalogued)
                builder = PromptBuilder(self.engine, model, style.template, style.chat_format)
                self._last = Spoken(model, style, builder)
            return self._last


class LocalResponder:
    """A ``Responder``. ``request``: the model, which stays the same for the whole turn."""

    def __init__(self, shared: LocalResources, request: LoadRequest, tell: Tell) -> None:
        self._shared = shared
        self._request = request
        self._tell = tell
        self._spoken: Spoken | None = None
        self._last: PromptOptions | None = None  # with what the last prompt was made

    def open(self, cancel: CancelToken) -> Abilities:
        with self._shared.gate.hold(self._request, cancel, self._tell_waiting):
            model = self._shared.engine.load(self._request, cancel)
        self._spoken = self._shared.spoken(model)
        style = self._spoken.style
        profile = style.profile
        room = self._room(0, _FIRST_GUESS)
        return Abilities(
            model.name,
            model.context,
            can=style.chat_format.abilities,
            remark=style.remark,
            intake=Intake(profile.sources, profile.source_chars, room),
        )

    def respond(
        self, messages: Sequence[Message], tools: Sequence[ToolSpec], options: RespondOptions, cancel: CancelToken
    ) -> Generator[RoundEvent, None, None]:
        """See ``Responder``. Raises AppError ``begun-elsewhere`` where another model began the unfinished round."""
        spoken = self._opened()
        partial = self._unfinished(messages[-1])
        prompt_options = self._last = self._prompt_options(tools, options, partial)
        history = messages if partial is None else (*messages[:-1], _before(messages[-1], partial))
        with self._shared.gate.hold(self._request, cancel, self._tell_waiting):
            # Somebody may have chosen another model meanwhile: this turn ends with the one it began with.
            self._shared.engine.load(self._request, cancel)
            prompt = self._build(history, prompt_options, partial, options.round)
            if prompt is None:
                yield RoundEnded(StopReason.CONTEXT_FULL, None)
                return
            parser = spoken.style.chat_format.parser(
                prompt.generation_prompt, prompt_options.tools, spoken.model.control_tokens
            )
            yield from self._take_up(parser, partial)
            finished: Finished | None = None
            for event in self._generate(prompt, prompt_options, options, partial, messages[-1].conversation_id, cancel):
                if isinstance(event, Finished):
                    finished = event
                else:
                    yield from self._written(event, parser)
        if finished is None:
            raise AppError("engine-silent", "The engine ended without a word.", "Ask again.")
        yield Written(tuple(parser.finish(truncated=finished.stop_reason is not StopReason.STOP)))
        yield self._ended(finished, prompt, prompt_options, messages)

    def settle(self, messages: Sequence[Message]) -> None:
        if self._spoken is not None and self._last is not None:
            read_ahead(self._shared.engine, self._spoken.builder, messages, self._last)

    # A round's beginning.

    def _opened(self) -> Spoken:
        if self._spoken is None:
            raise RuntimeError("the responder was not opened")
        return self._spoken

    def _unfinished(self, answer: Message) -> UnfinishedRound | None:
        found = unfinished_round(answer)
        if found is not None and found.span.vocabulary != self._opened().model.vocabulary:
            raise AppError(
                "begun-elsewhere",
                "This answer was begun by another model ({model}).",
                "Choose that model to continue it, or ask for another answer.",
                model=answer.model or "unknown",
            )
        return found

    def _prompt_options(
        self, tools: Sequence[ToolSpec], options: RespondOptions, partial: UnfinishedRound | None
    ) -> PromptOptions:
        style, model = self._opened().style, self._opened().model
        think = style.thinking(options.turn.think)
        if partial is not None and style.chat_format.thinks:
            think = partial.reasoned  # it goes on as it began, whatever the switch says now
        return PromptOptions(
            system=options.system,
            examples=options.examples,
            tools=tuple(spec.definition() for spec in tools),
            think=think,
            reserve=min(options.turn.max_tokens or _RESERVE, model.context // 4),
        )

    def _build(
        self, history: Sequence[Message], options: PromptOptions, partial: UnfinishedRound | None, number: int
    ) -> Prompt | None:
        """None where the question fitted, but what was written or returned since no longer does."""
        try:
            return self._opened().builder.build(history, options, partial.span if partial else None)
        except AppError as error:
            if error.code == "prompt-too-long" and (number > 0 or partial is not None):
                return None
            raise

    # Its output.

    def _take_up(self, parser: StreamParser, partial: UnfinishedRound | None) -> Iterator[RoundEvent]:
        """The round's parts are made again from its raw text, so that its parser stands where it stood."""
        vocabulary = self._opened().model.vocabulary
        if partial is None:
            yield Written(vocabulary=vocabulary)  # a round that says nothing is a round
            return
        span = partial.span
        yield TakenUp(partial.keep)
        output = tuple(parser.feed(span.raw, None)) if span.raw else ()
        yield Written(output, 0, span.raw, span.token_ids, vocabulary)

    def _generate(
        self,
        prompt: Prompt,
        prompt_options: PromptOptions,
        options: RespondOptions,
        partial: UnfinishedRound | None,
        conversation: str,
        cancel: CancelToken,
    ) -> Iterator[Tokens | Finished]:
        style, model = self._opened().style, self._opened().model
        grammar = None
        if options.constrain_calls:
            grammar = style.chat_format.call_grammar(
                prompt.generation_prompt, prompt_options.tools, model.control_tokens
            )
        begun = len(partial.span.token_ids) if partial else 0
        request = GenerationRequest(
            prompt.ids,
            style.sampling(options.turn, think=prompt_options.think).sampling,
            options.turn.max_tokens or style.profile.max_tokens,
            conversation=conversation,
            round=options.round,
            grammar=replace(grammar, begun=begun) if grammar else None,
        )
        meter = RateMeter(self._tell, self._shared.clock, len(prompt.ids), model.context)
        for event in self._shared.engine.generate(request, cancel):
            match event:
                case EngineQueued(ahead):
                    self._tell(Queued(ahead))
                case Prefill(done, total, cached):
                    self._tell(Reading(done, total, cached))
                case Tokens(pieces):
                    yield event
                    meter.count(len(pieces))
                case Finished():
                    meter.tell()
                    if event.constrained and event.constrained.dropped:
                        _log.info("calls were not kept to their grammar: %s", event.constrained.dropped)
                    yield event
                    return

    def _written(self, tokens: Tokens, parser: StreamParser) -> Iterator[Written]:
        vocabulary = self._opened().model.vocabulary
        for piece in tokens.pieces:
            output = tuple(parser.feed(piece.text, piece.control)) if piece.text else ()
            yield Written(output, 1, piece.text, (piece.id,), vocabulary)

    # Its end.

    def _ended(
        self, finished: Finished, prompt: Prompt, options: PromptOptions, messages: Sequence[Message]
    ) -> RoundEnded:
        used = finished.stats.prompt_tokens + finished.stats.generated_tokens
        stats = self._explained(finished.stats, prompt, options, messages, used)
        return RoundEnded(finished.stop_reason, stats, self._room(used, prompt.chars_per_token))

    def _explained(
        self,
        stats: GenerationStats,
        prompt: Prompt,
        options: PromptOptions,
        messages: Sequence[Message],
        used: int,
    ) -> GenerationStats:
        spoken = self._opened()
        facts = PromptFacts(
            (spoken.model.name, spoken.model.context),
            options,
            prompt.dropped,
            tuple(message.id for message in messages),
            used,
            spoken.style.chat_format.thinks,
        )
        before = self._shared.prompts.exchange(messages[-1].conversation_id, facts)
        return explained(stats, facts, before, messages[:-1])

    def _room(self, used: int, chars_per_token: float) -> int:
        """Characters for one round's results: half of what the context has left."""
        spoken = self._opened()
        left = max(0, spoken.model.context - used)
        most = min(spoken.style.profile.result_chars, int(left * chars_per_token / 2))
        return max(_SHORTEST_RESULT, most)

    def _tell_waiting(self) -> None:
        self._tell(Queued(1))


def _before(answer: Message, partial: UnfinishedRound) -> Message:
    """The answer's earlier rounds."""
    spans = tuple(span for span in answer.spans if span.round != partial.span.round)
    return replace(answer, parts=answer.parts[: partial.keep], spans=spans)
