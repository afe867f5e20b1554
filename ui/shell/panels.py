"""What the drawer holds, when it opens by itself, and what its pages are told."""

from PySide6.QtCore import QObject

from app.domain.events import ApprovalRequested, PartStarted
from app.domain.messages import Conversation, Message, Role, ToolCallPart
from ui.models.panel.view import ModelPanel
from ui.shell.features import Features

TOOLS = "tools"


class Panels(QObject):
    def __init__(self, features: Features, parent: QObject | None = None) -> None:
        super().__init__(parent)
        chat, models, panel, views = features.chat, features.models, features.model_panel, features.views
        self._views = views
        self._chat = chat
        self._drawer = views.drawer
        views.tool_panel.close_requested.connect(self.close)
        views.tool_panel.call_activated.connect(views.transcript.reveal_call)
        views.transcript.tool_call_activated.connect(self._reveal_call)
        panel.made.connect(self._join_model)
        panel.reload_wanted.connect(models.reload)
        panel.choose_wanted.connect(views.picker.showMenu)
        models.current_changed.connect(panel.set_current)
        chat.opened.connect(lambda _: panel.show_answer(self._last_answer()))
        chat.progress.connect(panel.follow)
        chat.running_changed.connect(panel.set_running)
        features.bridge.received.connect(self._apply)

    def close(self) -> None:
        self._drawer.open("")

    def _join_model(self, page: ModelPanel) -> None:
        page.close_requested.connect(self.close)

    def _last_answer(self) -> Message | None:
        return next((message for message in reversed(self._chat.messages) if message.role is Role.ASSISTANT), None)

    def _reveal_call(self, call_id: str) -> None:
        self._drawer.open(TOOLS)
        self._views.tool_panel.reveal(call_id)

    def _apply(self, event: object) -> None:
        """A tool call opens the drawer; who looks at another page of it stays there."""
        shown: Conversation | None = self._chat.conversation
        match event:
            case ApprovalRequested() | PartStarted(part=ToolCallPart()) if (
                shown is not None and event.conversation_id == shown.id and not self._drawer.page
            ):
                self._drawer.open(TOOLS)
            case _:
                pass
