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
from app.domain.tools import Tool, ToolContext, ToolOutcome
from app.tools.registry import ToolRegistry


class ToolRunner:
    """Runs the calls of one turn, on its thread. ``ask_always``: ask for calls without an effect, too."""

    def __init__(
        self,
        registry: ToolRegistry,
        approvals: Approvals,
        publish: Publish,
        clock: Clock,
        *,
        conversation_id: str,
        answer_id: str,
        allow: frozenset[str],
        ask_always: bool = False,
    ) -> None:
        self._registry = registry
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
        tool = self._registry.get(call.name) if call.name in offered else None
        if tool is None:
            names = ", ".join(sorted(offered)) or "none"
            return ToolOutcome(ToolStatus.FAILED, f"Error: there is no tool {call.name}. Available tools: {names}.")
        earlier = self._earlier(call, answer)
        if earlier is not None:
            return ToolOutcome(ToolStatus.OK, earlier.result)
        refusal = self._refusal(call, tool, context.cancel)
        if refusal is not None:
            return refusal
        self._publish(ToolStatusChanged(self._conversation_id, self._answer_id, call.id, ToolStatus.RUNNING))
        return self._registry.run(call.name, call.arguments, context)

    def _refusal(self, call: ToolCallPart, tool: Tool, cancel: CancelToken) -> ToolOutcome | None:
        allowed = (
            not (tool.spec.effect.acts_outside or self._ask_always)
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

    def _earlier(self, call: ToolCallPart, answer: Answer) -> ToolResultPart | None:
        """The result of an identical call that already succeeded in this answer, unless it has an effect."""
        tool = self._registry.get(call.name)
        if tool is None or tool.spec.effect.acts_outside:
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
