"""Builds the program and hands each room what it needs. The only place where rooms beside each other meet.

``Services`` is made and closed on the thread that owns the front end; everything it starts ends in ``close``.
"""

import contextlib
import logging
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from app.agent.loop import TurnResources
from app.chat.model_choice import ModelChoice
from app.chat.model_plan import ModelPlans
from app.chat.service import ChatService
from app.diagnostics.report import report
from app.documents.reading.blocks import Limits
from app.documents.service import DocumentService
from app.domain.clock import SystemClock
from app.domain.models import LoadRequest
from app.domain.protocols import Publish
from app.domain.settings import Settings
from app.embedding.worker import EmbeddingWorker
from app.engine.learned.saved_states import StateFolder
from app.engine.llama import embed
from app.engine.local.worker import EngineWorker
from app.engine.probe import this_machine
from app.engine.protocol import Engine
from app.mailbox import Mailbox
from app.models.hub.catalogue import catalogued_sampling
from app.models.library.shipped import default_roots
from app.models.service import ModelService
from app.net.gate import NetworkGate
from app.responders.local.model_gate import ModelGate
from app.responders.local.responder import LocalResources, LocalResponder
from app.storage.chats.conversations import ConversationStore
from app.storage.drafts import DraftStore
from app.storage.load_overrides import LoadOverridesStore
from app.storage.paths import Paths
from app.storage.secrets import Secrets
from app.storage.settings import SettingsStore
from app.tools.builtin import builtin_tools
from app.tools.toolsets import Toolsets

__all__ = ["Services", "Settings", "SystemClock"]  # front ends take the settings' type from here

_log = logging.getLogger(__name__)
_UNDO_S = 7 * 86400.0  # how long a deleted conversation can be restored


@dataclass(frozen=True, slots=True)
class Services:
    """Everything a front end works with."""

    paths: Paths
    settings: SettingsStore
    secrets: Secrets
    mailbox: Mailbox
    store: ConversationStore
    drafts: DraftStore
    engine: Engine
    models: ModelService
    model_choice: ModelChoice
    plans: ModelPlans
    documents: DocumentService
    embedder: EmbeddingWorker
    tools: Toolsets
    chat: ChatService

    @classmethod
    def create(
        cls,
        paths: Paths | None = None,
        *,
        engine: Callable[[Publish], Engine] | None = None,
        model: str | None = None,
        model_roots: tuple[Path, ...] | None = None,
    ) -> "Services":
        """Opens the store and starts the threads. ``model``: answers instead of the chosen one, without choosing it.
        ``engine`` makes another one than the program's own. Raises AppError; nothing is open then."""
        paths = paths or Paths.default(os.environ)
        settings = SettingsStore(paths.settings_file)
        mailbox = Mailbox()
        publish = mailbox.publish
        clock = SystemClock()
        roots = tuple(default_roots()) if model_roots is None else model_roots
        secrets, network = Secrets(), NetworkGate(settings.latest)
        models = ModelService(paths, settings, network, secrets, publish, clock, shipped=roots)
        states = StateFolder(paths.cache / "states")
        worker = engine(publish) if engine else EngineWorker(publish, states=states, idle_unload_s=_rest(settings))
        plans = ModelPlans(
            models,
            settings,
            LoadOverridesStore(paths.load_overrides_file),
            lambda: worker.model,
            with_learned=worker.with_learned,
        )
        gate = ModelGate()
        local = LocalResources(worker, clock, gate, catalogued=partial(catalogued_sampling, models.catalogue))
        choice = ModelChoice(
            worker,
            settings,
            models.library,
            roots,
            lambda path: plans.effective(plans.overrides(path)),
            gate,
            lambda model: local.spoken(model).style,
        )
        request = _request(choice, model)
        limits = Limits(max_text_file_mb=settings.get().max_text_file_mb)
        embedder = EmbeddingWorker(models.embedding_model, embed.run, idle_unload_s=_rest(settings))
        documents = DocumentService(paths.documents_db, publish, limits, clock, embedder=embedder)
        tools = Toolsets([builtin_tools(documents, clock)])
        store = ConversationStore(paths.chats_db)
        for message_id in store.recover():
            _log.info("The answer %s was interrupted when the program ended", message_id)
        store.purge_deleted(clock.now() - _UNDO_S)
        chat = ChatService(
            TurnResources(store, documents, publish, clock),
            tools,
            lambda tell: LocalResponder(local, request(), tell),
            settings.get,
            worker.forget,
        )
        return cls(
            paths,
            settings,
            secrets,
            mailbox,
            store,
            DraftStore(paths.drafts_file),
            worker,
            models,
            choice,
            plans,
            documents,
            embedder,
            tools,
            chat,
        )

    def report(self) -> str:
        """What a person can send who reports a fault. Asks llama.cpp for its devices, about a second."""
        return report(self.paths.logs, self.paths.data, this_machine(measure=False), self.engine.model)

    def close(self) -> None:
        """Stop, drain, join: turns first, since they use everything else; the store last."""
        with contextlib.ExitStack() as ends:  # each ends, whatever another one raises
            for room in (
                self.store,
                self.documents,
                self.embedder,
                self.engine,
                self.models,
                self.model_choice,
                self.tools,
                self.chat,
            ):
                ends.callback(room.close)


def _rest(settings: SettingsStore) -> Callable[[], float | None]:
    return lambda: settings.get().unload_after_minutes * 60.0 or None


def _request(choice: ModelChoice, model: str | None) -> Callable[[], LoadRequest]:
    if model is None:
        return choice.request
    path = choice.find(model).path
    return lambda: choice.request(path)
