"""Running one round's calls: arguments checked, approval asked, results counted, nothing run twice."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from app.agent.answer import Answer
from app.agent.approval import Approvals
from app.domain.answers import all_sources
from app.domain.cancel import CancelToken
from app.domain.errors import Cancelled
from app.domain.events import ApprovalRequested, ToolStatusChanged
from app.domain.messages import SourcesPart, ToolCallPart, ToolResultPart, ToolStatus
from app.domain.protocols import Clock, Publish
from app.domain.tools import ToolContext, ToolOutcome, ToolSpec
from app.tools.offer import Offer
from app.tools.outcomes import clip, failed

_LONGEST_NAME = 100  # characters of a name that a model made up


class ToolRunner:
    """Runs the calls of one turn, on its thread. ``ask_always``: ask for calls without an effect, too."""

    def __init__(
        self,
        tools: Offer,
        approvals: Approvals,
        publish: Publish,
        clock: Clock,
        *,
        conversation_id: str,
        answer_id: str,
        allow: frozenset[str],
        ask_always: bool = False,
    ) -> None:
        self._tools = tools
        self._approvals = approvals
        self._publish = publish
        self._clock = clock
        self._conversation_id = conversation_id
        self._answer_id = answer_id
        self._allow = allow
        self._ask_always = ask_always

    def run(
        self,
        calls: Sequence[ToolCallPart],
        answer: Answer,
        offered: frozenset[str],
        context: ToolContext,
        save: Callable[[], None],
    ) -> None:
        """Append each call's result (and what it found) to ``answer``, saved at once so that no call runs twice. A stop
        ends the calls that are left."""
        room = context.max_chars // max(1, len(calls))
        for call in calls:
            started = self._clock.monotonic()
            next_source = max(all_sources(answer.parts), default=0) + 1
            try:
                outcome = self._outcome(
                    call, answer, offered, replace(context, max_chars=room, next_source=next_source)
                )
            except Cancelled:
                outcome = ToolOutcome(ToolStatus.CANCELLED, "The person stopped this call.")
            seconds = round(self._clock.monotonic() - started, 3)
            answer.add(ToolResultPart(call.id, call.name, outcome.status, outcome.text, seconds))
            if outcome.sources:
                answer.add(SourcesPart(outcome.sources))
            save()
        context.cancel.raise_if_cancelled()

    def _outcome(
        self, call: ToolCallPart, answer: Answer, offered: frozenset[str], context: ToolContext
    ) -> ToolOutcome:
        context.cancel.raise_if_cancelled()
        spec = self._tools.get(call.name) if call.name in offered else None
        if spec is None:
            names = ", ".join(sorted(offered)) or "none"
            return failed(f"there is no tool {clip(call.name, _LONGEST_NAME)}. Available tools: {names}.")
        earlier = self._earlier(call, spec, answer)
        if earlier is not None:
            return ToolOutcome(ToolStatus.OK, earlier.result)
        try:  # before the person is asked, who could not say anything about a call that cannot be run
            arguments = self._tools.check(call.name, call.arguments)
        except ValueError as wrong:
            return failed(str(wrong))
        refusal = self._refusal(call, spec, context.cancel)
        if refusal is not None:
            return refusal
        self._publish(ToolStatusChanged(self._conversation_id, self._answer_id, call.id, ToolStatus.RUNNING))
        return self._tools.run(call.name, arguments, context)

    def _refusal(self, call: ToolCallPart, spec: ToolSpec, cancel: CancelToken) -> ToolOutcome | None:
        allowed = (
            not (spec.effect.acts_outside or self._ask_always)
            or call.name in self._allow
            or self._approvals.allowed_always(self._conversation_id, call.name)
        )
        if allowed:
            return None
        self._approvals.expect(self._conversation_id, call.id, call.name)
        self._publish(ToolStatusChanged(self._conversation_id, self._answer_id, call.id, ToolStatus.WAITING))
        self._publish(ApprovalRequested(self._conversation_id, self._answer_id, call.id, call.name, call.arguments))
        decision = self._approvals.wait(self._conversation_id, call.id, cancel)
        if decision.allowed:
            return None
        reason = f" Reason: {decision.reason}" if decision.reason else ""
        return ToolOutcome(ToolStatus.DENIED, f"The person did not allow this call.{reason}")

    def _earlier(self, call: ToolCallPart, spec: ToolSpec, answer: Answer) -> ToolResultPart | None:
        """The result of an identical call that already succeeded in this answer, unless it has an effect."""
        if spec.effect.acts_outside:
            return None
        same = {
            part.id
            for part in answer.parts
            if isinstance(part, ToolCallPart)
            and (part.name, part.arguments) == (call.name, call.arguments)
            and part.id != call.id
        }
        for part in answer.parts:
            if isinstance(part, ToolResultPart) and part.call_id in same and part.status is ToolStatus.OK:
                return part
        return None
