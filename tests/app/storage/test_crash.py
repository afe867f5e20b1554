"""What is left after ``kill -9`` in the middle of an answer."""

import json
import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from app.domain.messages import MessageStatus, ReasoningPart, TextPart
from app.storage.chats.conversations import ConversationStore
from app.storage.chats.processes import is_alive, this_process

ROOT = Path(__file__).resolve().parents[3]

CHILD = """
import dataclasses, itertools, json, sys
from pathlib import Path
from app.domain.messages import Message, MessageStatus, ReasoningPart, Role, TextPart
from app.storage.chats.conversations import ConversationStore

store = ConversationStore(Path(sys.argv[1]))
conversation = store.create(title="crash")
question = Message("q", conversation.id, None, Role.USER, MessageStatus.COMPLETE, (TextPart("why?"),), 1.0)
answer = Message("a", conversation.id, "q", Role.ASSISTANT, MessageStatus.STREAMING, (), 2.0)
store.add_message(question)
store.add_message(answer)
for n in itertools.count():
    parts = (ReasoningPart("so"), TextPart("word " * (n + 1)))
    store.save_streaming(dataclasses.replace(answer, parts=parts))
    store.set_model(conversation.id, str(n))  # waits, so that every number said is on disk
    print(n, flush=True)
"""


@pytest.mark.timeout(60)
def test_kill_9_loses_nothing_that_was_saved(chats_db: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", CHILD, str(chats_db)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as child:
        assert child.stdout is not None
        said = -1
        for line in child.stdout:
            said = int(line)
            if said == 20:
                with closing(ConversationStore(chats_db)) as beside:  # a second process on the same file
                    assert beside.recover() == []
                    assert beside.message("a").status is MessageStatus.STREAMING
                child.kill()
    assert said >= 20
    with closing(ConversationStore(chats_db)) as store:
        assert store.recover() == ["a"]
        question, answer = store.history("a")
        assert question.text() == "why?"
        assert answer.status is MessageStatus.INTERRUPTED
        assert answer.parts[0] == ReasoningPart("so")
        assert isinstance(answer.parts[1], TextPart)
        assert answer.text().count("word") >= said + 1
        assert [c.title for c, _ in store.search("why")] == ["crash"]


def test_a_reused_process_number_is_not_the_process(tmp_path: Path) -> None:
    me = this_process()
    assert is_alive(me)
    assert not is_alive(me._replace(started=me.started - 60))
    child = subprocess.run(  # ended and waited for
        [
            sys.executable,
            "-c",
            "import json, psutil; p = psutil.Process(); print(json.dumps([p.pid, p.create_time()]))",
        ],
        capture_output=True,
        check=True,
        text=True,
    )
    pid, started = json.loads(child.stdout)
    assert not is_alive(me._replace(pid=pid, started=started))
