"""Opens what an answer points to: passages of documents, files, addresses."""

import logging
from pathlib import Path

from PySide6.QtCore import QObject, Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QWidget

from app.domain.messages import CitationPart, SourcesPart
from app.domain.sources import Locator, Source
from ui.chat.source_view import SourceView
from ui.shell.features import Features

log = logging.getLogger(__name__)

MOST_CONTEXT = 2_000_000  # characters of a document in which a quote is looked for


class Sources(QObject):
    def __init__(self, features: Features, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self._chat = features.chat
        self._bridge = features.bridge
        self._documents = features.services.documents
        transcript = features.views.transcript
        transcript.citation_activated.connect(self.show)
        transcript.open_source_requested.connect(self._show_listed)
        transcript.link_activated.connect(open_link)

    def show(self, source: Source | CitationPart) -> SourceView:
        """The quote at once; what stands around it as soon as the document is read."""
        view = SourceView(source, self._window)
        view.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        view.open()
        documents, path = self._documents, source.path
        self._bridge.run(
            lambda: documents.read(path, [path], 0, MOST_CONTEXT).text,
            view.show_context,
            lambda info: log.info("no context for the source: %s", info.code),
            receiver=view,
        )
        return view

    def _show_listed(self, path: str, locator: Locator) -> None:
        """What was pressed in the list of sources or among the attachments."""
        parts = (part for message in reversed(self._chat.messages) for part in message.parts)
        listed = (source for part in parts if isinstance(part, SourcesPart) for source in part.sources)
        source = next((source for source in listed if (source.path, source.locator) == (path, locator)), None)
        if source is not None:
            self.show(source)
        elif Path(path).exists():  # a file that the person attached
            QDesktopServices.openUrl(QUrl.fromLocalFile(path))


def open_link(address: str) -> None:
    """Only what a browser shows; a model cannot make the window open files or run programs."""
    url = QUrl(address)
    if url.scheme() in ("http", "https", "mailto"):
        QDesktopServices.openUrl(url)
