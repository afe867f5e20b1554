"""``calculator(expression)``."""

from collections.abc import Mapping

from app.domain.messages import ToolStatus
from app.domain.tools import ToolContext, ToolLabel, ToolOutcome, ToolSpec
from app.tools.builtin.arithmetic import CalculationError, evaluate
from app.tools.outcomes import failed


class Calculator:
    spec = ToolSpec(
        name="calculator",
        description="Evaluate an arithmetic expression",
        parameters={
            "type": "object",
            "properties": {"expression": {"type": "string"}},
            "required": ["expression"],
        },
        label=ToolLabel("Calculator", "Calculating: {expression}", "Calculated: {expression}"),
        icon="calculator",
    )

    def run(self, arguments: Mapping[str, object], context: ToolContext) -> ToolOutcome:  # noqa: ARG002 - the protocol
        try:
            return ToolOutcome(ToolStatus.OK, evaluate(str(arguments["expression"])))
        except CalculationError as error:
            return failed(str(error))
