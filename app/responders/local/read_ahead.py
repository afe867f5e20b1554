"""What the next prompt surely begins with, so that the engine can read it while nobody waits.

Most templates leave a finished answer's reasoning out as soon as a next question follows. Then the next prompt parts
from what the engine remembers where that answer began, and its first token waits until all of it was read again.
"""

import logging
from collections.abc import Sequence
from dataclasses import replace

from app.domain.errors import AppError
from app.domain.ids import new_id
from app.domain.messages import Message, Role, TextPart
from app.engine.prefix import common_prefix
from app.engine.protocol import Engine
from app.responders.local.prompt import PromptBuilder, PromptOptions

_log = logging.getLogger(__name__)
_QUESTIONS = ("Why", "[1]")  # two beginnings that share no token: a question's first word, and a source's number


def sure_beginning(builder: PromptBuilder, history: Sequence[Message], options: PromptOptions) -> tuple[int, ...]:
    """The tokens with which the prompt of any next question begins. ``history``: root to a finished answer. Raises
    AppError as ``PromptBuilder.build`` does."""
    one, other = (builder.build((*history, _question(history[-1], text)), options).ids for text in _QUESTIONS)
    return one[: common_prefix(one, other)]


def read_ahead(engine: Engine, builder: PromptBuilder, history: Sequence[Message], options: PromptOptions) -> None:
    """Does not wait for the engine to read it. ``options``: those of the turn that is over, as the next one begins with
    the same unless somebody changes them."""
    try:
        beginning = sure_beginning(builder, history, options)
        if beginning:
            engine.read_ahead(beginning, history[-1].conversation_id)
    except AppError as error:  # the engine has ended, or no question would fit any more
        _log.info("The next prompt is not read ahead: %s", error)


def _question(answer: Message, text: str) -> Message:
    return replace(answer, id=new_id(), parent_id=answer.id, role=Role.USER, parts=(TextPart(text),), spans=())
