"""What a person asks for, as values. Every command that starts something carries the ids it will be known by."""

from dataclasses import dataclass, field

from app.domain.ids import new_id
from app.domain.models import SamplingValues


@dataclass(frozen=True, slots=True)
class TurnOptions:
    """How to answer. None takes the setting, or what the model's file and its makers say.

    ``tools``: names, None for all that do nothing outside, () for none. ``allow``: tools that run unasked.
    ``think``: False asks a model that can answer without reasoning to do so.
    """

    temperature: float | None = None
    seed: int | None = None
    max_tokens: int | None = None
    think: bool | None = None
    tools: tuple[str, ...] | None = None
    allow: frozenset[str] = frozenset()
    top_k: int | None = None
    top_p: float | None = None
    min_p: float | None = None
    repeat_penalty: float | None = None

    @property
    def sampling(self) -> SamplingValues:
        """What the person wishes about drawing tokens; ``seed`` stands beside it."""
        return SamplingValues(self.temperature, self.top_k, self.top_p, self.min_p, self.repeat_penalty)


@dataclass(frozen=True, slots=True)
class SubmitPrompt:
    """A question after the active leaf, or in place of an earlier one.

    ``edits``: the user message beside which this one is stored as a sibling. ``attachments``: absolute paths.
    ``documents``: what the conversation may read from now on; None leaves it as it is stored.
    """

    conversation_id: str
    text: str
    attachments: tuple[str, ...] = ()
    options: TurnOptions = TurnOptions()
    edits: str | None = None
    documents: tuple[str, ...] | None = None
    user_message_id: str = field(default_factory=new_id)
    answer_id: str = field(default_factory=new_id)


@dataclass(frozen=True, slots=True)
class RegenerateAnswer:
    """Another answer to the same question, beside ``message_id``."""

    conversation_id: str
    message_id: str
    options: TurnOptions = TurnOptions()
    answer_id: str = field(default_factory=new_id)


@dataclass(frozen=True, slots=True)
class ContinueAnswer:
    """Go on where a stopped, interrupted or cut-off answer ended, in the same message."""

    conversation_id: str
    message_id: str
    options: TurnOptions = TurnOptions()


@dataclass(frozen=True, slots=True)
class CancelTurn:
    conversation_id: str


@dataclass(frozen=True, slots=True)
class DecideApproval:
    """``always``: for this tool in this conversation, until the program ends."""

    conversation_id: str
    call_id: str
    allowed: bool
    always: bool = False
    reason: str = ""
