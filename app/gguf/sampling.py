"""What a model's file says about drawing tokens: llama.cpp's keys ``general.sampling.*``, written by its converter."""

import re
from collections.abc import Callable

from app.domain.models import SamplingValues
from app.domain.sampling import plausible

KEYS = {
    "temperature": "general.sampling.temp",
    "top_k": "general.sampling.top_k",
    "top_p": "general.sampling.top_p",
    "min_p": "general.sampling.min_p",
    "repeat_penalty": "general.sampling.penalty_repeat",
}
_NUMBER = re.compile(r"-?\d{1,9}(?:\.\d{1,9})?", re.ASCII)


def stated_sampling(text: Callable[[str], str]) -> SamplingValues:
    """``text``: a value of the metadata as llama.cpp prints it, "" where there is none.

    The numbers are a stranger's: what is no number, or none that makes sense, counts as not said.
    """
    found = {name: value for name, key in KEYS.items() if (value := _number(name, text(key))) is not None}
    return SamplingValues(**found)  # type: ignore[arg-type] # top_k is an int


def _number(name: str, text: str) -> float | None:
    if not _NUMBER.fullmatch(text):
        return None
    value = float(text)
    if name == "top_k":
        value = 0.0 if value == -1 else value  # both mean: of all tokens
        return int(value) if value.is_integer() and plausible(name, value) else None
    return value if plausible(name, value) else None
