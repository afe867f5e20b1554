"""Templates that had to be mended: which original is replaced by which file of ``resources/templates``."""

import json
from functools import lru_cache
from importlib import resources
from typing import TypedDict


class Mended(TypedDict):
    """An entry of ``index.json``; ``has`` and ``lacks`` recognise the original."""

    file: str
    origin: str
    licence: str
    reason: str
    has: list[str]
    lacks: list[str]


def mended(source: str) -> str:
    """The template to use instead of ``source``; ``source`` itself where nothing is known to be wrong with it."""
    for entry in index():
        if all(text in source for text in entry["has"]) and not any(text in source for text in entry["lacks"]):
            return resources.files("resources").joinpath("templates", entry["file"]).read_text(encoding="utf-8")
    return source


@lru_cache(maxsize=1)
def index() -> tuple[Mended, ...]:
    """All mended templates."""
    text = resources.files("resources").joinpath("templates", "index.json").read_text(encoding="utf-8")
    return tuple(json.loads(text))
