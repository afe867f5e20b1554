"""One turn: the agent loop from a stored question to a sealed answer."""

import logging
from contextlib import closing
from dataclasses import dataclass, replace

from app.agent.answer import Answer
from app.agent.calls import ToolRunner
from app.agent.grounding import find_sources
from app.agent.instructions import EXAMPLES, system_prompt
from app.agent.streaming import RoundWriter, summed
from app.domain.answers import unfinished_round
from app.domain.cancel import CancelToken
from app.domain.commands import TurnOptions
from app.domain.errors import REPORT, AppError, Cancelled, ErrorInfo
from app.domain.events import PrefillProgress, TokenRate, TurnFinished, TurnQueued
from app.domain.messages import (
    GenerationStats,
    Message,
    MessageStatus,
    SourcesPart,
    StopReason,
    ToolCallPart,
    ToolResultPart,
    ToolStatus,
)
from app.domain.protocols import Clock, PassageSearch, Publish
from app.domain.tools import ToolContext, ToolSpec
from app.responders.protocol import (
    Abilities,
    MakeResponder,
    Progress,
    Queued,
    Rate,
    Reading,
    Responder,
    RespondOptions,
    RoundEnded,
    TakenUp,
    Written,
)
from app.storage.chats.conversations import ConversationStore

_log = logging.getLogger(__name__)
MAX_ROUNDS = 50
_SAVE_EVERY_S = 1.0


@dataclass(frozen=True, slots=True)
class TurnResources:
    """What turns work with, shared by all turns of the program."""

    store: ConversationStore
    search: PassageSearch
    publish: Publish
    clock: Clock


@dataclass(frozen=True, slots=True)
class TurnRequest:
    """What is to be answered, and with what.

    ``history``: root to the question.
    ``system``: the person's own system prompt or "".
    """

    history: tuple[Message, ...]
    tools: tuple[ToolSpec, ...]
    documents: tuple[str, ...]
    options: TurnOptions
    system: str = ""
    constrain_calls: bool = True


class Turn:
    """Runs on a thread of its own. ``run`` raises nothing: every end is a sealed message and the event that says so."""

    def __init__(
        self,
        shared: TurnResources,
        request: TurnRequest,
        message: Message,
        responder: MakeResponder,
        runner: ToolRunner,
        cancel: CancelToken,
    ) -> None:
        """``message``: the answer as it is stored. Raises AppError where ``responder`` does."""
        self._shared = shared
        self._request = request
        self._message = message
        self._responder: Responder = responder(self._tell)
        self._runner = runner
        self._cancel = cancel
        self._answer = Answer(message, shared.publish, shared.clock)
        self._stats = GenerationStats()
        self._saved = shared.clock.monotonic()
        self._ended: StopReason | None = None

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
                REPORT,
                {},
                repr(bug),
            )
            status = MessageStatus.FAILED
        self._ended = reason
        return self._seal(status, reason, error)

    def settle(self) -> None:
        """After ``run``, when everybody knows of the end. Only a whole answer is left as it is by the next question."""
        if self._ended is StopReason.STOP:
            self._responder.settle(self._messages())

    def _seal(self, status: MessageStatus, reason: StopReason | None, error: ErrorInfo | None) -> TurnFinished:
        shared = self._shared
        self._answer.close_part()
        try:
            shared.store.seal(self._answer.snapshot(status, reason, self._stats, error))
        except AppError as failure:  # a full disk: the answer stays on the screen, and the person is told
            _log.exception("The answer could not be stored")
            status, error = MessageStatus.FAILED, failure.info
        stats = self._stats
        _log.info(
            "an answer is %s: of %d tokens %d were known, %d written in %.1f s",
            status, stats.prompt_tokens, stats.cached_tokens, stats.generated_tokens, stats.decode_s,
        )  # fmt: skip
        if error is not None:
            _log.info("it failed: %s", AppError.of(error))
        return TurnFinished(self._message.conversation_id, self._message.id, status, reason, stats, error)

    # The loop.

    def _rounds(self) -> StopReason:
        abilities = self._responder.open(self._cancel)
        self._cancel.raise_if_cancelled()
        self._answer.set_model(abilities.model)
        tools = self._request.tools if abilities.can.takes_tools else ()
        searches = next((spec.name for spec in tools if spec.gives_sources), "")
        if self._request.documents and not searches and not self._answer.parts:
            self._ground(abilities)
        self._remark(abilities)
        options = self._options(searches)
        offered, room = frozenset(spec.name for spec in tools), abilities.intake.result_chars
        taken_up = unfinished_round(self._answer.snapshot()) is not None
        first = len(self._answer.spans) - taken_up
        for number in range(first, first + MAX_ROUNDS):
            calls = self._unanswered()
            if calls and not taken_up:
                context = ToolContext(self._cancel, self._request.documents, max_chars=room)
                self._runner.run(calls, self._answer, offered, context, self._save)
            end = self._round(tools, replace(options, round=number), first=number == 0 or taken_up)
            room, taken_up = end.room, False
            _log.debug("round %d: %s, %d parts by now", number, end.stop_reason, len(self._answer.parts))
            if end.stop_reason is not StopReason.STOP or not self._unanswered():
                return end.stop_reason
        for call in self._unanswered():
            result = "The limit of tool rounds was reached; not run."
            self._answer.add(ToolResultPart(call.id, call.name, ToolStatus.CANCELLED, result))
        return StopReason.TOOL_LIMIT

    def _round(self, tools: tuple[ToolSpec, ...], options: RespondOptions, *, first: bool) -> RoundEnded:
        """One round of writing; ``first``: of this turn, or taken up by it."""
        answer = self._answer
        writer = RoundWriter(answer, f"call_{self._message.id[:8]}_{options.round}")
        with closing(self._responder.respond(self._messages(), tools, options, self._cancel)) as events:
            for event in events:
                match event:
                    case Written():
                        answer.write_span(options.round, event.raw, event.ids, event.vocabulary)
                        answer.tokens += event.tokens
                        writer.write(event.output)
                        if self._shared.clock.monotonic() - self._saved >= _SAVE_EVERY_S:
                            self._save()
                    case TakenUp(keep):
                        answer.truncate(keep)
                        answer.drop_span(options.round)
                    case RoundEnded():
                        answer.close_part()
                        if event.stats is not None:
                            self._stats = summed(self._stats, event.stats, first=first)
                        self._save()
                        return event
        raise AppError("engine-silent", "The engine ended without a word.", "Ask again.")

    def _options(self, searches: str) -> RespondOptions:
        """``searches``: the tool with which the model looks things up itself, or "". What it finds does not stand
        beside the question."""
        sources = not searches and any(isinstance(part, SourcesPart) for part in self._answer.parts)
        return RespondOptions(
            self._request.options,
            system_prompt(self._request.system, sources=sources, searches=searches),
            EXAMPLES if sources else (),
            constrain_calls=self._request.constrain_calls,
        )

    def _ground(self, abilities: Abilities) -> None:
        question = self._request.history[-1].text()
        found = find_sources(self._shared.search, question, self._request.documents, abilities.intake, self._cancel)
        if found is not None:
            self._answer.add(found)
            self._save()

    def _remark(self, abilities: Abilities) -> None:
        """Say once in a conversation what the responder wants a person to know of it."""
        told = any(message.model == abilities.model for message in self._request.history)
        if abilities.remark is not None and not told and not self._answer.spans:
            self._answer.add(abilities.remark)

    def _messages(self) -> tuple[Message, ...]:
        return (*self._request.history, self._answer.snapshot())

    def _unanswered(self) -> list[ToolCallPart]:
        answered = {part.call_id for part in self._answer.parts if isinstance(part, ToolResultPart)}
        return [part for part in self._answer.parts if isinstance(part, ToolCallPart) and part.id not in answered]

    def _save(self) -> None:
        self._saved = self._shared.clock.monotonic()
        self._shared.store.save_streaming(self._answer.snapshot())

    def _tell(self, progress: Progress) -> None:
        conversation, answer = self._message.conversation_id, self._message.id
        match progress:
            case Queued(ahead):
                self._shared.publish(TurnQueued(conversation, answer, ahead))
            case Reading(done, total, cached):
                self._shared.publish(PrefillProgress(conversation, answer, done, total, cached))
            case Rate(speed, used, size):
                self._shared.publish(TokenRate(conversation, answer, speed, used, size))
