"""A chat service over the real store, with an engine whose tokens a test releases by hand."""

import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from app.agent.loop import TurnResources
from app.chat.service import ChatService
from app.domain.cancel import CancelToken
from app.domain.commands import ContinueAnswer, RegenerateAnswer, SubmitPrompt
from app.domain.errors import AppError
from app.domain.events import Event, TurnFinished
from app.domain.messages import Conversation, Message, ToolStatus
from app.domain.models import LoadRequest
from app.domain.protocols import DocumentText
from app.domain.settings import Settings
from app.domain.sources import Locator, Passage
from app.domain.tools import Effect, ToolContext, ToolOutcome, ToolSpec
from app.engine.fake import FakeEngine
from app.mailbox import Mailbox, Subscription
from app.responders.local.responder import LocalResources, LocalResponder
from app.responders.protocol import Responder, Tell
from app.storage.chats.conversations import ConversationStore
from app.tools.builtin.calculator import Calculator
from app.tools.fixed import FixedToolset
from app.tools.toolsets import Toolsets

KIMI_CONTROL = (
    "[BOS]",
    "<|eos|>",
    "<|im_end|>",
    "<|im_user|>",
    "<|im_assistant|>",
    "<|im_system|>",
    "<|im_middle|>",
    "<|tool_calls_section_begin|>",
    "<|tool_calls_section_end|>",
    "<|tool_call_begin|>",
    "<|tool_call_argument_begin|>",
    "<|tool_call_end|>",
    "<think>",
    "</think>",
)
CHATML = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def kimi_call(index: int, name: str, arguments: str) -> list[str]:
    """One call as Kimi K2 writes it, in token-like pieces."""
    return [
        "<|tool_calls_section_begin|>",
        "<|tool_call_begin|>",
        f"functions.{name}:{index}",
        "<|tool_call_argument_begin|>",
        *[arguments[i : i + 4] for i in range(0, len(arguments), 4)],
        "<|tool_call_end|>",
        "<|tool_calls_section_end|>",
    ]


class Shelf:
    """Documents that are a list of passages."""

    def __init__(self) -> None:
        self.passages: list[Passage] = []
        self.queries: list[str] = []

    def put(self, path: str, text: str) -> None:
        self.passages.append(Passage(path, Locator(page=len(self.passages) + 1), text, 1.0))

    def search(self, query: str, scope: object, k: int, cancel: CancelToken | None = None) -> list[Passage]:
        self.queries.append(query)
        return self.passages[:k]

    def read(self, path: str, scope: object, start: int, limit: int, cancel: CancelToken | None = None) -> DocumentText:
        text = "".join(passage.text for passage in self.passages if passage.path == path)
        return DocumentText(path, text[start : start + limit], start, len(text))

    def files(self, scope: object, cancel: CancelToken | None = None) -> list[str]:
        return sorted({passage.path for passage in self.passages})


class Stamp:
    """A tool with an effect, which counts how often it ran."""

    spec = ToolSpec(
        "stamp", "Stamp a letter", {"type": "object", "properties": {"text": {"type": "string"}}}, effect=Effect.WRITES
    )

    def __init__(self) -> None:
        self.runs: list[str] = []

    def run(self, arguments: Mapping[str, object], context: ToolContext) -> ToolOutcome:
        self.runs.append(str(arguments["text"]))
        return ToolOutcome(ToolStatus.OK, "stamped")


class FixedClock:
    def __init__(self) -> None:
        self.time = 1_000_000.0

    def now(self) -> float:
        return self.time

    def monotonic(self) -> float:
        return self.time


class Chat:
    """The service and everything around it, with words for what a test does."""

    def __init__(self, home: Path, template: str, control: tuple[str, ...]) -> None:
        self.home = home
        self.mailbox = Mailbox()
        self.inbox: Subscription = self.mailbox.subscribe()
        self.store = ConversationStore(home / "chats.db")
        self.engine = FakeEngine(
            template=template, control_tokens=control, loaded=False, publish=self.mailbox.publish, context=4000
        )
        self.shelf = Shelf()
        self.stamp = Stamp()
        self.tools = Toolsets([FixedToolset("own", [Calculator(), self.stamp])])
        self.clock = FixedClock()
        self.system = "Be brief."
        self.approval = "effects"
        self.constrain_calls = True
        self.model = "/models/kimi.gguf"
        self.missing: AppError | None = None  # instead of a model
        self.service = self._serve()
        self.events: list[Event] = []

    def _serve(self) -> ChatService:
        local = LocalResources(self.engine, self.clock)

        def responder(tell: Tell) -> Responder:
            if self.missing is not None:
                raise self.missing
            return LocalResponder(local, LoadRequest(self.model), tell)

        return ChatService(
            TurnResources(self.store, self.shelf, self.mailbox.publish, self.clock),
            self.tools,
            responder,
            lambda: Settings(system_prompt=self.system, approval=self.approval, constrain_calls=self.constrain_calls),
            self.engine.forget,
        )

    def restart(self) -> None:
        """The program ends and starts again; the engine keeps what it has, as a saved state would."""
        self.service.close()
        self.service = self._serve()

    def conversation(self, *documents: str) -> Conversation:
        return self.store.create(documents=documents)

    def ask(self, conversation: Conversation, text: str, **wishes: object) -> Message:
        """Ask, wait for the end, and return the stored answer."""
        command = SubmitPrompt(conversation.id, text, **wishes)  # type: ignore[arg-type]
        self.service.submit(command)
        self.wait_for(TurnFinished)
        return self.store.message(command.answer_id)

    def start(self, conversation: Conversation, text: str, **wishes: object) -> SubmitPrompt:
        command = SubmitPrompt(conversation.id, text, **wishes)  # type: ignore[arg-type]
        self.service.submit(command)
        return command

    def regenerate(self, answer: Message) -> Message:
        command = RegenerateAnswer(answer.conversation_id, answer.id)
        self.service.regenerate(command)
        self.wait_for(TurnFinished)
        return self.store.message(command.answer_id)

    def go_on(self, answer: Message) -> Message:
        self.service.continue_answer(ContinueAnswer(answer.conversation_id, answer.id))
        self.wait_for(TurnFinished)
        return self.store.message(answer.id)

    def wait_for(self, kind: type[Event], count: int = 1) -> Event:
        """The next event of this kind; everything that came is kept in ``events``."""
        while True:
            batch = self.inbox.wait(20.0)
            assert batch, f"no {kind.__name__} came; there were {self.events}"
            self.events.extend(batch)
            found = [event for event in batch if isinstance(event, kind)]
            if found:
                return found[-1]

    def prompt(self, index: int = -1) -> str:
        return self.engine.detokenize(self.engine.requests[index].prompt)

    def close(self) -> None:
        self.engine.release_all()
        self.service.close()
        self.engine.close()
        self.store.close()


@pytest.fixture
def kimi(tmp_path: Path) -> Iterator[Chat]:
    """A Kimi K2 Thinking model (the shipped model's own template)."""
    template = Path("tests/app/chat/kimi-k2-thinking.jinja").read_text(encoding="utf-8")
    chat = Chat(tmp_path, template, KIMI_CONTROL)
    yield chat
    chat.close()


@pytest.fixture
def plain(tmp_path: Path) -> Iterator[Chat]:
    """A model without tools or reasoning."""
    chat = Chat(tmp_path, CHATML, ("<|eos|>", "<|im_start|>", "<|im_end|>"))
    yield chat
    chat.close()


@pytest.fixture
def speaking(tmp_path: Path) -> Iterator[Callable[[str, tuple[str, ...]], Chat]]:
    """``speaking(template, control)``: a model with that template and these control tokens."""
    with contextlib.ExitStack() as ends:

        def make(template: str, control: tuple[str, ...]) -> Chat:
            chat = Chat(tmp_path, template, control)
            ends.callback(chat.close)
            return chat

        yield make


@pytest.fixture
def make_chat(tmp_path: Path) -> Iterator[Callable[..., Chat]]:
    made: list[Chat] = []

    def make(*, template: str, control: tuple[str, ...]) -> Chat:
        made.append(Chat(tmp_path, template, control))
        return made[-1]

    yield make
    for chat in made:
        chat.close()


@pytest.fixture
def call() -> object:
    return kimi_call


@pytest.fixture
def threads_before() -> set[threading.Thread]:
    return set(threading.enumerate())
