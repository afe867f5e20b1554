"""One turn: the agent loop from a stored question to a sealed answer."""

import logging
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from itertools import takewhile

from app.agent.answer import Answer
from app.agent.calls import ToolRunner
from app.agent.streaming import Rate, RoundWriter, summed
from app.domain.answers import rounds
from app.domain.cancel import CancelToken
from app.domain.commands import TurnOptions
from app.domain.errors import AppError, Cancelled, ErrorInfo
from app.domain.events import PrefillProgress, TurnFinished, TurnQueued
from app.domain.excerpt import excerpt
from app.domain.messages import (
    GeneratedSpan,
    GenerationStats,
    Message,
    MessageStatus,
    NotePart,
    Part,
    ReasoningPart,
    SourcesPart,
    StopReason,
    ToolCallPart,
    ToolResultPart,
    ToolStatus,
)
from app.domain.models import CallGrammar, LoadRequest, Sampling
from app.domain.protocols import Clock, PassageSearch, Publish
from app.domain.sources import Locator, Passage, Source
from app.domain.tools import ToolContext, ToolSpec
from app.engine.protocol import Engine, Finished, GenerationRequest, Prefill, Queued, Tokens
from app.responders.local.instructions import EXAMPLES, system_prompt
from app.responders.local.model_gate import ModelGate
from app.responders.local.prompt import Prompt, PromptBuilder, PromptOptions
from app.responders.local.read_ahead import read_ahead
from app.responders.local.reuse import PromptFacts, PromptLedger, explained
from app.responders.local.style import ModelStyle, Profile
from app.storage.chats.conversations import ConversationStore

_log = logging.getLogger(__name__)
MAX_ROUNDS = 50
_SAVE_EVERY_S = 1.0
SEARCH_TOOL = "search_documents"


@dataclass(frozen=True, slots=True)
class TurnTools:
    """What the turn works with, shared by all turns of the program."""

    engine: Engine
    store: ConversationStore
    search: PassageSearch
    publish: Publish
    clock: Clock
    prompts: PromptLedger = field(default_factory=PromptLedger)
    gate: ModelGate = field(default_factory=ModelGate)


@dataclass(frozen=True, slots=True)
class TurnRequest:
    """``history``: root to the question. ``system``: the person's own system prompt or ""."""

    history: tuple[Message, ...]
    model: LoadRequest
    tools: tuple[ToolSpec, ...]
    documents: tuple[str, ...]
    options: TurnOptions
    system: str = ""
    constrain_calls: bool = True


@dataclass(frozen=True, slots=True)
class _Partial:
    """A round that ended before the model ended it: its output, where its parts begin, whether it reasoned."""

    span: GeneratedSpan
    keep: int
    reasoned: bool


class Turn:
    """Runs on a thread of its own. ``run`` raises nothing: every end is a sealed message and the event that says so."""

    def __init__(
        self, shared: TurnTools, request: TurnRequest, message: Message, runner: ToolRunner, cancel: CancelToken
    ) -> None:
        self._shared = shared
        self._request = request
        self._message = message
        self._runner = runner
        self._cancel = cancel
        self._answer = Answer(message, shared.publish, shared.clock)
        self._stats = GenerationStats()
        self._saved = shared.clock.monotonic()
        self._style: ModelStyle | None = None
        self._used = 0  # tokens of the context, after the last round
        self._ended: StopReason | None = None
        self._built: tuple[PromptBuilder, PromptOptions] | None = None  # with what the prompts were made

    def run(self) -> TurnFinished:
        status, reason, error = MessageStatus.COMPLETE, None, None
        try:
            reason = self._rounds()
            if reason is StopReason.CANCELLED:
                status = MessageStatus.STOPPED
        except Cancelled:
            status, reason = MessageStatus.STOPPED, StopReason.CANCELLED
        except AppError as failure:
            error = failure.info
            status = MessageStatus.INTERRUPTED if failure.code == "engine-died" else MessageStatus.FAILED
        except Exception as bug:  # noqa: BLE001 - whatever happens, the answer is sealed
            _log.exception("A turn failed")
            error = ErrorInfo(
                "turn-bug",
                "Something went wrong in the program itself.",
                "Please report it with the log.",
                {},
                repr(bug),
            )
            status = MessageStatus.FAILED
        self._ended = reason
        return self._seal(status, reason, error)

    def read_ahead(self) -> None:
        """After ``run``, when everybody knows of the end. Only a whole answer is left as it is by the next prompt."""
        if self._ended is StopReason.STOP and self._built is not None:
            builder, options = self._built
            read_ahead(self._shared.engine, builder, (*self._request.history, self._answer.snapshot()), options)

    def _seal(self, status: MessageStatus, reason: StopReason | None, error: ErrorInfo | None) -> TurnFinished:
        shared = self._shared
        self._answer.close_part()
        try:
            shared.store.seal(self._answer.snapshot(status, reason, self._stats, error))
        except AppError as failure:  # a full disk: the answer stays on the screen, and the person is told
            _log.exception("The answer could not be stored")
            status, error = MessageStatus.FAILED, failure.info
        return TurnFinished(self._message.conversation_id, self._message.id, status, reason, self._stats, error)

    def _rounds(self) -> StopReason:
        shared, request = self._shared, self._request
        with self._needs_model():
            model = shared.engine.load(request.model, self._cancel)
        self._cancel.raise_if_cancelled()
        self._answer.set_model(model.name)
        style = self._style = ModelStyle.of(model)
        specs = request.tools if style.takes_tools else ()
        builder = PromptBuilder(shared.engine, model, style.template, style.chat_format)
        searches = any(spec.name == SEARCH_TOOL for spec in specs)
        if request.documents and not searches and not self._answer.parts:
            self._retrieve(style.profile)
        self._tell_unknown(style)
        sources = any(isinstance(part, SourcesPart) for part in self._answer.parts) and not searches
        options = PromptOptions(
            system=system_prompt(request.system, sources=sources, searches=searches),
            examples=EXAMPLES if sources else (),
            tools=tuple(spec.definition() for spec in specs),
            think=style.thinking(request.options.think),
            reserve=min(request.options.max_tokens or 1024, model.context // 4),
        )
        self._built = (builder, options)
        return self._loop(builder, style, options, frozenset(spec.name for spec in specs))

    def _loop(
        self, builder: PromptBuilder, style: ModelStyle, options: PromptOptions, offered: frozenset[str]
    ) -> StopReason:
        partial = self._resume(style)
        if partial is not None:  # it goes on as it began, whatever the switch says now
            options = replace(options, think=partial.reasoned if style.chat_format.thinks else options.think)
        chars_per_token = 3.0
        first = len(self._answer.spans) - (partial is not None)
        for number in range(first, first + MAX_ROUNDS):
            calls = self._unanswered()
            if calls and partial is None:
                self._runner.run(calls, self._answer, offered, self._context(chars_per_token), self._save)
            with self._needs_model():
                # Somebody may have chosen another model meanwhile: this turn ends with the one it began with.
                self._shared.engine.load(self._request.model, self._cancel)
                history = (*self._request.history, self._before(partial))
                prompt = self._build(builder, history, options, partial, number)
                if prompt is None:
                    return StopReason.CONTEXT_FULL
                chars_per_token = prompt.chars_per_token
                finished = self._generate(prompt, style, options, number, partial)
            partial = None
            if finished.stop_reason is not StopReason.STOP or not self._unanswered():
                return finished.stop_reason
        for call in self._unanswered():
            result = "The limit of tool rounds was reached; not run."
            self._answer.add(ToolResultPart(call.id, call.name, ToolStatus.CANCELLED, result))
        return StopReason.TOOL_LIMIT

    def _needs_model(self) -> AbstractContextManager[None]:
        message, publish = self._message, self._shared.publish
        queued = TurnQueued(message.conversation_id, message.id, 1)
        return self._shared.gate.hold(self._request.model, self._cancel, lambda: publish(queued))

    def _build(
        self,
        builder: PromptBuilder,
        history: Sequence[Message],
        options: PromptOptions,
        partial: _Partial | None,
        number: int,
    ) -> Prompt | None:
        """None where the question fitted, but what was written or returned since no longer does."""
        try:
            return builder.build(history, options, partial.span if partial else None)
        except AppError as error:
            if error.code == "prompt-too-long" and (number > 0 or partial is not None):
                return None
            raise

    def _retrieve(self, profile: Profile) -> None:
        """Put the best passages beside the question, as many and as much of each as the model takes in well."""
        question, documents = self._request.history[-1].text(), self._request.documents
        search = self._shared.search
        passages = search.search(question, documents, profile.sources, self._cancel)
        if not passages:  # no word of the question stands in any document ("summarize this"): how each begins
            files = search.files(documents, self._cancel)
            beginnings = [search.read(path, documents, 0, 1000, self._cancel) for path in files[: profile.sources]]
            passages = [Passage(found.path, Locator(), found.text) for found in beginnings if found.text.strip()]
        if passages:
            self._answer.add(
                SourcesPart(
                    tuple(
                        Source(n, found.path, found.locator, excerpt(found.text, question, profile.source_chars))
                        for n, found in enumerate(passages, 1)
                    )
                )
            )
            self._save()

    def _tell_unknown(self, style: ModelStyle) -> None:
        """Say once in a conversation that the model's template is of no family that is known."""
        told = any(message.model == style.model.name for message in self._request.history)
        if not style.known and not told and not self._answer.spans:
            self._answer.add(
                NotePart(
                    "unknown-template",
                    "This model's chat template is not known: its answers are shown as plain text, without tools.",
                )
            )

    def _resume(self, style: ModelStyle) -> _Partial | None:
        """The round to go on with, where this is a continued answer that ended inside one. Changes nothing yet."""
        spans, parts = self._answer.spans, self._answer.parts
        ended = [turn_round for turn_round in rounds(parts) if _has_results(turn_round)]
        if len(spans) <= len(ended):
            return None  # it ended between two rounds
        if spans[-1].vocabulary != style.model.vocabulary:
            raise AppError(
                "begun-elsewhere",
                "This answer was begun by another model ({model}).",
                "Choose that model to continue it, or ask for another answer.",
                model=self._message.model or "unknown",
            )
        beside = sum(1 for _ in takewhile(lambda part: isinstance(part, SourcesPart), parts))
        keep = max(sum(map(len, ended)), beside)
        return _Partial(spans[-1], keep, any(isinstance(part, ReasoningPart) for part in parts[keep:]))

    def _before(self, partial: _Partial | None) -> Message:
        """The answer's earlier rounds, for the history of the next prompt."""
        snapshot = self._answer.snapshot()
        if partial is None:
            return snapshot
        spans = tuple(span for span in snapshot.spans if span.round != partial.span.round)
        return replace(snapshot, parts=snapshot.parts[: partial.keep], spans=spans)

    def _generate(
        self, prompt: Prompt, style: ModelStyle, options: PromptOptions, number: int, partial: _Partial | None
    ) -> Finished:
        parser = style.chat_format.parser(prompt.generation_prompt, options.tools, style.model.control_tokens)
        writer = RoundWriter(self._answer, parser, f"call_{self._message.id[:8]}_{number}")
        raw: list[str] = []
        ids: list[int] = []
        if partial is not None:
            # The round's parts are made again from its raw text, so that its parser stands where it stood.
            self._answer.truncate(partial.keep)
            raw.append(partial.span.raw)
            ids.extend(partial.span.token_ids)
            writer.feed(partial.span.raw, None)
        try:
            finished = self._stream(prompt, writer, raw, ids, number, self._grammar(style, prompt, options))
        finally:  # also when the engine died: what it wrote so far is what Continue goes on from
            self._span(number, raw, ids)
        writer.finish(truncated=finished.stop_reason is not StopReason.STOP)
        self._used = finished.stats.prompt_tokens + finished.stats.generated_tokens
        stats = self._explained(finished.stats, prompt, style, options)
        self._stats = summed(self._stats, stats, first=number == 0 or partial is not None)
        self._save()
        return finished

    def _explained(
        self, stats: GenerationStats, prompt: Prompt, style: ModelStyle, options: PromptOptions
    ) -> GenerationStats:
        message, history = self._message, self._request.history
        facts = PromptFacts(
            (style.model.name, style.model.context),
            options,
            prompt.dropped,
            (*(past.id for past in history), message.id),
            self._used,
            style.chat_format.thinks,
        )
        return explained(stats, facts, self._shared.prompts.exchange(message.conversation_id, facts), history)

    def _grammar(self, style: ModelStyle, prompt: Prompt, options: PromptOptions) -> CallGrammar | None:
        if not self._request.constrain_calls:
            return None
        return style.chat_format.call_grammar(prompt.generation_prompt, options.tools, style.model.control_tokens)

    def _stream(
        self,
        prompt: Prompt,
        writer: RoundWriter,
        raw: list[str],
        ids: list[int],
        number: int,
        grammar: CallGrammar | None,
    ) -> Finished:
        shared, message = self._shared, self._message
        options = self._request.options
        assert self._style is not None
        request = GenerationRequest(
            prompt.ids,
            _sampling(self._style.profile.sampling, options),
            options.max_tokens or self._style.profile.max_tokens,
            conversation=message.conversation_id,
            round=number,
            grammar=replace(grammar, begun=len(ids)) if grammar else None,
        )
        rate = Rate(shared.publish, shared.clock, message, len(prompt.ids), self._style.model.context)
        for event in shared.engine.generate(request, self._cancel):
            match event:
                case Queued(ahead):
                    shared.publish(TurnQueued(message.conversation_id, message.id, ahead))
                case Prefill(done, total, cached):
                    shared.publish(PrefillProgress(message.conversation_id, message.id, done, total, cached))
                case Tokens(pieces):
                    for piece in pieces:
                        raw.append(piece.text)
                        ids.append(piece.id)
                        self._answer.tokens += 1
                        writer.feed(piece.text, piece.control)
                    rate.count(len(pieces))
                    if shared.clock.monotonic() - self._saved >= _SAVE_EVERY_S:
                        self._span(number, raw, ids)
                        self._save()
                case Finished():
                    rate.tell()
                    if event.constrained and event.constrained.dropped:
                        _log.info("calls were not kept to their grammar: %s", event.constrained.dropped)
                    return event
        raise AppError("engine-silent", "The engine ended without a word.", "Ask again.")

    def _span(self, number: int, raw: list[str], ids: list[int]) -> None:
        assert self._style is not None
        raw[:] = ["".join(raw)]
        self._answer.set_span(GeneratedSpan(number, raw[0], tuple(ids), self._style.model.vocabulary))

    def _save(self) -> None:
        self._saved = self._shared.clock.monotonic()
        self._shared.store.save_streaming(self._answer.snapshot())

    def _unanswered(self) -> list[ToolCallPart]:
        answered = {part.call_id for part in self._answer.parts if isinstance(part, ToolResultPart)}
        return [part for part in self._answer.parts if isinstance(part, ToolCallPart) and part.id not in answered]

    def _context(self, chars_per_token: float) -> ToolContext:
        """Room for one round's results: half of what the context has left, in characters."""
        assert self._style is not None
        left = max(0, self._style.model.context - self._used)
        most = min(self._style.profile.result_chars, int(left * chars_per_token / 2))
        return ToolContext(self._cancel, self._request.documents, max_chars=max(80, most))


def _has_results(parts: Sequence[Part]) -> bool:
    return any(isinstance(part, ToolResultPart) and part.status is not ToolStatus.INCOMPLETE for part in parts)


def _sampling(preset: Sampling, options: TurnOptions) -> Sampling:
    temperature = preset.temperature if options.temperature is None else options.temperature
    return replace(preset, temperature=temperature, seed=options.seed)
