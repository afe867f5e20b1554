"""The button that names the model, and its menu of models."""

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QFileDialog, QLabel, QMenu, QToolButton, QWidget, QWidgetAction

from app.domain.library import ModelFile
from ui.models.words import size_text
from ui.widgets.buttons import IconButton
from ui.widgets.tip import plain_tip

LONGEST_NAME = 42


class ModelPicker(IconButton):
    selected = Signal(str)  # path
    manage_requested = Signal()  # the models page

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("chevron-down", "", parent, size=16)
        self.setObjectName("modelPicker")
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.setLayoutDirection(Qt.LayoutDirection.RightToLeft)  # the chevron stands after the name
        self.setToolTip(self.tr("Choose the model that answers"))
        self._menu = QMenu(self)
        self._menu.setLayoutDirection(Qt.LayoutDirection.LeftToRight)
        self._menu.setToolTipsVisible(True)
        self.setMenu(self._menu)
        self._models: tuple[ModelFile, ...] = ()
        self._current = ""
        self.show_models((), "")

    def show_models(self, models: Sequence[ModelFile], current: str) -> None:
        """The choices, and the path of the one that answers ("" for none)."""
        self._models, self._current = tuple(models), current
        self._menu.clear()
        group = QActionGroup(self._menu)
        shipped = [model for model in models if model.shipped]
        opened = [model for model in models if not model.shipped]
        for title, part in ((self.tr("Installed with Alcove"), shipped), (self.tr("On this computer"), opened)):
            if part:
                self._menu.addAction(self._heading(title))
            for model in part:
                action = self._menu.addAction(f"{model.name}    {size_text(model.size)}")
                action.setCheckable(True)
                action.setChecked(model.path == current)
                action.setToolTip(plain_tip(model.path))
                action.triggered.connect(lambda _=False, path=model.path: self.selected.emit(path))
                group.addAction(action)
        self._menu.addSeparator()
        self._menu.addAction(self.open_action(self._menu))
        manage = self._menu.addAction(self.tr("Manage models…"))
        manage.triggered.connect(self.manage_requested)
        name = next((model.name for model in models if model.path == current), "")
        self.show_name(name)

    def _heading(self, title: str) -> QAction:
        label = QLabel(title, self._menu)
        label.setProperty("kind", "section")
        heading = QWidgetAction(self._menu)
        heading.setDefaultWidget(label)
        heading.setEnabled(False)
        return heading

    def show_name(self, name: str) -> None:
        shown = name or self.tr("Choose a model")
        if len(shown) > LONGEST_NAME:
            shown = shown[: LONGEST_NAME - 1] + "…"
        self.setText(shown)
        self.setAccessibleName(self.tr("Model: {name}").format(name=name or self.tr("none")))

    def open_action(self, parent: QMenu) -> QAction:
        """The menu entry that lets the person choose any file."""
        action = QAction(self.tr("Open a GGUF file…"), parent)
        action.triggered.connect(self.open_file)
        return action

    def open_file(self) -> None:
        path, _ = QFileDialog.getOpenFileName(
            self, self.tr("Open a model"), str(Path.home()), self.tr("Models (*.gguf);;All files (*)")
        )
        if path:
            self.selected.emit(path)
