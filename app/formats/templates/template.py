"""Chat templates: the exact text that a model is prompted with.

A template is asked in the form it was most likely written for, and again in plainer forms where it refuses or silently
drops something: arguments as text, no system message, no tool messages. Runs on the calling thread.
"""

import logging
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from itertools import islice
from typing import Any, Protocol

from jinja2.exceptions import TemplateError

from app.domain.errors import AppError
from app.formats.family import Thinking
from app.formats.protocol import ChatFormat
from app.formats.templates import messages as shapes
from app.formats.templates.budget import Budget, TooMuch
from app.formats.templates.mended import mended
from app.formats.templates.sandbox import Refused, Sandbox

_log = logging.getLogger(__name__)

MAX_SOURCE = 256 * 1024
_BAD_FORMAT = re.compile(r"\d{2,}")

FALLBACK = (
    "{{ bos_token }}{% for message in messages %}"
    "{% if message.content %}{{ message.content }}\n\n{% endif %}{% endfor %}"
)
"""For models without a template (base models): the texts, a blank line after each."""


class _Render(Protocol):
    def __call__(
        self, messages: Sequence[Mapping[str, Any]], *, skip: int = 0
    ) -> Iterator[tuple[int, str | AppError]]: ...


class ChatTemplate:
    """One model's template. May be used from several threads: all that it remembers is which forms are no use.

    ``mend``: use the mended version where the original is known to be wrong (``source`` is then the mended text).
    Raises AppError ``template-invalid`` where ``source`` is no template at all.
    """

    def __init__(
        self, source: str, *, bos: str = "", eos: str = "", now: Callable[[], datetime] | None = None, mend: bool = True
    ) -> None:
        self.source = mended(source) if mend else source
        self._text = self.source if source.strip() else FALLBACK
        self._tokens = {"bos_token": bos, "eos_token": eos}
        self._now = now or datetime.now
        self._sandbox = Sandbox()
        self._sandbox.globals["strftime_now"] = self._strftime_now
        if len(self._text) > MAX_SOURCE:
            raise _invalid("it is too long")
        try:
            self._template = self._sandbox.from_string(self._text)
        except TemplateError as error:
            raise _invalid(str(error)) from None
        except (RecursionError, MemoryError, SyntaxError, OverflowError, ValueError) as error:
            raise _invalid(type(error).__name__) from None
        self._hopeless: dict[tuple[shapes.Kind, bool, bool | None], int] = {}  # forms, by what is asked

    def render(
        self,
        messages: Sequence[Mapping[str, Any]],
        tools: Sequence[dict[str, object]] | None,
        *,
        think: bool | None = None,
        effort: str | None = None,
        generation_prompt: bool = True,
        format: ChatFormat | None = None,  # noqa: A002 - the word for it
    ) -> str:
        """The prompt for ``messages`` (OpenAI form; reasoning under ``reasoning_content``).

        ``think``: reasoning on or off, None for the template's own default. ``effort``: how much of it, in the
        template's words. Raises AppError ``template-failed``, ``template-refused`` or ``template-limit``.
        """
        values = {**self._tokens, "add_generation_prompt": generation_prompt}
        return self._render(messages, tools, format, think=think, effort=effort, values=values)

    def _render(
        self,
        messages: Sequence[Mapping[str, Any]],
        tools: Sequence[dict[str, object]] | None,
        format: ChatFormat | None,  # noqa: A002 - the field's own word
        *,
        think: bool | None,
        effort: str | None,
        values: dict[str, Any],
    ) -> str:
        told = Thinking().variables if format is None else format.variables
        values = {**values, **told(think=think, effort=effort)}
        render = partial(self._forms, tools=tools, format=format, think=think, values=values)
        kind = (shapes.Kind.of(messages), not tools, think)
        first: AppError | None = None
        kept: str | None = None
        budget = Budget()
        for index, found in render(messages, skip=self._hopeless.get(kind, 0)):
            if isinstance(found, AppError):
                first = first or found
                budget.check_time()
            elif shapes.says_all(found, messages):
                if index and kind not in self._hopeless:
                    self._hopeless[kind] = self._count_hopeless(render, kind[0])
                return found
            elif kept is None:
                kept = found
        if kept is not None:
            return kept
        assert first is not None
        raise first

    def _forms(
        self,
        messages: Sequence[Mapping[str, Any]],
        *,
        tools: Sequence[dict[str, object]] | None,
        format: ChatFormat | None,  # noqa: A002 - the field's own word
        think: bool | None,
        values: Mapping[str, Any],
        skip: int = 0,
    ) -> Iterator[tuple[int, str | AppError]]:
        """What the template makes of each form of a conversation, most faithful first, without the first ``skip``.

        Raises AppError ``template-limit``.
        """
        variants = shapes.variants(messages, tools, self._text, format, think=think, now=self._now)
        for index, variant in enumerate(islice(variants, skip, None), skip):
            try:
                yield index, self._once({**values, **variant})
            except AppError as error:
                if error.code == "template-limit":
                    raise
                yield index, error

    def _count_hopeless(self, render: _Render, kind: shapes.Kind) -> int:
        """How many forms the template does not take even of the shortest conversation of a kind.

        They need not be tried again: each costs as much as a whole prompt. 0 where it takes none.
        """
        shortest = shapes.shortest(kind)
        for index, found in render(shortest):
            if isinstance(found, str) and shapes.says_all(found, shortest):
                return index
        return 0

    def generation_prompt(
        self,
        messages: Sequence[Mapping[str, Any]] | None = None,
        tools: Sequence[dict[str, object]] | None = None,
        *,
        think: bool | None = None,
        effort: str | None = None,
        format: ChatFormat | None = None,  # noqa: A002 - the field's own word
    ) -> str:
        """What the template puts after the last message for the assistant to go on from.

        Without ``messages`` it is asked with one short question.
        """
        asked = list(messages) if messages else shapes.shortest(shapes.Kind(system=False, calls=False))
        # Some templates write EOS where they write no generation prompt; it is left empty here.
        with_prompt, without = (
            self._render(
                asked,
                tools,
                format,
                think=think,
                effort=effort,
                values={**self._tokens, "eos_token": "", "add_generation_prompt": wanted},
            )
            for wanted in (True, False)
        )
        same = next(
            (place for place, (a, b) in enumerate(zip(with_prompt, without, strict=False)) if a != b),
            min(len(with_prompt), len(without)),
        )
        if same < len(with_prompt):
            return with_prompt[same:]
        # The template always adds it: what stands after the last message's text.
        content = str(asked[-1].get("content") or "").strip()
        place = with_prompt.rfind(content) if content else -1
        return with_prompt[place + len(content) :] if place >= 0 else ""

    def _once(self, values: dict[str, Any]) -> str:
        self._sandbox.budget = Budget()
        try:
            return "".join(self._template.generate(values))
        except Refused as error:
            raise AppError(
                "template-refused",
                "The model's chat template does not accept this conversation: {reason}",
                "Try another model, or start a new conversation.",
                reason=str(error),
            ) from None
        except TooMuch as error:
            raise AppError(
                "template-limit",
                "The model's chat template was stopped: {reason}.",
                "The model file may be damaged or not trustworthy; download it again from its maker.",
                reason=str(error),
            ) from None
        except (RecursionError, MemoryError, OverflowError) as error:
            raise AppError(
                "template-limit",
                "The model's chat template was stopped: it uses too much memory.",
                "The model file may be damaged or not trustworthy; download it again from its maker.",
                detail=repr(error),
            ) from None
        except Exception as error:  # noqa: BLE001 - whatever a stranger's template does, it is its failure, not a bug here
            _log.debug("template failed", exc_info=True)
            raise AppError(
                "template-failed",
                "The model's chat template cannot render this conversation.",
                "Update the model file, or try another model.",
                detail=f"{type(error).__name__}: {error}",
            ) from None

    def _strftime_now(self, form: str) -> str:
        if len(form) > 100 or _BAD_FORMAT.search(form):
            raise Refused("a date format is too long")
        return self._now().strftime(form)


def _invalid(detail: str) -> AppError:
    return AppError(
        "template-invalid",
        "The model's chat template cannot be read.",
        "Update the model file, or try another model.",
        detail=detail,
    )
