"""Where a call opens by a text and not by a token."""

import pytest

from app.domain.models import CallGrammar
from app.engine.llama.openers import PhraseWatch

THINKING = {"quiet": ("<think>",), "loud": ("</think>",)}


def opened(text: str, size: int, **fields: object) -> str:
    """What the watch finds in ``text``, which comes in pieces of that size."""
    watch = PhraseWatch(CallGrammar("", phrases=("<call>", "\0<|go|>to "), **fields))
    for start in range(0, len(text), size):
        if found := watch.feed(text[start : start + size].encode()):
            return found.decode()
    return ""


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
@pytest.mark.parametrize(
    ("text", "opens"),
    [
        ("<call>", True),
        ("Let me look.\n<call>", True),
        ("Let me look.\n  <call>", True),
        ("A call begins with <call>", False),
        ("```\n<call>\n```\n", False),
        ("```\ncode\n```\n<call>", True),
        ("use ``` so:\n<call>", True),
        ("<think>hm\n<call>", False),
        ("<think>hm</think>\n<call>", True),
        ("<cal\n<call", False),
        ("so \0<|go|>to ", True),
        ("<think>\0<|go|>to ", True),
        ("so <|go|>to ", False),
    ],
)
def test_only_where_a_call_can_be_meant(text: str, opens: bool, size: int) -> None:
    assert bool(opened(text, size, **THINKING)) is opens


def test_another_call_may_follow_on_the_same_line() -> None:
    watch = PhraseWatch(CallGrammar("", phrases=("<call>",)))
    assert watch.feed(b"<call>")
    watch.after_call()
    assert watch.feed(b" <call>")


def test_what_follows_in_the_same_piece_belongs_to_the_call() -> None:
    assert opened("So:\n<call>{é", 100) == "<call>{é"


def test_a_prompt_may_have_opened_the_reasoning() -> None:
    assert not opened("hm\n<call>", 3, **THINKING, is_quiet=True)
    assert opened("hm</think>\n\n<call>", 3, **THINKING, is_quiet=True)


def test_in_a_header_a_phrase_counts_anywhere() -> None:
    header = {"quiet": ("\0<|message|>",), "loud": ("\0<|channel|>",), "prose": False}
    assert opened("\0<|channel|>commentary <call>", 4, **header)
    assert not opened("\0<|channel|>final\0<|message|>I write <call>", 4, **header)
