"""How to talk to a loaded model: its template's family, its makers' sampling, how much it can take in."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from typing import Any

from app.domain.models import ModelInfo, Sampling
from app.formats import detect
from app.formats.protocol import ChatFormat
from app.formats.templates.template import ChatTemplate


@dataclass(frozen=True, slots=True)
class Profile:
    """``sources``: passages put beside a question, each of at most ``source_chars`` characters; ``result_chars``: of
    one round's tool results; ``max_tokens``: of an answer, where nobody wishes another number. Small models lose the
    thread in more than they were trained for."""

    sampling: Sampling = field(default_factory=Sampling)
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

    @classmethod
    def of(cls, model: ModelInfo) -> "ModelStyle":
        """Raises AppError where the template cannot be read."""
        chat_format = detect(model.template)
        template = ChatTemplate(model.template, bos=model.bos, eos=model.eos)
        return cls(model, template, chat_format, profile(model.name, chat_format.name))

    @property
    def known(self) -> bool:
        return self.chat_format.known

    def thinking(self, wish: bool | None) -> bool | None:
        """Whether to reason: models that can, do, unless the person wishes otherwise; some templates default to off."""
        return True if wish is None and self.chat_format.thinks else wish

    @property
    def takes_tools(self) -> bool:
        return self.chat_format.takes_tools


def profile(name: str, family: str) -> Profile:
    """The first entry of ``resources/profiles.json`` whose ``name`` begins the model's name, or whose ``family`` is
    the format's; each says where its figures come from."""
    table: list[dict[str, Any]] = json.loads(resources.files("resources").joinpath("profiles.json").read_text("utf-8"))
    for entry in table:
        if name.lower().startswith(entry.get("name", "\0")) or entry.get("family") == family:
            return _profile(entry)
    return Profile()


def _profile(entry: Mapping[str, Any]) -> Profile:
    limits = {key: entry[key] for key in ("sources", "source_chars", "result_chars", "max_tokens") if key in entry}
    return Profile(sampling=Sampling(**entry["sampling"]), **limits)
