"""What it costs to save an answer while it grows: at its 300th tool call against its third one.

    python tests/bench/saving.py [--json OUT] [--answers N] [--messages N]

A call is reasoning that grows over two saves, the call itself and its result, each with the round's tokens so far: four
saves, as the agent makes them. Counted are CPU time of the store thread and bytes written to the write-ahead log, both
a save, as medians over the five calls around the third and the last five. The goal is a ratio of about 1. Then what
it costs to seal that answer and to read it, and how long a database of the first schema takes to become one of today's.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from app.domain.messages import (
    GeneratedSpan,
    Message,
    MessageStatus,
    Part,
    ReasoningPart,
    Role,
    StopReason,
    TextPart,
    ToolCallPart,
    ToolResultPart,
    ToolStatus,
)
from app.storage.chats.conversations import ConversationStore
from app.storage.chats.schema import CHATS
from app.storage.database import open_database

CALLS = 300
FEW = range(1, 6)
MANY = range(CALLS - 4, CALLS + 1)
GOAL = 1.25  # times the cost at the third call
TOKENS = 300  # that the model writes in a round
TEXT = "The sea is wide, and a ship that left its port last night has seen no land since then. "


@dataclass(frozen=True, slots=True)
class Save:
    """Of one save: microseconds of CPU, and bytes added to the write-ahead log."""

    call: int
    us: float
    wal_bytes: float


def grown(begun: Message, number: int) -> Iterator[Message]:
    """``begun`` with a call more, in the four states that are saved."""
    half, whole = (
        replace(
            begun,
            parts=(*begun.parts, ReasoningPart(TEXT * length, 0.5, 20 * length)),
            spans=(*begun.spans, GeneratedSpan(number, TEXT * length, tuple(range(TOKENS * length // 12)), "v")),
        )
        for length in (6, 12)
    )
    yield half
    yield whole
    called = replace(whole, parts=(*whole.parts, ToolCallPart(f"c{number}", "search", '{"query": "a ship at sea"}')))
    yield called
    result = ToolResultPart(f"c{number}", "search", ToolStatus.OK, TEXT * 24, 0.1)
    yield replace(called, parts=(*called.parts, result))


class Answer:
    """One answer of many calls, in a store of its own."""

    def __init__(self, path: Path) -> None:
        self._store = ConversationStore(path)
        self._log = path.with_name(path.name + "-wal")
        conversation = self._store.create(title="A long errand")
        self._message = Message("a", conversation.id, None, Role.ASSISTANT, MessageStatus.STREAMING, (), 1.0)
        self._store.add_message(self._message)

    def call(self, number: int) -> Save:
        # The log starts anew, so that its length tells what was written.
        self._store._writer._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        states = list(grown(self._message, number))
        begun = self._cpu()
        for self._message in states:
            self._store.save_streaming(self._message)
            ended = self._cpu()  # waits, so that no save is replaced by the next
        return Save(number, 1e6 * (ended - begun) / len(states), self._log.stat().st_size / len(states))

    def seal(self) -> float:
        """Milliseconds of CPU."""
        whole = replace(self._message, status=MessageStatus.COMPLETE, stop_reason=StopReason.STOP)
        begun = self._cpu()
        self._store.seal(replace(whole, parts=(*whole.parts, TextPart(TEXT * 12))))
        return 1e3 * (self._cpu() - begun)

    def read(self) -> float:
        """Milliseconds of CPU."""
        begun = time.thread_time()
        self._store.message("a")
        return 1e3 * (time.thread_time() - begun)

    def close(self) -> None:
        self._store.close()

    def _cpu(self) -> float:
        return self._store._writer.run(lambda _connection: time.thread_time())


def saved(answers: int) -> tuple[list[Save], dict[str, float]]:
    saves: list[Save] = []
    seals, reads = [], []
    for _ in range(answers):
        with tempfile.TemporaryDirectory() as folder, closing(Answer(Path(folder) / "chats.db")) as answer:
            saves += [answer.call(number) for number in range(1, CALLS + 1)]
            seals.append(answer.seal())
            reads.append(statistics.median(answer.read() for _ in range(5)))
    return saves, {"seal_ms": statistics.median(seals), "read_ms": statistics.median(reads)}


def median(saves: list[Save], calls: range, value: Callable[[Save], float]) -> float:
    return statistics.median(value(save) for save in saves if save.call in calls)


def first_schema(path: Path, messages: int) -> None:
    """A database as the first version wrote it: one message of twenty is an answer of 30 calls."""
    part = {"kind": "text", "text": TEXT * 12}
    calls: list[Part] = []
    for number in range(30):
        *_, last = grown(Message("a", "c", None, Role.ASSISTANT, MessageStatus.STREAMING, (), 1.0), number)
        calls += last.parts
    kinds = {ReasoningPart: "reasoning", ToolCallPart: "tool_call", ToolResultPart: "tool_result"}
    errand = [*({"kind": kinds[type(part)], **asdict(part)} for part in calls), part]
    with closing(open_database(path, CHATS[:1], backup=False)) as connection:
        connection.execute("BEGIN")
        for number in range(messages):
            conversation, parts = f"c{number // 20}", errand if number % 20 == 19 else [part]
            if number % 20 == 0:
                connection.execute(
                    "INSERT INTO conversations (id, title, created, updated) VALUES (?, 'chat', 1, 1)", (conversation,)
                )
            connection.execute(
                "INSERT INTO messages (id, conversation_id, role, status, parts, created)"
                " VALUES (?, ?, 'assistant', 'complete', ?, 1)",
                (f"m{number}", conversation, json.dumps(parts, separators=(",", ":"))),
            )
            connection.execute("INSERT INTO message_index (rowid, text) VALUES (?, ?)", (number + 1, part["text"]))
            connection.execute("INSERT INTO spans VALUES (?, 0, 0, ?, ?, 'v')", (f"m{number}", TEXT * 12, b"\0" * 1200))
        connection.execute("COMMIT")


def migrated(messages: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "chats.db"
        first_schema(path, messages)
        before = path.stat().st_size
        begun, cpu = time.perf_counter(), time.process_time()
        ConversationStore(path).close()
        seconds, cpu = time.perf_counter() - begun, time.process_time() - cpu
        megabytes = (before / 1e6, path.stat().st_size / 1e6)
    return {"messages": messages, "seconds": seconds, "cpu_s": cpu, "mb_before": megabytes[0], "mb_after": megabytes[1]}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--answers", type=int, default=5)
    parser.add_argument("--messages", type=int, default=10_000, help="in the database of the first schema")
    options = parser.parse_args()
    saves, whole = saved(options.answers)
    rows = []
    for name, calls in (("third", FEW), ("last", MANY)):
        us, written = median(saves, calls, lambda save: save.us), median(saves, calls, lambda save: save.wal_bytes)
        rows.append({"at": name, "us": us, "wal_bytes": written})
        print(f"around the {name:5} call: {us:7.0f} us of CPU and {written:9.0f} bytes a save", flush=True)
    ratios = {key: rows[1][key] / rows[0][key] for key in ("us", "wal_bytes")}
    print(f"the answer of {CALLS} calls: sealed in {whole['seal_ms']:.1f} ms, read in {whole['read_ms']:.1f} ms of CPU")
    migration = migrated(options.messages)
    summary = (
        f"a save at call {CALLS}: {ratios['us']:.2f} times the CPU and {ratios['wal_bytes']:.2f} times the bytes of one"
        f" at call 3 (goal {GOAL}); {options.messages} messages migrated in {migration['seconds']:.1f} s"
    )
    print(summary)
    if options.json:
        report = {"goal": GOAL, "summary": summary, "ratios": ratios, "rows": rows, **whole, "migration": migration}
        options.json.write_text(json.dumps(report, indent=2), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
