"""Uses the window as a person would, on a real display, and keeps pictures. test_display.py runs it as a process.

python drive_window.py HOME PICTURES
"""

import sys
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QElapsedTimer, Qt
from PySide6.QtTest import QTest

from app.services import Services
from app.storage.paths import Paths
from ui.bridge import Bridge
from ui.shell.application import make_application
from ui.shell.window import MainWindow
from ui.theme import apply_theme


def main(home: Path, pictures: Path) -> int:
    app = make_application()
    services = Services.create(Paths.below(home).create())
    bridge = Bridge(services.mailbox)
    window = MainWindow(services, bridge)
    window.show()
    window.start()

    def until(condition: Callable[[], bool]) -> None:
        waited = QElapsedTimer()
        waited.start()
        while not condition():
            assert waited.elapsed() < 60_000, "nothing happened"
            QTest.qWait(10)

    def use(model: str) -> None:
        window.models.select(services.model_choice.find(model).path)
        until(lambda: (info := services.model_choice.info()) is not None and model in info.name)
        until(lambda: window.views.composer.focusProxy().isEnabled())

    def ask(text: str) -> None:
        editor = window.views.composer.focusProxy()
        editor.setFocus()
        QTest.keyClicks(editor, text)
        QTest.keyClick(editor, Qt.Key.Key_Return)
        until(lambda: window.chat.running)
        until(lambda: not window.chat.running)

    until(window.isVisible)
    use("alcove-tiny")
    ask("what is 17*23?")
    window.views.drawer.open("tools")
    for scheme in ("light", "dark"):
        services.settings.update(theme=scheme)
        apply_theme(app, scheme)
        QTest.qWait(500)
        window.screen().grabWindow(window.winId()).save(str(pictures / f"{scheme}.png"))
    print(window.chat.messages[-1].text())
    window.close()
    bridge.close()
    services.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
