"""The command line: a second front end, without a window. One file a command; this one joins them.

Every command takes ``--json`` and then answers in JSON Lines. Errors go to standard error as one sentence, exit 1; bad
usage exits 2. Runs on the main thread; a command imports what it needs when it runs, so ``alcove --help`` is quick.
"""

import argparse
import contextlib
import importlib
import logging
import signal
import sys
from collections.abc import Sequence

from app.domain.errors import AppError

COMMANDS = {
    "ask": "ask a question, about your documents if you like",
    "search": "find passages in your documents",
    "models": "what is in the library, on the Hub, and the way from one to the other",
    "plan": "where a model would go on this machine or another, and how fast it would be",
    "bench": "how fast a model reads and writes on this machine",
    "export": "a conversation as Markdown, JSON or a page",
    "doctor": "what was found on this machine, and what is missing",
    "parse": "read a model's raw output: reasoning, text, tool calls",
    "render": "the exact prompt text that a chat template makes of messages",
}


def main(argv: Sequence[str]) -> int:
    """Run one command and return the exit status."""
    parser = argparse.ArgumentParser(prog="alcove", description="A chat for thinking models, on your own machine.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    name = next((word for word in argv if not word.startswith("-")), None)
    for command, summary in COMMANDS.items():
        sub = commands.add_parser(command, help=summary, description=summary)
        sub.add_argument("-v", "--verbose", action="store_true", help="say on standard error what happens")
        if command == name:
            module = importlib.import_module(f"app.cli.{command}")
            module.configure(sub)
            sub.set_defaults(run=module.run)
    arguments = parser.parse_args(argv)
    level = logging.DEBUG if arguments.verbose else logging.CRITICAL
    logging.basicConfig(level=level, format="%(name)s: %(message)s", stream=sys.stderr)
    return _run(arguments)


def _run(arguments: argparse.Namespace) -> int:
    _utf8()
    previous = signal.getsignal(signal.SIGINT)
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
    finally:
        signal.signal(signal.SIGINT, previous)


def _utf8() -> None:
    """Answers hold any character; a C locale or an old console must not end the command."""
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(encoding="utf-8", errors="replace")
