"""Checking a value against a JSON Schema (Draft 2020-12), whoever wrote the two."""

from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, Any

from app.tools.arguments.known import known_part
from app.tools.arguments.sentences import sentences

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

MOST_STEPS = 100_000  # about a second
ERROR_STEPS = 200
MOST_ERRORS = 50

_steps: ContextVar[int] = ContextVar("steps that the running check has left")


class _TooMuch(Exception):
    pass


def problem(value: object, schema: Mapping[str, Any], where: str) -> str | None:
    """What is wrong with ``value``, as a clause for the model, or None. ``where`` names the value."""
    return sentences(_errors(value, known_part(schema)), where) or None


def _errors(value: Any, schema: Mapping[str, object]) -> "list[ValidationError]":
    """No errors where the schema leads around in circles or would take too long: the tool checks its arguments, too."""
    make, registry = _validator()
    token = _steps.set(MOST_STEPS)
    try:
        found: Iterator[ValidationError] = make(schema, registry=registry).iter_errors(value)
        return list(islice(found, MOST_ERRORS))
    except (_TooMuch, RecursionError):
        return []
    finally:
        _steps.reset(token)


@cache
def _validator() -> tuple[Callable[..., Any], object]:
    """The validator, made when the first call is checked: to import it takes a tenth of a second. And a registry of
    schemas that has none and fetches none."""
    from jsonschema.validators import Draft202012Validator, extend
    from referencing import Registry

    counted = {keyword: _counted(rule) for keyword, rule in Draft202012Validator.VALIDATORS.items()}
    return extend(Draft202012Validator, counted), Registry()  # type: ignore[no-untyped-call]  # the stubs say nothing


def _counted(rule: Callable[..., Any]) -> Callable[..., "Iterator[ValidationError]"]:
    """A keyword goes through its own members or through the value's, and an error writes the whole value down.
    References repeat what they lead to, so that a short schema can ask for endless work."""

    def apply(validator: object, keyword: object, value: object, schema: object) -> "Iterator[ValidationError]":
        _spend(1 + _size(keyword) + _size(value))
        for error in rule(validator, keyword, value, schema) or ():
            _spend(ERROR_STEPS)
            yield error

    return apply


def _spend(steps: int) -> None:
    left = _steps.get() - steps
    if left < 0:
        raise _TooMuch
    _steps.set(left)


def _size(value: object) -> int:
    return len(value) if isinstance(value, list | dict) else 0
