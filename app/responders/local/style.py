"""How to talk to a loaded model: its template's family, how its tokens are drawn, how much it can take in."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from importlib import resources
from typing import Any, TypeAlias

from app.domain.commands import TurnOptions
from app.domain.messages import NotePart
from app.domain.models import ModelInfo, SamplingValues
from app.domain.sampling import ChosenSampling, SamplingSource, choose
from app.formats import detect
from app.formats.protocol import ChatFormat
from app.formats.templates.guessed import guessed
from app.formats.templates.template import ChatTemplate

Catalogued: TypeAlias = Callable[[str, bool], SamplingValues]
"""``catalogued(name, at_once)``: what our list of models says of the one whose file is called ``name``. ``at_once``: it
answers without reasoning."""


def uncatalogued(name: str, at_once: bool) -> SamplingValues:  # noqa: ARG001 - the shape of Catalogued
    return SamplingValues()


@dataclass(frozen=True, slots=True)
class Profile:
    """How much a model takes in; small ones lose the thread in more than they were trained for.

    ``sources``: passages put beside a question, each of at most ``source_chars`` characters.
    ``result_chars``: characters of one round's tool results.
    ``max_tokens``: of an answer, where nobody wishes another number.
    """

    sources: int = 6
    source_chars: int = 2000
    result_chars: int = 12000
    max_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class ModelStyle:
    model: ModelInfo
    template: ChatTemplate
    chat_format: ChatFormat
    profile: Profile
    catalogued: Catalogued = uncatalogued
    guessed: str = ""  # the form that its vocabulary speaks of, where the file has no template

    @classmethod
    def of(cls, model: ModelInfo, catalogued: Catalogued = uncatalogued) -> "ModelStyle":
        """Raises AppError where the template cannot be read."""
        guess = None if model.template.strip() else guessed(model.control_tokens)
        source = model.template if guess is None else guess.template
        template = ChatTemplate(source, bos=model.bos, eos=model.eos)
        return cls(
            model, template, detect(source), profile(model.name), catalogued, guess.name if guess is not None else ""
        )

    @property
    def remark(self) -> NotePart | None:
        """What a person should know about how this model is spoken to."""
        if self.guessed:
            return NotePart(
                "guessed-template",
                f"This model's file has no chat template. {self.guessed} is used, because its vocabulary has the tokens"
                " for it; if the answers make no sense, get the file from another source.",
            )
        if not self.chat_format.known:
            return NotePart(
                "unknown-template",
                "This model's chat template is not known: its answers are shown as plain text, without tools.",
            )
        return None

    def thinking(self, wish: bool | None) -> bool | None:
        """Whether to reason: models that can, do, unless the person wishes otherwise; some templates default to off."""
        return True if wish is None and self.chat_format.thinks else wish

    @property
    def takes_tools(self) -> bool:
        return self.chat_format.takes_tools

    def sampling(self, options: TurnOptions, *, think: bool | None) -> ChosenSampling:
        """How tokens are drawn, and who says so. ``think``: whether it reasons this time, see ``thinking``."""
        name = self.model.name
        stated = {
            SamplingSource.WISH: options.sampling,
            SamplingSource.FILE: self.model.sampling,
            SamplingSource.CATALOGUE: self.catalogued(name, self.chat_format.answers_at_once(think)),
            SamplingSource.FAMILY: self.chat_format.sampling(name, think=think),
        }
        return choose(stated, options.seed)


def profile(name: str) -> Profile:
    """The first entry of ``resources/profiles.json`` whose ``name`` begins the model's name; each says where its
    figures come from."""
    table: list[dict[str, Any]] = json.loads(resources.files("resources").joinpath("profiles.json").read_text("utf-8"))
    entry = next((entry for entry in table if name.casefold().startswith(entry["name"])), {})
    return Profile(**{key: value for key, value in entry.items() if key not in ("name", "source")})
