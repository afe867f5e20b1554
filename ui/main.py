"""The entry point ``alcove``: a sub-command goes to the command line, anything else opens the window.

Child processes import this module again, so it imports nothing that costs time, and PySide6 only for the window.
"""

import multiprocessing
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

USAGE = """\
usage: alcove [PATH ...]              open the window (with a model, documents or folders)
       alcove COMMAND [OPTIONS ...]   work without a window; see alcove COMMAND --help

commands: {commands}

options:
  -h, --help     show this help
  --version      show the version
  --debug[=CATEGORY,...]
                 say on standard error, and in the log, what happens: {categories}
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the program; returns the exit status."""
    multiprocessing.freeze_support()
    os.environ.setdefault("GLIBC_TUNABLES", "")  # the engine changes it; to add it later is not safe among threads
    arguments = list(sys.argv[1:] if argv is None else argv)
    import app.cli as command_line

    if arguments and arguments[0] in command_line.COMMANDS:
        return command_line.main(arguments)
    if any(argument in ("-h", "--help") for argument in arguments):
        return _help(command_line.COMMANDS)
    if "--version" in arguments:
        from app import __version__

        sys.stdout.write(f"alcove {__version__}\n")
        return 0
    if arguments == ["--paint-check"]:  # for `alcove doctor --selftest`
        from ui.paint_check import paint_check

        return paint_check()
    return _window(command_line.with_whole_debug(arguments))


def _help(commands: Iterable[str]) -> int:
    from app.diagnostics.log import categories

    sys.stdout.write(USAGE.format(commands=", ".join(commands), categories=", ".join(categories())))
    return 0


def _window(arguments: Sequence[str]) -> int:
    from app.diagnostics.log import chosen_categories, logging_to
    from app.diagnostics.uncaught import uncaught_logged
    from app.domain.errors import AppError
    from app.storage.paths import Paths

    debug: tuple[str, ...] = ()
    paths = []
    for argument in arguments:
        if argument.startswith("--debug="):
            try:
                debug = chosen_categories(argument.partition("=")[2])
            except AppError as error:
                return _refuse(str(error), 2)
        elif argument.startswith("-") or not Path(argument).exists():
            return _refuse(f"there is no command, file or folder {argument!r}. Try alcove --help.", 2)
        else:
            paths.append(str(Path(argument).absolute()))
    if not has_display(sys.platform, os.environ):
        return _refuse('there is no display to open a window on; try: alcove ask "your question"', 1)
    with logging_to(Paths.default(os.environ).logs, debug), uncaught_logged():
        try:
            from ui.shell.application import run_window
        except ImportError as error:
            from app.diagnostics.libraries import missing_libraries, no_window

            missing = missing_libraries(os.environ)
            if not missing:
                raise  # a bug or a broken installation
            return _refuse(no_window(missing, str(error)), 1)
        return run_window(paths)


def _refuse(sentence: str, status: int) -> int:
    sys.stderr.write(f"alcove: {sentence}\n")
    return status


def has_display(platform: str, environment: Mapping[str, str]) -> bool:
    """Whether a window can open: on Linux and its kin something must be there to show it."""
    if platform in ("win32", "darwin"):
        return True
    return any(environment.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"))


if __name__ == "__main__":
    sys.exit(main())
