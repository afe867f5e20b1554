"""Errors that a person reads."""

from dataclasses import dataclass, field

REPORT = "Please report it: Help > Copy report… or alcove doctor --report shows what to send."
"""The hint of whatever is our own mistake."""


@dataclass(frozen=True, slots=True)
class ErrorInfo:
    """What a person is told, as a value that events carry and the window translates by ``code``.

    ``message`` and ``hint`` are English templates in ``str.format`` syntax; ``values`` fills them. ``detail`` is for
    the log and the "details" fold: never translated, may be empty.
    """

    code: str
    message: str
    hint: str = ""
    values: dict[str, str] = field(default_factory=dict)
    detail: str = ""

    def text(self) -> str:
        """One paragraph in English: the message and what to do."""
        return " ".join(part.format_map(self.values) for part in (self.message, self.hint) if part)


class AppError(Exception):
    """Something went wrong that a person can understand and act on. Anything else is a bug and keeps its traceback."""

    def __init__(self, code: str, message: str, hint: str = "", *, detail: str = "", **values: object) -> None:
        self.info = ErrorInfo(code, message, hint, {name: str(value) for name, value in values.items()}, detail)
        super().__init__(self.info.text())

    @property
    def code(self) -> str:
        return self.info.code

    @classmethod
    def of(cls, info: ErrorInfo) -> "AppError":
        """The exception for an error that arrived as a value (from a child process, in an event)."""
        return cls(info.code, info.message, info.hint, detail=info.detail, **info.values)

    def __reduce__(self) -> tuple[object, ...]:
        return AppError.of, (self.info,)


class Cancelled(Exception):
    """The person stopped it; whatever was under way ends quietly."""
