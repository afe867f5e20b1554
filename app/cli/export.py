"""``alcove export``: a conversation as Markdown, JSON or a self-contained page, on standard output."""

import argparse
import os
import sys

from app.chat.export import export
from app.domain.errors import AppError
from app.storage.chats.conversations import ConversationStore
from app.storage.paths import Paths


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("conversation", metavar="CONVERSATION", help="its id, or the beginning of its title")
    parser.add_argument("--format", choices=("md", "json", "html"), default="md")
    parser.add_argument("--json", dest="format", action="store_const", const="json", help="the same as --format json")


def run(arguments: argparse.Namespace) -> int:
    store = ConversationStore(Paths.default(os.environ).chats_db)
    try:
        conversation_id = _find(store, arguments.conversation)
        conversation = store.conversation(conversation_id)
        history = store.history(conversation.active_leaf) if conversation.active_leaf else []
        sys.stdout.write(export(conversation, history, arguments.format).rstrip("\n") + "\n")
    finally:
        store.close()
    return 0


def _find(store: ConversationStore, wanted: str) -> str:
    conversations = store.conversations()
    found = [one.id for one in conversations if one.id == wanted]
    found = found or [one.id for one in conversations if one.title.casefold().startswith(wanted.casefold())]
    if len(found) != 1:
        raise AppError(
            "conversation-not-found",
            "{count} conversations are called “{wanted}”.",
            "Give the id of one; the finished event of alcove ask --json names it.",
            count=len(found) or "No",
            wanted=wanted,
        )
    return found[0]
