"""``alcove render``: the exact text that a template makes of a conversation."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from app.domain.errors import AppError
from app.formats import detect
from app.formats.templates.template import ChatTemplate


def configure(parser: argparse.ArgumentParser) -> None:
    parser.description = "Print the exact prompt that a chat template makes of a conversation."
    parser.add_argument("--template", required=True, metavar="FILE", help="Jinja source of the chat template")
    parser.add_argument("--messages", required=True, metavar="FILE", help="messages in OpenAI form, as JSON")
    parser.add_argument("--tools", metavar="FILE", help="tool definitions in OpenAI form, as JSON")
    think = parser.add_mutually_exclusive_group()
    think.add_argument("--think", dest="think", action="store_true", default=None, help="switch reasoning on")
    think.add_argument("--no-think", dest="think", action="store_false", help="switch reasoning off")
    parser.add_argument("--effort", metavar="WORD", help="how much to reason, in the template's words")
    parser.add_argument("--bos", default="", metavar="TEXT", help="spelling of the beginning-of-sequence token")
    parser.add_argument("--eos", default="", metavar="TEXT", help="spelling of the end-of-sequence token")
    parser.add_argument("--no-generation-prompt", action="store_true", help="end after the last message")
    parser.add_argument("--as-is", action="store_true", help="do not replace a template that is known to be broken")
    parser.add_argument("--json", action="store_true", help='print {"prompt": ...} instead of the bare text')


def run(args: argparse.Namespace) -> int:
    source = _read(args.template)
    template = ChatTemplate(source, bos=args.bos, eos=args.eos, mend=not args.as_is)
    text = template.render(
        _list(args.messages, "messages"),
        _list(args.tools, "tools") if args.tools else None,
        think=args.think,
        effort=args.effort,
        generation_prompt=not args.no_generation_prompt,
        format=detect(source),
    )
    sys.stdout.write(json.dumps({"prompt": text}) + "\n" if args.json else text)
    return 0


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise AppError(
            "file-unreadable", "The file {path} cannot be read.", "Check the path.", path=path, detail=str(error)
        ) from None


def _list(path: str, key: str) -> list[dict[str, Any]]:
    """A list of objects, bare or under ``key``."""
    try:
        found = json.loads(_read(path))
    except ValueError as error:
        raise AppError(
            "not-json", "The file {path} is not JSON.", "Check the file.", path=path, detail=str(error)
        ) from None
    if isinstance(found, dict):
        found = found.get(key)
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        raise AppError(
            "not-a-list", "The file {path} is not a list of {key}.", "Give a JSON list of objects.", path=path, key=key
        )
    for item in found:
        if key == "messages" and not isinstance(item.get("role"), str):
            raise AppError("no-role", "A message in {path} has no role.", "Give every message a role.", path=path)
    return found
