"""The frozen program's first lines: the environment as the person had it, then Alcove.

PyInstaller points LD_LIBRARY_PATH and Qt's variables at the program's folder. This process has read them by now; a
browser or file manager that it starts must not, or it would load our libraries and plugins instead of its own.
"""

import multiprocessing
import os
import sys
from collections.abc import MutableMapping

from ui.main import main

SEARCH_PATHS = ("LD_LIBRARY_PATH", "QT_PLUGIN_PATH", "QML2_IMPORT_PATH")


def restore(environment: MutableMapping[str, str], folder: str) -> None:
    """Takes out what PyInstaller put in. Children that are this program again are told to begin anew."""
    for name in SEARCH_PATHS:
        kept = [path for path in environment.get(name, "").split(os.pathsep) if path and not path.startswith(folder)]
        environment.pop(name, None)
        if kept:
            environment[name] = os.pathsep.join(kept)
    environment.pop("LD_LIBRARY_PATH_ORIG", None)
    environment.pop("PYSIDE6_OPTION_PYTHON_ENUM", None)
    environment["PYINSTALLER_RESET_ENVIRONMENT"] = "1"


if __name__ == "__main__":
    multiprocessing.freeze_support()
    restore(os.environ, os.path.dirname(sys.executable))  # noqa: PTH120 - importing pathlib takes longer than all of this
    sys.exit(main())
