"""What a family's parser makes of a model's raw output."""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from app.domain.models import CallGrammar, ModelAbilities, SamplingValues
from app.domain.output import Note, OutputEvent


def call_note(code: str, name: str | None) -> Note:
    """The remark about a call that cannot be made: ``incomplete`` or ``malformed``."""
    which = f"The call of {name}" if name else "A tool call"
    if code == "incomplete":
        return Note(code, f"{which} was cut off before it was whole and was not made.")
    return Note(code, f"{which} is not written in the model's format; it is shown as text and was not made.")


class StreamParser(Protocol):
    """Reads one generation. Linear in length; never takes back what it returned; the same however the text is cut."""

    def feed(self, text: str, control: bool | None = None) -> list[OutputEvent]:
        """``control``: True for a control token's spelling, False for ordinary text, None where nobody knows."""
        ...

    def finish(self, *, truncated: bool = False) -> list[OutputEvent]:
        """The output ended; ``truncated``: by a limit or by Stop, not by the model."""
        ...


class ChatFormat(Protocol):
    """One family. ``detect`` (in the package) finds it from the chat template."""

    @property
    def name(self) -> str:
        """``kimi-k2``, ``qwen3``, ``plain``: stable, part of the command line's contract."""
        ...

    @property
    def abilities(self) -> ModelAbilities:
        """What a model with this template can do."""
        ...

    @property
    def takes_tools(self) -> bool:
        """The template declares tools to the model."""
        ...

    @property
    def thinks(self) -> bool:
        """The family reasons before it answers, or can."""
        ...

    @property
    def closers(self) -> tuple[str, ...]:
        """What reasoning ends with in the model's output, the likeliest first."""
        ...

    @property
    def noise(self) -> tuple[str, ...]:
        """Markers that stand around visible text in the model's output."""
        ...

    def sampling(self, model: str, *, think: bool | None) -> SamplingValues:
        """What the family's makers recommend for the model with this name. ``think``: as for ``variables``."""
        ...

    def answers_at_once(self, think: bool | None) -> bool:
        """Whether an answer comes without reasoning. ``think``: as for ``variables``."""
        ...

    def variables(self, *, think: bool | None, effort: str | None) -> dict[str, object]:
        """Template variables that say whether to reason (None: the template's own default) and how much (in the
        template's words)."""
        ...

    @property
    def known(self) -> bool:
        """False where the template is of no family that is known and is read with care as plain text."""
        ...

    def parser(
        self,
        generation_prompt: str,
        tools: Sequence[dict[str, object]] = (),
        vocabulary: Collection[str] | None = None,
    ) -> StreamParser:
        """A fresh parser. ``generation_prompt``: what the template puts after the last message (it may pre-open a
        block); ``tools``: definitions in OpenAI form, for argument types where the wire has none.
        ``vocabulary``: spellings of the model's control and user-defined tokens (``ModelInfo.control_tokens``), where
        they are known; a marker that is none of them is then read in ordinary text too."""
        ...

    def call_grammar(
        self, generation_prompt: str, tools: Sequence[dict[str, object]], vocabulary: Mapping[str, int]
    ) -> CallGrammar | None:
        """What a call of one of ``tools`` has to look like, for the engine; None where that cannot be said.
        ``vocabulary``: the model's control and user-defined tokens with their ids."""
        ...
