"""What of a prompt was computed before, and why it had to be computed again where that happened."""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from app.domain.messages import Change, GenerationStats, Message, Role
from app.responders.local.prompt import PromptOptions

KEPT = 256  # conversations whose last prompt is known


@dataclass(frozen=True, slots=True)
class PromptFacts:
    """What a prompt was made of. ``model``: the file and how it is loaded; ``messages``: ids from the root to the
    answer; ``length``: tokens of the prompt and of what was written after it; ``thinks``: the model reasons."""

    model: tuple[str, int]
    options: PromptOptions
    dropped: int
    messages: tuple[str, ...]
    length: int
    thinks: bool


class PromptLedger:
    """The last prompt of each conversation. Any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last: OrderedDict[str, PromptFacts] = OrderedDict()

    def exchange(self, conversation: str, facts: PromptFacts) -> PromptFacts | None:
        """Remember ``facts``; what was remembered before."""
        with self._lock:
            before = self._last.pop(conversation, None)
            self._last[conversation] = facts
            while len(self._last) > KEPT:
                self._last.popitem(last=False)
        return before


def explained(
    stats: GenerationStats, facts: PromptFacts, before: PromptFacts | None, history: Sequence[Message]
) -> GenerationStats:
    """``stats`` of one round with what it evaluated, what of that again, and why. ``history``: root to the question;
    its last answer stands in for ``before`` after a restart of the program."""
    evaluated = stats.prompt_tokens - stats.cached_tokens
    length = before.length if before is not None else _length(history)
    computed = length - 1  # the last token was written, and never evaluated itself
    again = max(0, min(computed, stats.prompt_tokens - 1) - stats.cached_tokens)
    because = _change(stats, facts, before, history) if again else Change.NONE
    return replace(stats, evaluated_tokens=evaluated, again_tokens=again, again_because=because)


def _length(history: Sequence[Message]) -> int:
    """Tokens that the last answer ended with, 0 where there is none. Of what was generated, only the last round comes
    behind its prompt; of a continued one, only what was added."""
    last = next((message for message in reversed(history) if message.stats is not None), None)
    if last is None or last.stats is None:
        return 0
    generated = last.stats.generated_tokens
    return last.stats.prompt_tokens + (min(generated, len(last.spans[-1].token_ids)) if last.spans else generated)


def _change(
    stats: GenerationStats, facts: PromptFacts, before: PromptFacts | None, history: Sequence[Message]
) -> Change:
    if before is None:
        answers = [message.model for message in history if message.role is Role.ASSISTANT and message.model]
        if answers and answers[-1] != facts.model[0]:
            return Change.MODEL
        if not stats.cached_tokens:
            return Change.FORGOTTEN
        return Change.REASONING if facts.thinks else Change.SPELLING
    then, now = before.options, facts.options
    changes = (
        (Change.MODEL, before.model != facts.model),
        (Change.INSTRUCTIONS, then.system != now.system),
        (Change.TOOLS, then.tools != now.tools),
        (Change.EXAMPLES, then.examples != now.examples),
        (Change.THINKING, then.think != now.think),
        (Change.DROPPED, before.dropped != facts.dropped),
        (Change.BRANCH, facts.messages[: len(before.messages)] != before.messages),
        (Change.FORGOTTEN, not stats.cached_tokens),
        (
            Change.REASONING,
            facts.thinks and facts.messages != before.messages,
        ),  # another turn; its template leaves it out
    )
    return next((change for change, holds in changes if holds), Change.SPELLING)
