"""Services for the window's tests. Real: store, settings, mailbox, model service. Recorded: chat, models, documents."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.chat.model_plan import ModelPlans
from app.domain.cancel import CancelToken
from app.domain.commands import SubmitPrompt, TurnOptions
from app.domain.errors import AppError
from app.domain.library import ModelFile, Origin
from app.domain.messages import Message, MessageStatus, Part, Role, TextPart
from app.domain.models import ModelAbilities, ModelInfo
from app.domain.placement import Tuning
from app.domain.protocols import DocumentText
from app.domain.sampling import ChosenSampling
from app.formats import detect
from app.machine.devices import GIB, Machine, gpu, this_ram
from app.mailbox import Mailbox
from app.models.service import ModelService
from app.net.gate import NetworkGate
from app.responders.local.style import ModelStyle
from app.services import SystemClock
from app.storage.chats.conversations import ConversationStore
from app.storage.drafts import DraftStore
from app.storage.load_overrides import LoadOverridesStore
from app.storage.paths import Paths
from app.storage.secrets import Keyring, Secrets
from app.storage.settings import SettingsStore
from app.tools.builtin import builtin_tools
from app.tools.toolsets import Toolsets
from ui.bridge import Bridge
from ui.chat.tool_words import ToolWords
from ui.theme import apply_theme, style_sheet

CREATED = 1_790_000_000.0


class RecordedChat:
    """Writes down the commands. ``refuse`` is raised by the next one."""

    def __init__(self, store: ConversationStore) -> None:
        self.store = store
        self.commands: list[Any] = []
        self.refuse: AppError | None = None

    def submit(self, command: object) -> None:
        if self.refuse is not None:
            error, self.refuse = self.refuse, None
            raise error
        self.commands.append(command)

    regenerate = continue_answer = cancel = decide = submit

    def delete(self, conversation_id: str) -> None:
        self.store.delete(conversation_id)

    def is_running(self, conversation_id: str) -> bool:
        return False

    @property
    def prompt(self) -> SubmitPrompt:
        command = self.commands[-1]
        assert isinstance(command, SubmitPrompt)
        return command


class RecordedChoice:
    def __init__(self) -> None:
        self.files = [
            ModelFile("alcove-tiny", "/models/alcove-tiny.gguf", 2_200_000, origin=Origin.SHIPPED),
            ModelFile("SmolLM2-135M-Instruct", "/models/smol.gguf", 98_000_000, origin=Origin.SHIPPED),
        ]
        self.chosen: ModelFile | None = self.files[0]
        self.selected: list[str] = []
        self.preloads = 0
        self.loaded: ModelInfo | None = None
        self.tuned: Tuning | None = None
        self.refuse: AppError | None = None

    def list(self) -> list[ModelFile]:
        return self.files

    def current(self) -> ModelFile | None:
        return self.chosen

    def info(self) -> ModelInfo | None:
        return self.loaded

    def abilities(self, model: ModelInfo) -> ModelAbilities:
        return detect(model.template).abilities

    def sampling(self, model: ModelInfo) -> ChosenSampling:
        style = ModelStyle.of(model)
        return style.sampling(TurnOptions(), think=style.thinking(None))

    def preload(self) -> None:
        self.preloads += 1

    def tune(self, cancel: CancelToken) -> Tuning:
        """Waits until it is stopped, or for ``tuned``."""
        while self.tuned is None:
            cancel.wait(0.01)
            cancel.raise_if_cancelled()
        return self.tuned

    def select(self, path: str) -> None:
        if self.refuse is not None:
            raise self.refuse
        self.selected.append(path)
        self.chosen = next((file for file in self.files if file.path == path), None)


class RecordedDocuments:
    def __init__(self) -> None:
        self.scopes: list[tuple[str, ...]] = []
        self.watched: tuple[str, ...] = ()
        self.text: str | None = None

    def add(self, scope: tuple[str, ...]) -> None:
        self.scopes.append(scope)

    def watch(self, scope: tuple[str, ...]) -> None:
        self.watched = scope

    def read(self, path: str, scope: tuple[str, ...], start: int, limit: int) -> DocumentText:
        if self.text is None:
            raise AppError("outside-scope", "{path} is not there.", path=path)
        return DocumentText(path, self.text, 0, len(self.text))


class RecordedServices(SimpleNamespace):
    """What ``app.services.Services`` offers, as far as the window uses it."""

    mailbox: Mailbox
    settings: SettingsStore
    store: ConversationStore
    drafts: DraftStore
    chat: RecordedChat
    models: ModelService
    model_choice: RecordedChoice
    plans: ModelPlans
    documents: RecordedDocuments
    secrets: Secrets
    tools: Toolsets


@pytest.fixture
def toolsets() -> Toolsets:
    """The built-in tools. What they say of themselves is all that the window asks for."""
    documents: Any = RecordedDocuments()
    return Toolsets([builtin_tools(documents, SystemClock())])


@pytest.fixture
def tool_words(toolsets: Toolsets) -> ToolWords:
    return ToolWords(toolsets.spec)


@pytest.fixture
def keyring() -> Keyring | None:
    """None: a test never asks the person's own. Parametrize it to have one."""
    return None


@pytest.fixture
def gpus() -> tuple[int, ...]:
    """Gigabytes of the invented machine's graphics cards. Parametrize it to have some."""
    return ()


@pytest.fixture
def services(
    tmp_path: Path, keyring: Keyring | None, gpus: tuple[int, ...], toolsets: Toolsets
) -> Iterator[RecordedServices]:
    store = ConversationStore(tmp_path / "chats.db")
    mailbox, settings = Mailbox(), SettingsStore(tmp_path / "settings.json")
    secrets, clock = Secrets(lambda: keyring), SystemClock()
    paths = Paths.below(tmp_path / "home").create()
    models = ModelService(
        paths, settings, NetworkGate(settings.get), secrets, mailbox.publish, clock, environ={}, shipped=()
    )
    choice, overrides = RecordedChoice(), LoadOverridesStore(paths.load_overrides_file)
    cards = tuple(gpu(f"Card {number}", size * GIB) for number, size in enumerate(gpus, 1))
    machine = replace(this_ram(measure=False), total=32 * GIB, free=28 * GIB)
    plans = ModelPlans(models, settings, overrides, lambda: choice.loaded, lambda: Machine(machine, cards))
    yield RecordedServices(
        mailbox=mailbox,
        settings=settings,
        store=store,
        drafts=DraftStore(paths.drafts_file),
        chat=RecordedChat(store),
        models=models,
        model_choice=choice,
        plans=plans,
        documents=RecordedDocuments(),
        secrets=secrets,
        tools=toolsets,
    )
    models.close()
    store.close()


@pytest.fixture
def themed(qapp: QApplication) -> QApplication:
    theme = apply_theme(qapp, "light")
    if not qapp.styleSheet():
        qapp.setStyleSheet(style_sheet(theme))  # for widgets that stand alone; the program's have it from the window
    return qapp


@pytest.fixture
def bridge(services: RecordedServices, themed: QApplication) -> Iterator[Bridge]:
    bridge = Bridge(services.mailbox)
    yield bridge
    bridge.close()


@pytest.fixture
def stored(services: RecordedServices) -> Callable[..., Message]:
    """Adds a message to a conversation of the store and returns it."""

    def add(
        conversation_id: str,
        message_id: str,
        role: Role,
        *parts: Part | str,
        parent: str | None = None,
        status: MessageStatus = MessageStatus.COMPLETE,
    ) -> Message:
        whole = tuple(TextPart(part) if isinstance(part, str) else part for part in parts)
        message = Message(message_id, conversation_id, parent, role, status, whole, CREATED)
        services.store.add_message(message)
        return message

    return add


@pytest.fixture
def settle(qtbot: QtBot) -> Callable[[Callable[[], bool]], None]:
    """Run the event loop until a condition holds."""

    def wait(condition: Callable[[], bool]) -> None:
        qtbot.waitUntil(condition, timeout=5000)

    return wait
