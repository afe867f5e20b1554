"""What a model's output means: reasoning, visible text, calls. One family of wire formats a file in ``families``.

``detect`` finds the family from the chat template that the model carries; its ``parser`` reads one generation as it
streams. Nothing here does I/O or keeps state between generations; a parser belongs to the thread that feeds it.
``templates`` renders prompts, the way back.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from app.domain.models import CallGrammar, ModelAbilities, SamplingValues
from app.formats.families import ALL
from app.formats.families.plain import PLAIN, PLAIN_TOOLS
from app.formats.family import Family
from app.formats.grammar import call_grammar
from app.formats.output_parser import OutputParser
from app.formats.protocol import StreamParser

__all__ = ["Format", "detect"]

# Strangers' templates: each of these takes time in proportion to the text, also where something is never closed.
_STRING = re.compile(r"'(?:[^'\\]|\\.)*+(?:'|\Z)|\"(?:[^\"\\]|\\.)*+(?:\"|\Z)", re.DOTALL)
_VARIABLE = re.compile(r"(?<![\w.])[A-Za-z_]\w*+(?!\s*+(?:\(|=(?!=)))")


@dataclass(frozen=True, slots=True)
class Format:
    """A family as one template uses it; a ``ChatFormat``.

    ``known``: False where no family fits the template and plain text is assumed; a person should be told once.
    """

    family: Family
    abilities: ModelAbilities
    known: bool = True

    @property
    def name(self) -> str:
        return self.family.name

    @property
    def takes_tools(self) -> bool:
        return self.abilities.takes_tools

    @property
    def thinks(self) -> bool:
        return self.abilities.thinks

    @property
    def closers(self) -> tuple[str, ...]:
        return self.family.closers

    @property
    def noise(self) -> tuple[str, ...]:
        return self.family.noise

    def sampling(self, model: str, *, think: bool | None) -> SamplingValues:
        """What the makers of the family recommend for ``model`` (its name), and nothing where they do not."""
        preset = next((preset for preset in self.family.presets if preset.fits(model)), None)
        if preset is None:
            return SamplingValues()
        at_once = preset.at_once if self.answers_at_once(think) else None
        return at_once or preset.sampling

    def answers_at_once(self, think: bool | None) -> bool:
        """Whether an answer comes without reasoning, where ``think`` is what is asked for."""
        return not self.thinks or (think is False and self.abilities.switchable)

    def variables(self, *, think: bool | None, effort: str | None) -> dict[str, object]:
        """What tells the template to reason or not, and how much, see ``Thinking``."""
        return self.family.thinking.variables(think=think, effort=effort)

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
        return OutputParser(self.family, generation_prompt, tools, vocabulary or None)

    def call_grammar(
        self, generation_prompt: str, tools: Sequence[dict[str, object]], vocabulary: Mapping[str, int]
    ) -> CallGrammar | None:
        """What a call has to look like, see ``ChatFormat.call_grammar``."""
        return call_grammar(self.family, generation_prompt, tools, vocabulary)


def detect(template: str) -> Format:
    """The format of a model with this chat template (Jinja source; "" for none). Never fails."""
    source = _uncommented(template)
    family = next((family for family in ALL if family.matches(source)), None)
    mentions_tools = re.search(r"\b(tools|functions)\b", source) is not None
    if family is None:
        plain = PLAIN_TOOLS if mentions_tools else PLAIN
        return Format(plain, _abilities(plain, source, takes_tools=False), known=not mentions_tools)
    calls = family.calls is not None or family.headers is not None
    return Format(family, _abilities(family, source, takes_tools=calls and mentions_tools), family.known)


def _abilities(family: Family, source: str, *, takes_tools: bool) -> ModelAbilities:
    if not family.thinks and not any(marker in source for marker in (*family.think_open, *family.think_close)):
        return ModelAbilities(takes_tools=takes_tools)
    thinking, read = family.thinking, _variables(source)
    return ModelAbilities(
        thinks=True,
        switchable=thinking.switchable(source, read),
        efforts=thinking.efforts if thinking.effort in read else (),
        takes_tools=takes_tools,
    )


def _variables(source: str) -> frozenset[str]:
    """Names that a template (without comments) may read as variables."""
    names: set[str] = set()
    for begin, end in (("{%", "%}"), ("{{", "}}")):
        for start, stop in _stretches(source, begin, end):
            names.update(_VARIABLE.findall(_STRING.sub("''", source[start + 2 : stop - 2])))
    return frozenset(names)


def _uncommented(template: str) -> str:
    pieces, at = [], 0
    for start, stop in _stretches(template, "{#", "#}"):
        pieces.append(template[at:start])
        at = stop
    return "".join((*pieces, template[at:]))


def _stretches(text: str, begin: str, end: str) -> Iterator[tuple[int, int]]:
    """From each ``begin`` to behind the next ``end``."""
    stop = 0
    while (start := text.find(begin, stop)) >= 0 and (close := text.find(end, start + len(begin))) >= 0:
        stop = close + len(end)
        yield start, stop
