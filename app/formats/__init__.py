"""What a model's output means: reasoning, visible text, calls. One family of wire formats a file in ``families``.

``detect`` finds the family from the chat template that the model carries; its ``parser`` reads one generation as it
streams. Nothing here does I/O or keeps state between generations; a parser belongs to the thread that feeds it.
``templates`` renders prompts, the way back.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from app.domain.models import CallGrammar
from app.formats.families import ALL
from app.formats.families.plain import PLAIN, PLAIN_TOOLS
from app.formats.family import Family
from app.formats.grammar import call_grammar
from app.formats.machine import Machine
from app.formats.protocol import StreamParser

__all__ = ["Format", "detect"]

_COMMENT = re.compile(r"\{#.*?#\}", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Format:
    """A family as one template uses it; a ``ChatFormat``.

    ``known``: False where no family fits the template and plain text is assumed; a person should be told once.
    """

    family: Family
    takes_tools: bool
    thinks: bool
    known: bool = True

    @property
    def name(self) -> str:
        return self.family.name

    def parser(
        self,
        generation_prompt: str,
        tools: Sequence[dict[str, object]] = (),
        vocabulary: Collection[str] | None = None,
    ) -> StreamParser:
        """A fresh parser, see ``ChatFormat.parser``.

        ``vocabulary``: spellings of the model's control and user-defined tokens, where they are known: a marker that
        is no token of this model is then recognised in ordinary text.
        """
        return Machine(self.family, generation_prompt, tools, vocabulary or None)

    def call_grammar(
        self, generation_prompt: str, tools: Sequence[dict[str, object]], vocabulary: Mapping[str, int]
    ) -> CallGrammar | None:
        """What a call has to look like, see ``ChatFormat.call_grammar``."""
        return call_grammar(self.family, generation_prompt, tools, vocabulary)


def detect(template: str) -> Format:
    """The format of a model with this chat template (Jinja source; "" for none). Never fails."""
    source = _COMMENT.sub("", template)
    family = next((family for family in ALL if family.matches(source)), None)
    mentions_tools = re.search(r"\b(tools|functions)\b", source) is not None
    if family is None:
        plain = PLAIN_TOOLS if mentions_tools else PLAIN
        return Format(plain, takes_tools=False, thinks="<think>" in source, known=not mentions_tools)
    thinks = family.thinks or any(marker in source for marker in (*family.think_open, *family.think_close))
    calls = family.calls is not None or family.headers is not None
    return Format(family, takes_tools=calls and mentions_tools, thinks=thinks, known=family.known)
