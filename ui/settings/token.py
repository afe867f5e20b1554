"""The access token for the Hub. It is no setting: it goes to the keyring and is never shown."""

from PySide6.QtWidgets import QLineEdit, QWidget

from ui.settings.rows import Row


class TokenRow(Row):
    def __init__(self, parent: QWidget) -> None:
        label = self.tr("Hugging Face token")
        meaning = self.tr("For models that ask for an account at Hugging Face")
        super().__init__(f"{label} {meaning}".casefold(), parent)
        self.field = QLineEdit(self)
        self.field.setEchoMode(QLineEdit.EchoMode.Password)
        self.field.setPlaceholderText(self.tr("Paste a token here"))
        self.field.setAccessibleDescription(meaning)
        self.grid.addWidget(self.label(label, self.field), 0, 1)
        self.grid.addWidget(self.field, 0, 2)
        self.note("help", f"{meaning}.")
        self._kept = self.note("help", self.tr("It is sent to the Hub only."))

    def show_known(self, known: tuple[bool, bool]) -> None:
        """Whether there is a token, and whether a keyring keeps it."""
        present, kept = known
        if present:
            self.field.setPlaceholderText(self.tr("There is one; paste to replace it"))
        self._kept.setText(
            self.tr("Kept in the keyring, sent to the Hub only.")
            if kept
            else self.tr("No keyring here: forgotten when Alcove is closed.")
        )

    def chosen(self) -> str:
        """A new token, or ""."""
        return self.field.text().strip()
