"""The command line: a second front end, without a window. One file a command; this one joins them.

Every command takes ``--json`` and then answers in JSON Lines. Errors go to standard error as one sentence, exit 1; bad
usage exits 2. Runs on the main thread; a command imports what it needs when it runs, so ``alcove --help`` is quick.
"""

import argparse
import contextlib
import importlib
import logging
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from app.diagnostics.log import EVERYTHING, chosen_categories, logging_to
from app.diagnostics.uncaught import uncaught_logged
from app.domain.errors import REPORT, AppError
from app.storage.paths import Paths

log = logging.getLogger(__name__)

COMMANDS = {
    "ask": "ask a question, about your documents if you like",
    "search": "find passages in your documents",
    "models": "what is in the library, on the Hub, and the way from one to the other",
    "plan": "where a model would go on this machine or another, and how fast it would be",
    "bench": "how fast a model reads and writes on this machine",
    "export": "a conversation as Markdown, JSON or a page",
    "settings": "what is set, and what else could be",
    "doctor": "what was found on this machine, and what is missing",
    "parse": "read a model's raw output: reasoning, text, tool calls",
    "render": "the exact prompt text that a chat template makes of messages",
}


def main(argv: Sequence[str]) -> int:
    """Run one command and return the exit status."""
    _utf8()
    arguments = _parsed(argv)
    try:
        debug = chosen_categories(EVERYTHING if arguments.verbose else arguments.debug) if _debugs(arguments) else ()
    except AppError as error:
        print(f"alcove: {error}", file=sys.stderr)
        return 2
    logs = Paths.default(os.environ).logs
    with logging_to(logs, debug, loud=logging.CRITICAL) as path, uncaught_logged():
        return _run(arguments, path)


def _parsed(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="alcove", description="A chat for thinking models, on your own machine.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    name = next((word for word in argv if not word.startswith("-")), None)
    for command, summary in COMMANDS.items():
        sub = commands.add_parser(command, help=summary, description=summary)
        sub.add_argument("-v", "--verbose", action="store_true", help="the same as --debug")
        sub.add_argument("--debug", metavar="CATEGORY,...", help="say on standard error, and in the log, what happens")
        if command == name:
            module = importlib.import_module(f"app.cli.{command}")
            module.configure(sub)
            sub.set_defaults(run=module.run)
    return parser.parse_args(with_whole_debug(argv))


def with_whole_debug(argv: Sequence[str]) -> list[str]:
    """With its value after a ``--debug`` that has none: argparse would take the next word for it."""
    end = list(argv).index("--") if "--" in argv else len(argv)
    options = [f"--debug={EVERYTHING}" if word == "--debug" else word for word in argv[:end]]
    return [*options, *argv[end:]]


def _debugs(arguments: argparse.Namespace) -> bool:
    return arguments.verbose or arguments.debug is not None


def _run(arguments: argparse.Namespace, log_file: Path) -> int:
    previous = signal.getsignal(signal.SIGINT)
    log.debug("alcove %s", arguments.command)
    try:
        return int(arguments.run(arguments))
    except AppError as error:
        print(f"alcove: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        # Whoever read the output has seen enough (`alcove ask ... | head`).
        with contextlib.suppress(OSError):
            sys.stdout.close()
        return 1
    except KeyboardInterrupt:
        return 130
    except Exception as bug:
        log.exception("alcove %s failed", arguments.command)
        what = f"Something went wrong in the program itself ({type(bug).__name__})."
        print(f"alcove: {what} {REPORT} The log is {log_file}.", file=sys.stderr)
        return 1
    finally:
        signal.signal(signal.SIGINT, previous)


def _utf8() -> None:
    """Answers hold any character; a C locale or an old console must not end the command."""
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(encoding="utf-8", errors="replace")
