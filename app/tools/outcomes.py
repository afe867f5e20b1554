"""What a call gives back, as the model reads it."""

from app.domain.messages import ToolStatus
from app.domain.tools import ToolOutcome

CUT = " … (cut)"


def failed(text: str) -> ToolOutcome:
    return ToolOutcome(ToolStatus.FAILED, f"Error: {text}")


def clip(text: str, limit: int) -> str:
    """At most ``limit`` characters, with a mark where something is missing."""
    if len(text) <= limit:
        return text
    return (text[: max(0, limit - len(CUT))] + CUT)[:limit]
