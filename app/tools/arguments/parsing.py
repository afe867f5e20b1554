"""The arguments of a call, as the model wrote them."""

import json
from collections.abc import Mapping

from app.domain.tools import ToolSpec
from app.tools.arguments.checking import problem


def parse_arguments(spec: ToolSpec, arguments: str) -> Mapping[str, object]:
    """The arguments of a call, checked against the tool's schema. ValueError says what is wrong with them."""
    try:
        values = json.loads(arguments or "{}")
    except RecursionError:
        raise ValueError("the arguments are nested too deeply") from None
    except ValueError as error:
        raise ValueError(f"the arguments are no valid JSON ({error})") from None
    wrong = problem(values, spec.parameters, "the arguments")
    if wrong is None and not isinstance(values, dict):
        wrong = "the arguments must be an object"
    if wrong is not None:
        raise ValueError(wrong)
    checked: dict[str, object] = values
    return checked
