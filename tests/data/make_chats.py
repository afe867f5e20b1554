"""Makes ``chats/NAME.db.gz`` and ``NAME.json``: a database as one version wrote it, and what that version read in it.

    python tests/data/make_chats.py NAME [--store MODULE]

Each schema that was released is kept so, made by the last program that wrote it: run this in its checkout before the
schema changes. ``--store``: the module that has ``ConversationStore`` there. ``v1`` is of b0f7a5d, where that was
``app.storage.conversations``. The messages named "dead" were being written when their process ended.
"""

import argparse
import gzip
import importlib
import json
import sqlite3
import sys
import tempfile
from contextlib import closing
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path.cwd()))

from app.domain.messages import (
    AttachmentPart,
    Change,
    CitationPart,
    GeneratedSpan,
    GenerationStats,
    Message,
    MessageStatus,
    NotePart,
    Part,
    ReasoningPart,
    Role,
    SourcesPart,
    StopReason,
    TextPart,
    ToolCallPart,
    ToolResultPart,
    ToolStatus,
)
from app.domain.sources import Locator, Source

FOLDER = Path(__file__).resolve().with_name("chats")
STARTED = 1000.0  # of the processes, long ago, so that none of them is alive
SOURCES = SourcesPart(
    (
        Source(1, "/docs/figs.pdf", Locator(page=3), "Figs ripen late."),
        Source(2, "/docs/\udce4.md", Locator(heading="Quinces", line_start=1, line_end=4), "Quinces keep."),
    )
)
ROUNDS: tuple[Part, ...] = (
    SOURCES,
    ReasoningPart("I should count.\n", 1.5, 7),
    ToolCallPart("c1", "calculator", '{"expression": "6*7" }'),
    ToolCallPart("c2", "search", '{"query": "figs"}'),
    ToolResultPart("c1", "calculator", ToolStatus.OK, "42", 0.25),
    ToolResultPart("c2", "search", ToolStatus.DENIED, "The person said no."),
    ReasoningPart("Now I know."),
    TextPart("Forty-two figs [1], NUL \0, half \ud800 pair, 漢字の無花果."),
    CitationPart(1, "/docs/figs.pdf", Locator(page=3), "Figs ripen late."),
    NotePart("malformed-call", "A call could not be read."),
    ToolCallPart("c3", "calculator", '{"expr'),
    ToolResultPart("c3", "calculator", ToolStatus.INCOMPLETE, ""),
)
SPANS = (
    GeneratedSpan(0, "<think>I should count.\n</think>{call}", (0, 1, 2**32 - 1, 70_000), "v1"),
    GeneratedSpan(1, "Forty-two figs \0 無", tuple(range(300)), "v1"),
    GeneratedSpan(2, "", (), "v1"),
)
STATS = GenerationStats(100, 40, 30, 0.5, 0.25, 0.125, "disk", 60, 0.01, 90, 20, Change.TOOLS)
# A newer version's kinds, fields and odd records, as they lie in this version's rows.
NEWER: list[Any] = [
    {"kind": "hologram", "depth": 3},
    {"kind": "text", "text": "Known persimmons", "colour": "red"},
    {"kind": "text", "body": "a text without what this version needs"},
    {"no": "kind"},
    ["a", "list"],
    {"kind": "note", "code": "c", "text": "last", "score": 1e400},
    {"kind": "hologram", "depth": 4, "name": "\ud800é"},
]


def fill(store: Any) -> None:
    garden = store.create(title="Gärten", documents=["/docs", "/odd \udce4"], model="tiny.gguf")
    attached = (AttachmentPart("/docs/\udce4.md", "ä.md", 12), TextPart("How many figs?"))

    def add(name: str, parent: str | None, role: Role, *parts: Part, **values: Any) -> Message:
        message = Message(name, garden.id, parent, role, MessageStatus.COMPLETE, parts, 2000.5, **values)
        store.add_message(message)
        return message

    add("q1", None, Role.USER, *attached)
    add("a1", "q1", Role.ASSISTANT, *ROUNDS, model="tiny.gguf", stop_reason=StopReason.STOP, stats=STATS, spans=SPANS)
    add("a1-again", "q1", Role.ASSISTANT, TextPart("Half an ans"), model="tiny.gguf")
    add("q2", "a1", Role.USER, TextPart("And quinces?"))
    add("q2-edited", "a1", Role.USER, TextPart("And pears?"))
    add("a2", "q2", Role.ASSISTANT)  # nothing came
    add("newer", "q2-edited", Role.ASSISTANT, TextPart("is replaced below"))
    for status, error in ((MessageStatus.FAILED, "It broke. Try again."), (MessageStatus.STOPPED, "")):
        begun = add(f"a-{status}", "q2", Role.ASSISTANT, TextPart(f"{status} plums"), model="tiny.gguf")
        store.reopen(begun.id)
        store.seal(replace(begun, status=status, error=error, stop_reason=StopReason.CANCELLED))
    for number in range(60):  # a line of questions and answers behind it all
        role = (Role.ASSISTANT, Role.USER)[number % 2]
        add(f"deep{number}", f"deep{number - 1}" if number else "q2-edited", role, TextPart(f"apple {number}"))
    growing = Message("dead", garden.id, "q2", Role.ASSISTANT, MessageStatus.STREAMING, (), 3000.0)
    store.add_message(growing)
    for count in (3, 8):  # cut off behind a text
        store.save_streaming(replace(growing, parts=ROUNDS[:count], spans=SPANS[:2], model="tiny.gguf"))
    store.rename(garden.id, "Gardens of mine")
    store.set_active_leaf(garden.id, "a1")
    thrown = store.create(title="Thrown away")
    store.add_message(Message("t", thrown.id, None, Role.USER, MessageStatus.COMPLETE, (TextPart("medlars"),), 1.0))
    store.delete(thrown.id)
    store.create(title="Empty")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name")
    parser.add_argument("--store", default="app.storage.chats.conversations")
    options = parser.parse_args()
    module: Any = importlib.import_module(options.store)
    marks: Any = importlib.import_module(options.store.replace("conversations", "processes"))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "chats.db"
        with closing(module.ConversationStore(path, process=marks.ProcessMark(1, STARTED))) as store:
            fill(store)
        with closing(sqlite3.connect(path)) as raw, raw:
            raw.execute("UPDATE messages SET parts = ? WHERE id = 'newer'", (json.dumps(NEWER),))
            ids = [row[0] for row in raw.execute("SELECT id FROM conversations ORDER BY seq")]
        FOLDER.mkdir(exist_ok=True)
        with gzip.GzipFile(FOLDER / f"{options.name}.db.gz", "wb", mtime=0) as packed:
            packed.write(path.read_bytes())
        with closing(module.ConversationStore(path)) as store:
            read = [
                {"conversation": asdict(store.conversation(each)), "messages": list(map(asdict, store.messages(each)))}
                for each in ids
            ]
    (FOLDER / f"{options.name}.json").write_text(json.dumps(read, indent=1), "utf-8")


if __name__ == "__main__":
    main()
