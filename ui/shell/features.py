"""The features' controllers, made once for a window. They do not know each other; their joins are in this package."""

from PySide6.QtWidgets import QWidget

from app.services import Services
from ui.bridge import Bridge
from ui.chat.controller import ChatController
from ui.documents.controller import DocumentsController
from ui.models.controller import ModelsController
from ui.models.manager import ModelManager
from ui.models.panel.controller import ModelPanelController
from ui.settings.controller import SettingsController
from ui.shell.conversations import ConversationsController
from ui.shell.views import Views


class Features:
    """What a page may be made of."""

    def __init__(self, services: Services, bridge: Bridge, views: Views, window: QWidget) -> None:
        self.services = services
        self.bridge = bridge
        self.views = views
        self.chat = ChatController(services, bridge, views.transcript, views.composer, views.tool_panel, window)
        self.conversations = ConversationsController(services, bridge, views.sidebar, window)
        self.models = ModelsController(services, bridge, views.picker, window)
        self.manager = ModelManager(services, bridge, window)
        self.documents = DocumentsController(services, bridge, views.documents, views.chips, window)
        self.settings = SettingsController(services, bridge, window)
        self.model_panel = ModelPanelController(services, bridge, window)

    def start(self) -> None:
        self.conversations.refresh()
        self.models.start()
        self.manager.start()
        self.settings.start()

    def stop(self) -> None:
        """The window closes: nobody waits for what is under way."""
        self.chat.writing.keep()
        self.manager.stop()
        self.model_panel.stop()
