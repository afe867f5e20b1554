"""Thinking on and off, and how much: the variables by which each template is told."""

import re
from typing import Any


def switches(template: str, *, think: bool | None, effort: str | None) -> dict[str, Any]:
    """Template variables for ``think`` (None: the template's own default) and ``effort`` (in the template's words)."""
    values: dict[str, Any] = {}
    if effort is not None:
        values |= {"reasoning_effort": effort, "thinking_effort": effort, "reasoning_strength": effort}
    if think is None:
        return values
    values |= {"enable_thinking": think, "thinking": think, "thinking_mode": "enabled" if think else "disabled"}
    if "Cohere" in template:
        values["reasoning"] = think
    if "thinking_budget" in template and not think:
        values["thinking_budget"] = 0
    levels = _levels(template)
    if think and effort is None and "no_think" in levels:
        values["reasoning_effort"] = "high"
    elif not think:
        off = next((level for level in ("no_think", "none", "minimal", "low") if level in levels), None)
        if off is not None:
            values["reasoning_effort"] = off
    return values


def _levels(template: str) -> set[str]:
    """Words that ``reasoning_effort`` is compared with."""
    found: set[str] = set()
    for match in re.finditer(
        r"reasoning_effort\s*(?:\|\s*\w+\s*)?(?:==|not in|in)\s*(\[[^\]]*\]|'[^']*'|\"[^\"]*\")", template
    ):
        found |= set(re.findall(r"[\"']([^\"']*)[\"']", match.group(1)))
    if "Reasoning: " in template and "reasoning_effort" in template:
        found.add("low")
    return found
