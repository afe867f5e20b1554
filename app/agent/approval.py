"""Asking the person before a tool with an effect runs."""

import threading
from dataclasses import dataclass

from app.domain.cancel import CancelToken
from app.domain.errors import Cancelled


@dataclass(frozen=True, slots=True)
class Decision:
    allowed: bool
    reason: str = ""


@dataclass(slots=True)
class _Question:
    tool: str
    decided: threading.Event
    decision: Decision | None = None


class Approvals:
    """Decisions by call, and tools that were allowed for the rest of a conversation. Any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[tuple[str, str], _Question] = {}
        self._always: set[tuple[str, str]] = set()

    def allowed_always(self, conversation_id: str, tool: str) -> bool:
        with self._lock:
            return (conversation_id, tool) in self._always

    def expect(self, conversation_id: str, call_id: str, tool: str) -> None:
        """Open the question before it is published, so that a quick answer is not lost."""
        with self._lock:
            self._waiting[conversation_id, call_id] = _Question(tool, threading.Event())

    def wait(self, conversation_id: str, call_id: str, cancel: CancelToken) -> Decision:
        """Wait for the person. Raises Cancelled when the turn is stopped first."""
        with self._lock:
            question = self._waiting[conversation_id, call_id]
        forget = cancel.on_cancel(question.decided.set)
        try:
            question.decided.wait()
        finally:
            forget()
            with self._lock:
                del self._waiting[conversation_id, call_id]
        if question.decision is None:
            raise Cancelled
        return question.decision

    def decide(self, conversation_id: str, call_id: str, decision: Decision, *, always: bool = False) -> bool:
        """``always``: do not ask for this tool in this conversation again. False where nobody waits any more."""
        with self._lock:
            question = self._waiting.get((conversation_id, call_id))
            if question is None or question.decision is not None:
                return False
            if always and decision.allowed:
                self._always.add((conversation_id, question.tool))
            question.decision = decision
            question.decided.set()
            return True
