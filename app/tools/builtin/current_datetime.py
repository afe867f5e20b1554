"""``current_datetime(timezone?)``."""

import datetime as dt
import zoneinfo
from collections.abc import Mapping

from app.domain.messages import ToolStatus
from app.domain.protocols import Clock
from app.domain.tools import ToolContext, ToolLabel, ToolOutcome, ToolSpec
from app.tools.outcomes import failed

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")  # strftime follows the locale


class CurrentDatetime:
    spec = ToolSpec(
        name="current_datetime",
        description="Current date and time, local or in a time zone",
        parameters={
            "type": "object",
            "properties": {"timezone": {"type": "string", "description": "IANA name such as Europe/Berlin"}},
        },
        label=ToolLabel("Clock", "Looking at the clock", "Looked at the clock"),
        icon="clock",
    )

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def run(self, arguments: Mapping[str, object], context: ToolContext) -> ToolOutcome:  # noqa: ARG002 - the protocol
        moment = dt.datetime.fromtimestamp(self._clock.now(), dt.UTC)
        name = str(arguments.get("timezone") or "")
        try:
            local = moment.astimezone(zoneinfo.ZoneInfo(name) if name else None)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
            return failed(f"there is no time zone {name}; use an IANA name such as Europe/Berlin")
        text = f"{DAYS[local.weekday()]}, {local:%Y-%m-%d %H:%M:%S} {name or local.tzname()} (UTC{local:%z})"
        return ToolOutcome(ToolStatus.OK, text)
