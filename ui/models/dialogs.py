"""What the models page asks: a licence, an access token, how to import, whether to remove."""

from PySide6.QtCore import Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices, QShowEvent
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLabel, QLineEdit, QPushButton, QVBoxLayout, QWidget

from app.domain.library import LibraryModel, Removal
from ui.models.words import size_text
from ui.widgets.choice import CheckBox, ChoiceBox
from ui.widgets.tip import plain_tip

WIDTH = 500


def open_page(address: str) -> None:
    """In the person's browser; nothing but web pages."""
    url = QUrl(address)
    if url.scheme() in ("http", "https"):
        QDesktopServices.openUrl(url)


class Ask(QDialog):
    """A title, a paragraph, something in between, and two buttons. It is gone once it is closed."""

    def __init__(self, title: str, text: str, accept: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.setFixedWidth(WIDTH)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        heading = QLabel(title, self)
        heading.setProperty("kind", "title")
        heading.setWordWrap(True)
        heading.setTextFormat(Qt.TextFormat.PlainText)
        words = QLabel(text, self)
        words.setWordWrap(True)
        words.setTextFormat(Qt.TextFormat.PlainText)
        self.yes = QPushButton(accept, self)
        self.yes.setProperty("kind", "primary")
        self.yes.setDefault(True)
        self.yes.clicked.connect(self.accept)
        self.no = QPushButton(self.tr("Cancel"), self)
        self.no.clicked.connect(self.reject)
        self.body = QVBoxLayout()
        self.body.setSpacing(10)
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addStretch(1)
        buttons.addWidget(self.no)
        buttons.addWidget(self.yes)
        column = self._column = QVBoxLayout(self)
        column.setContentsMargins(24, 20, 24, 20)
        column.setSpacing(12)
        column.addWidget(heading)
        column.addWidget(words)
        column.addLayout(self.body)
        column.addSpacing(8)
        column.addLayout(buttons)

    def showEvent(self, event: QShowEvent) -> None:
        """As high as its text needs at this width, which the layout knows only now."""
        self.setFixedHeight(self._column.totalHeightForWidth(WIDTH))
        super().showEvent(event)

    def add_link(self, text: str, address: str) -> QPushButton:
        """A button that opens a page in the browser."""
        button = QPushButton(text, self)
        button.setProperty("kind", "link")
        button.setStyleSheet("padding-left: 0;")
        button.setToolTip(plain_tip(address))
        button.setCursor(Qt.CursorShape.PointingHandCursor)
        button.clicked.connect(lambda: open_page(address))
        self.body.addWidget(button, 0, Qt.AlignmentFlag.AlignLeft)
        return button

    def add_note(self, text: str) -> None:
        note = QLabel(text, self)
        note.setProperty("kind", "muted")
        note.setWordWrap(True)
        self.body.addWidget(note)


class LicenceDialog(Ask):
    """Accepting is possible once the person said to have read it."""

    def __init__(self, model: str, licence: str, page: str, parent: QWidget | None = None) -> None:
        super().__init__(
            self.tr("The licence of {model}").format(model=model),
            self.tr(
                "This model comes under the licence “{licence}”, which may limit what you do with it. "
                "Read it before you download."
            ).format(licence=licence),
            self.tr("Download"),
            parent,
        )
        self.link = self.add_link(self.tr("Read the licence in the browser"), page)
        self.accepted_box = CheckBox(self.tr("I have read the licence and accept it"), self)
        self.accepted_box.toggled.connect(self.yes.setEnabled)
        self.body.addWidget(self.accepted_box)
        self.yes.setEnabled(False)


class TokenDialog(Ask):
    given = Signal(str)

    def __init__(self, repository: str, page: str, reason: str, *, kept: bool, parent: QWidget | None = None) -> None:
        super().__init__(self.tr("An access token for the Hub"), reason, self.tr("Use this token"), parent)
        if page:
            self.add_link(self.tr("Open {repository} in the browser").format(repository=repository), page)
        self.field = QLineEdit(self)
        self.field.setEchoMode(QLineEdit.EchoMode.Password)
        self.field.setPlaceholderText(self.tr("Paste the token here"))
        self.field.setAccessibleName(self.tr("Access token"))
        self.field.textChanged.connect(lambda text: self.yes.setEnabled(bool(text.strip())))
        self.body.addWidget(self.field)
        self.add_note(
            self.tr("It is kept in this computer's keyring and sent to the Hub only.")
            if kept
            else self.tr(
                "There is no keyring on this computer, so the token is forgotten when Alcove is closed. "
                "It is sent to the Hub only."
            )
        )
        self.yes.setEnabled(False)
        self.accepted.connect(lambda: self.given.emit(self.field.text().strip()))
        self.field.setFocus()


class ImportDialog(Ask):
    chosen = Signal(str)  # "copy", "move", "link" or "register"

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(
            self.tr("Import {name}").format(name=name),
            self.tr("All parts of the model are taken together."),
            self.tr("Import"),
            parent,
        )
        self.way = ChoiceBox(self)
        for value, text in (
            ("register", self.tr("Use it where it is")),
            ("copy", self.tr("Copy it into Alcove's folder")),
            ("move", self.tr("Move it into Alcove's folder")),
            ("link", self.tr("Link to it from Alcove's folder")),
        ):
            self.way.addItem(text, value)
        self.way.setAccessibleName(self.tr("How to import"))
        self.body.addWidget(self.way)
        self.accepted.connect(lambda: self.chosen.emit(self.way.currentData()))


class RemoveDialog(Ask):
    def __init__(self, model: LibraryModel, parent: QWidget | None = None) -> None:
        if model.removal is Removal.DELETE:
            text = self.tr("{size} in {folder} are deleted for good.").format(
                size=size_text(model.size), folder=model.folder
            )
            title, button = self.tr("Delete {name}?"), self.tr("Delete")
        elif model.removal is Removal.FORGET:
            text = self.tr("Alcove forgets where it is. The file stays in {folder}.").format(folder=model.folder)
            title, button = self.tr("Take {name} off the list?"), self.tr("Take off the list")
        else:
            text = self.tr("It lies in {folder}, a folder you added. Alcove would look into it no more; files stay.")
            text = text.format(folder=model.root)
            title, button = self.tr("Forget the folder of {name}?"), self.tr("Forget the folder")
        super().__init__(title.format(name=model.name), text, button, parent)
        if model.removal is Removal.DELETE:
            self.yes.setProperty("kind", "danger")
            self.no.setDefault(True)  # Enter deletes nothing
            self.no.setFocus()
