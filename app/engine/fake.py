"""An engine without a model, for the tests of other rooms: scripted answers whose tokens are released by hand."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath

from app.domain.cancel import CancelToken
from app.domain.errors import AppError
from app.domain.events import EngineDied, ModelLoaded, ModelLoading, ModelUnloaded
from app.domain.messages import GenerationStats, StopReason
from app.domain.models import LoadRequest, ModelInfo, PromptText, TokenPiece
from app.domain.placement import AS_PLANNED, Speed, Tuning
from app.domain.protocols import Publish
from app.engine.prefix import common_prefix
from app.engine.protocol import EngineEvent, Finished, GenerationRequest, Prefill, Queued, Tokens
from app.engine.stops import StopScanner

CHARACTERS = 10_000  # id of the character c is CHARACTERS + ord(c)
WORDS = CHARACTERS + 0x110000  # scripted pieces of several characters follow from here
DEFAULT_CONTROL = ("<|eos|>", "<|im_start|>", "<|im_end|>", "<think>", "</think>", "<tool_call>", "</tool_call>")

Matches = Callable[[GenerationRequest], bool]


@dataclass(slots=True)
class _Script:
    pieces: tuple[str, ...]
    auto: bool
    stop_reason: StopReason
    when: Matches | None
    error: AppError | None  # raised after the pieces instead of Finished
    dies: bool  # the process is gone after the pieces


class FakeEngine:
    """An `Engine` (app.engine.protocol) that says what a test wrote down.

    Tokenizer: one token per character; with ``special`` the control tokens count as one each. A scripted piece is one
    token whatever its length, so that generated ids differ from tokenized text as they do in real vocabularies;
    ``detokenize`` reads both. A scripted piece that is exactly the text of a control token is that token.

    ``requests``, ``loads``, ``tokenized`` and ``was_read_ahead`` (tokens, conversation) record what was asked. Any
    method may be called from any thread.
    """

    def __init__(
        self,
        *,
        template: str = "",
        control_tokens: Sequence[str] = DEFAULT_CONTROL,
        context: int = 4096,
        auto: bool = True,
        publish: Publish | None = None,
        loaded: bool = True,
        default: Sequence[str] | None = None,
    ) -> None:
        """An engine for one test.

        ``auto``: scripts run without ``release`` unless they say otherwise.
        ``loaded``: a model is there from the start.
        ``default``: the answer to a request that no script matches (else AssertionError).
        """
        self.requests: list[GenerationRequest] = []
        self.loads: list[LoadRequest] = []
        self.tokenized: list[tuple[PromptText, ...]] = []
        self.template = template
        self.context = context
        self.forgotten: list[str] = []
        self.was_read_ahead: list[tuple[tuple[int, ...], str]] = []
        self.closed = False
        self.vocabulary = "fake-vocabulary"
        self._control = {text: index for index, text in enumerate(control_tokens)}
        self._control_texts = sorted(self._control, key=len, reverse=True)
        self._words: list[str] = []
        self._auto = auto
        self._publish: Publish = publish if publish is not None else _nobody
        self._default = tuple(default) if default is not None else None
        self._scripts: list[_Script] = []
        self._changed = threading.Condition()
        self._released = 0
        self._waiting = 0
        self._turns: list[object] = []  # callers in order; the first one generates
        self._load_error: AppError | None = None
        self._cache: tuple[int, ...] = ()
        self._request = LoadRequest(path="/models/fake.gguf")
        self._dead = False
        self._model: ModelInfo | None = self._describe(self._request) if loaded else None

    # What a test does.

    def script(
        self,
        pieces: Sequence[str],
        *,
        auto: bool | None = None,
        stop_reason: StopReason = StopReason.STOP,
        when: Matches | None = None,
        error: AppError | None = None,
        dies: bool = False,
    ) -> None:
        """Write down the next answer, one token per piece.

        Scripts are used in order; one with ``when`` only for a request that it accepts, before those without.
        """
        with self._changed:
            chosen = self._auto if auto is None else auto
            self._scripts.append(_Script(tuple(pieces), chosen, stop_reason, when, error, dies))

    def release(self, count: int = 1) -> None:
        """Let ``count`` more tokens out of scripts that wait for it. After its last one an answer ends by itself."""
        with self._changed:
            self._released += count
            self._changed.notify_all()

    def release_all(self) -> None:
        """From now on nothing waits."""
        with self._changed:
            self._auto = True
            for script in self._scripts:
                script.auto = True
            self._released = 1 << 60
            self._changed.notify_all()

    def wait_until_waiting(self, timeout: float = 10.0) -> bool:
        """Wait until a generation stands before a token that nobody has released; False after ``timeout`` seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: self._waiting > 0 and self._released == 0, timeout)

    def fail_next_load(self, error: AppError) -> None:
        self._load_error = error

    def detokenize(self, ids: Sequence[int]) -> str:
        texts = {index: text for text, index in self._control.items()}
        return "".join(
            self._words[i - WORDS] if i >= WORDS else chr(i - CHARACTERS) if i >= CHARACTERS else texts[i] for i in ids
        )

    # The Engine protocol.

    @property
    def model(self) -> ModelInfo | None:
        return self._model

    def load(self, request: LoadRequest, cancel: CancelToken | None = None) -> ModelInfo:
        if cancel is not None:
            cancel.raise_if_cancelled()
        if self._model is not None and request == self._request:
            return self._model
        self.loads.append(request)
        name = PurePath(request.path).stem
        self._publish(ModelLoading(request.path, name, 0.0))
        if self._load_error is not None:
            error, self._load_error = self._load_error, None
            self._model = None
            raise error
        self._request, self._dead, self._cache = request, False, ()
        self._model = self._describe(request)
        self._publish(ModelLoaded(self._model))
        return self._model

    def unload(self) -> None:
        if self._model is not None:
            path, self._model = self._model.path, None
            self._publish(ModelUnloaded(path))

    def tokenize(self, texts: Sequence[PromptText], *, add_special: bool = False) -> list[tuple[int, ...]]:
        del add_special  # this vocabulary wants no BOS
        self._wake()
        self.tokenized.append(tuple(texts))
        return [self._ids(text) for text in texts]

    def generate(self, request: GenerationRequest, cancel: CancelToken) -> Iterator[EngineEvent]:
        started = time.monotonic()
        model = self._wake()
        if len(request.prompt) >= model.context:
            raise AppError(
                "prompt-too-long",
                "The prompt has {tokens} tokens, more than the context of {context}.",
                "Start a new chat or choose a larger context.",
                tokens=len(request.prompt),
                context=model.context,
            )
        forget = cancel.on_cancel(self._notify)
        ticket = object()
        with self._changed:
            self._turns.append(ticket)
            ahead = len(self._turns) - 1
        try:
            if ahead:
                yield Queued(ahead)
            with self._changed:
                self._changed.wait_for(lambda: self._turns[0] is ticket or cancel.cancelled)
            yield from self._answer(request, cancel, model.context, started)
        finally:
            forget()
            with self._changed:
                self._turns.remove(ticket)
                self._changed.notify_all()

    def with_learned(self, request: LoadRequest) -> LoadRequest:
        return request

    def read_ahead(self, prompt: tuple[int, ...], conversation: str) -> None:
        self.was_read_ahead.append((prompt, conversation))

    def tune(self, request: LoadRequest, cancel: CancelToken) -> Tuning:
        """One placement is as good as another."""
        self.load(request, cancel)
        return Tuning(PurePath(request.path).stem, AS_PLANNED, (Speed(AS_PLANNED.what, 100.0, 10.0),), 0.0)

    def tune_in_idle_time(self, request: LoadRequest, cancel: CancelToken) -> Tuning | None:
        del request, cancel
        return None

    def forget(self, conversation: str) -> None:
        self.forgotten.append(conversation)

    def close(self) -> None:
        self.closed = True
        self._model = None
        self.release_all()

    # Inside.

    def _answer(
        self, request: GenerationRequest, cancel: CancelToken, context: int, started: float
    ) -> Iterator[EngineEvent]:
        if cancel.cancelled:
            yield Finished(StopReason.CANCELLED, GenerationStats(prompt_tokens=len(request.prompt)))
            return
        with self._changed:
            script = self._take(request)
            self.requests.append(request)
        total = len(request.prompt)
        cached = min(common_prefix(self._cache, request.prompt), total - 1)
        yield Prefill(cached, total, cached)
        yield Prefill(total, total, cached)
        prefilled = time.monotonic()
        limit = min(context if request.max_tokens is None else request.max_tokens, context - total)
        scanner = StopScanner(request.stop)
        made: list[int] = []
        reason = script.stop_reason
        first = 0.0
        for text in script.pieces:
            if len(made) >= limit:
                reason = StopReason.LENGTH if limit == request.max_tokens else StopReason.CONTEXT_FULL
                break
            if not self._may_go(script, cancel):
                reason = StopReason.CANCELLED
                break
            first = first or time.monotonic() - started
            made.append(self._word(text))
            certain, stopped = scanner.feed(TokenPiece(made[-1], text, text in self._control))
            if certain:
                yield Tokens(tuple(certain))
            if stopped:
                reason = StopReason.STOP
                break
        rest = scanner.flush()
        if rest:
            yield Tokens(tuple(rest))
        self._cache = (*request.prompt, *made)
        if reason is not StopReason.CANCELLED:
            self._maybe_fail(script)
        stats = GenerationStats(total, cached, len(made), prefilled - started, time.monotonic() - prefilled, first)
        eog = self._control.get("<|im_end|>") if reason is StopReason.STOP else None
        yield Finished(reason, stats, eog)

    def _maybe_fail(self, script: _Script) -> None:
        if script.dies:
            model, self._model, self._dead, self._cache = self._model, None, True, ()
            error = AppError(
                "engine-died", "The engine stopped unexpectedly.", "It starts again with your next message."
            )
            self._publish(EngineDied(model.path if model else "", error.info))
            raise error
        if script.error is not None:
            raise script.error

    def _take(self, request: GenerationRequest) -> _Script:
        for chosen in (True, False):
            for script in self._scripts:
                if (script.when is not None) is chosen and (script.when is None or script.when(request)):
                    self._scripts.remove(script)
                    return script
        assert self._default is not None, f"no script for this request: {self.detokenize(request.prompt)!r}"
        return _Script(self._default, True, StopReason.STOP, None, None, False)

    def _may_go(self, script: _Script, cancel: CancelToken) -> bool:
        """Wait for a release; False where the person stopped it."""
        with self._changed:
            if not script.auto:
                self._waiting += 1
                self._changed.notify_all()
                self._changed.wait_for(lambda: self._released > 0 or cancel.cancelled)
                self._waiting -= 1
                if not cancel.cancelled:
                    self._released -= 1
            return not cancel.cancelled

    def _wake(self) -> ModelInfo:
        """The model; loaded again, one rung safer, after the process died."""
        if self._model is None and self._dead:
            return self.load(replace(self._request, rung=self._request.rung + 1))
        if self._model is None:
            raise AppError("no-model", "No model is loaded.", "Choose a model first.")
        return self._model

    def _notify(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def _word(self, text: str) -> int:
        if text in self._control:
            return self._control[text]
        if len(text) == 1:
            return CHARACTERS + ord(text)
        if text not in self._words:
            self._words.append(text)
        return WORDS + self._words.index(text)

    def _ids(self, prompt: PromptText) -> tuple[int, ...]:
        ids: list[int] = []
        at = 0
        while at < len(prompt.text):
            marker = ""
            if prompt.special:
                marker = next((text for text in self._control_texts if prompt.text.startswith(text, at)), "")
            ids.append(self._control[marker] if marker else CHARACTERS + ord(prompt.text[at]))
            at += len(marker) or 1
        return tuple(ids)

    def _describe(self, request: LoadRequest) -> ModelInfo:
        return ModelInfo(
            name=PurePath(request.path).stem,
            path=request.path,
            architecture="fake",
            description="fake",
            size=1_000_000,
            parameters=1_000_000,
            context=request.context or self.context,
            context_trained=self.context,
            template=self.template,
            vocabulary=self.vocabulary,
            vocabulary_size=WORDS,
            bos="",
            eos="<|eos|>",
            add_bos=False,
            eog_ids=frozenset(self._control[text] for text in ("<|eos|>", "<|im_end|>") if text in self._control),
            control_tokens=dict(self._control),
            devices=("CPU",),
        )


def _nobody(event: object) -> None:
    """Where nobody listens."""
