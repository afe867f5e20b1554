"""The widget that shows a row."""

from PySide6.QtWidgets import QWidget

from ui.chat.transcript.rows.content import (
    Content,
    ErrorRow,
    FooterRow,
    NoteRow,
    ReasoningRow,
    SourcesRow,
    StatusRow,
    ToolRow,
    UserRow,
)
from ui.chat.transcript.rows.packing import CodeRow, ProseRow, TableRow
from ui.chat.transcript.rows.segment import Segment
from ui.chat.transcript.widgets.code import CodeWidget
from ui.chat.transcript.widgets.context import RowContext, RowWidget
from ui.chat.transcript.widgets.prose import ProseWidget
from ui.chat.transcript.widgets.question import QuestionWidget
from ui.chat.transcript.widgets.reasoning import ReasoningWidget
from ui.chat.transcript.widgets.small_rows import ErrorWidget, FooterWidget, NoteWidget, SourcesWidget, StatusWidget
from ui.chat.transcript.widgets.tool_card import ToolCard

_WIDGETS: dict[type[Content], type[RowWidget] | type[ProseWidget]] = {
    ProseRow: ProseWidget,
    TableRow: ProseWidget,
    CodeRow: CodeWidget,
    UserRow: QuestionWidget,
    ReasoningRow: ReasoningWidget,
    ToolRow: ToolCard,
    SourcesRow: SourcesWidget,
    NoteRow: NoteWidget,
    ErrorRow: ErrorWidget,
    StatusRow: StatusWidget,
    FooterRow: FooterWidget,
}


def make_widget(segment: Segment, context: RowContext, parent: QWidget) -> RowWidget | ProseWidget:
    return _WIDGETS[type(segment.content)](segment, context, parent)
