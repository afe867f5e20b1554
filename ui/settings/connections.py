"""The settings about connections to other machines: none at all, through a proxy, as whom."""

from PySide6.QtCore import QObject, QUrl
from PySide6.QtWidgets import QLabel, QLineEdit, QWidget

from app.services import Settings
from ui.widgets.choice import CheckBox

PROXY_SCHEMES = ("http", "https")


class Connections(QObject):
    """The fields and what stands below them; the dialog places them."""

    def __init__(self, settings: Settings, parent: QWidget) -> None:
        super().__init__(parent)
        self._proxy_before = settings.proxy
        self.offline = CheckBox(self.tr("Offline: connect to nothing"), parent)
        self.offline.setChecked(settings.offline)
        self.proxy = QLineEdit(settings.proxy, parent)
        self.proxy.setPlaceholderText(self.tr("The system's, if it has one"))
        self.problem = QLabel(parent)
        self.problem.setProperty("kind", "error")
        self.problem.setWordWrap(True)
        self.problem.hide()
        self.proxy.textChanged.connect(self.problem.hide)
        self.token = QLineEdit(parent)
        self.token.setEchoMode(QLineEdit.EchoMode.Password)
        self.token.setPlaceholderText(self.tr("Paste a token here"))
        self.token_note = QLabel(self.tr("It is sent to the Hub only."), parent)
        self.token_note.setProperty("kind", "muted")
        self.token_note.setWordWrap(True)

    def show_token(self, known: tuple[bool, bool]) -> None:
        """Whether there is a token, and whether a keyring keeps it. The token itself is never shown."""
        present, kept = known
        if present:
            self.token.setPlaceholderText(self.tr("There is one; paste to replace it"))
        self.token_note.setText(
            self.tr("Kept in the keyring, sent to the Hub only.")
            if kept
            else self.tr("No keyring here: forgotten when Alcove is closed.")
        )

    def chosen_token(self) -> str:
        """A new token, or ""."""
        return self.token.text().strip()

    def chosen_proxy(self) -> str:
        """The address to connect through, "" for the system's. Valid where ``check`` found nothing."""
        text = self.proxy.text().strip()
        if not text or text == self._proxy_before:
            return text
        return _proxy_url(text).toString(QUrl.ComponentFormattingOption.FullyEncoded).rstrip("/")

    def check(self) -> bool:
        """Whether the proxy can be used; if not, a sentence below says why."""
        text = self.proxy.text().strip()
        if text in ("", self._proxy_before):
            return True
        url = _proxy_url(text)
        if url.userInfo():  # settings are a readable file
            problem = self.tr("A name and password are not kept here. Set HTTPS_PROXY instead.")
        elif not _is_proxy(url):
            problem = self.tr("Write it like http://proxy.example:8080.")
        else:
            return True
        self.problem.setText(problem)
        self.problem.show()
        self.proxy.setFocus()
        return False


def _proxy_url(text: str) -> QUrl:
    return QUrl(text if "://" in text else f"http://{text}", QUrl.ParsingMode.StrictMode)


def _is_proxy(url: QUrl) -> bool:
    """A machine and perhaps a port, nothing behind them."""
    bare = url.path() in ("", "/") and not url.hasQuery() and not url.hasFragment()
    return url.isValid() and url.scheme() in PROXY_SCHEMES and bool(url.host()) and bare
