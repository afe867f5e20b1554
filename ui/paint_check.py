"""``alcove --paint-check``: paints the window where nobody sees it and says what came of it, as one line of JSON.

A test of an installation: Qt's libraries and plugins, fonts and our own resources are all needed for it. ``alcove
doctor --selftest`` runs it in a process of its own, since it must work without Qt itself.
"""

import json
import os
import sys
import tempfile
import time

from PySide6.QtGui import QImage

from app.services import Services
from ui.bridge import Bridge
from ui.shell.application import make_application
from ui.shell.window import MainWindow
from ui.theme import apply_theme

STEP = 4  # every fourth pixel of every fourth line is looked at
FEWEST_COLOURS = 8  # an empty window has one or two; text alone has many shades


def paint_check() -> int:
    """Returns 0 where a window was painted. The person's own conversations and settings are not touched."""
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    with tempfile.TemporaryDirectory(prefix="alcove-paint-", ignore_cleanup_errors=True) as home:
        os.environ["ALCOVE_HOME"] = home
        started = time.perf_counter()
        app = make_application()
        services = Services.create()
        try:
            apply_theme(app, "light")
            bridge = Bridge(services.mailbox)
            window = MainWindow(services, bridge)
            window.show()
            app.processEvents()
            image = window.grab().toImage()
            colours = count_colours(image)
            report = {
                "width": image.width(),
                "height": image.height(),
                "colours": colours,
                "seconds": round(time.perf_counter() - started, 3),
            }
            sys.stdout.write(json.dumps(report) + "\n")
            sys.stdout.flush()
            window.close()
            bridge.close()
        finally:
            services.close()
    return 0 if colours >= FEWEST_COLOURS else 1


def count_colours(image: QImage) -> int:
    rows = range(0, image.height(), STEP)
    return len({image.pixel(x, y) for y in rows for x in range(0, image.width(), STEP)})
