"""The entry point ``alcove``: a sub-command goes to the command line, anything else opens the window.

Child processes import this module again, so it imports nothing that costs time, and PySide6 only for the window.
"""

import multiprocessing
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

COMMANDS = ("ask", "search", "parse", "render", "plan", "models", "bench", "export", "doctor")

USAGE = """\
usage: alcove [PATH ...]              open the window (with a model, documents or folders)
       alcove COMMAND [OPTIONS ...]   work without a window; see alcove COMMAND --help

commands: {commands}

options:
  -h, --help     show this help
  --version      show the version
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the program; returns the exit status."""
    multiprocessing.freeze_support()
    os.environ.setdefault("GLIBC_TUNABLES", "")  # the engine changes it; to add it later is not safe among threads
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments and arguments[0] in COMMANDS:
        from app.cli import main as command_line

        return command_line(arguments)
    if any(argument in ("-h", "--help") for argument in arguments):
        sys.stdout.write(USAGE.format(commands=", ".join(COMMANDS)))
        return 0
    if "--version" in arguments:
        from app import __version__

        sys.stdout.write(f"alcove {__version__}\n")
        return 0
    if arguments == ["--paint-check"]:  # for `alcove doctor --selftest`
        from ui.paint_check import paint_check

        return paint_check()
    return _window(arguments)


def _window(arguments: Sequence[str]) -> int:
    for argument in arguments:
        if argument.startswith("-") or not Path(argument).exists():
            sys.stderr.write(f"alcove: there is no command, file or folder {argument!r}. Try alcove --help.\n")
            return 2
    if not has_display(sys.platform, os.environ):
        sys.stderr.write('alcove: there is no display to open a window on; try: alcove ask "your question"\n')
        return 1
    from ui.shell.application import run_window

    return run_window([str(Path(argument).absolute()) for argument in arguments])


def has_display(platform: str, environment: Mapping[str, str]) -> bool:
    """Whether a window can open: on Linux and its kin something must be there to show it."""
    if platform in ("win32", "darwin"):
        return True
    return any(environment.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"))


if __name__ == "__main__":
    sys.exit(main())
