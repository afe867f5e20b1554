"""What became of a prompt, in words."""

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QLocale

from app.domain.messages import Change, GenerationStats
from ui.reuse import because, explained


@pytest.fixture(autouse=True)
def american() -> Iterator[None]:
    before = QLocale()
    QLocale.setDefault(QLocale("en_US"))
    yield
    QLocale.setDefault(before)


@pytest.mark.parametrize(
    ("stats", "sentence"),
    [
        (GenerationStats(), ""),
        (GenerationStats(prompt_tokens=320, evaluated_tokens=320), "All 320 tokens of the prompt were read."),
        (
            GenerationStats(18900, 18412, cached_from="memory", evaluated_tokens=488),
            "Reused 18,412 of 18,900 tokens of the prompt from memory; 488 were new.",
        ),
        (
            GenerationStats(900, 899, cached_from="disk", evaluated_tokens=1),
            "Reused 899 of 900 tokens of the prompt from the disk, where they were saved; 1 was new.",
        ),
        (
            GenerationStats(900, 500, evaluated_tokens=400, again_tokens=320, again_because=Change.TOOLS),
            (
                "Reused 500 of 900 tokens of the prompt; 80 were new. "
                "320 tokens were read again, because the list of tools changed."
            ),
        ),
        (
            GenerationStats(900, 899, cached_from="memory", evaluated_tokens=1, again_tokens=1),
            "Reused 899 of 900 tokens of the prompt from memory. 1 token was read again.",
        ),
        # Two rounds: the first read 300 tokens, the second found all but 20 of its 400 in memory.
        (
            GenerationStats(400, 380, cached_from="none", evaluated_tokens=320),
            "Reused 80 of 400 tokens of the prompt; 320 were new.",
        ),
        # Of an older version, which did not count what was read.
        (
            GenerationStats(900, 500, cached_from="memory"),
            "Reused 500 of 900 tokens of the prompt from memory; 400 were new.",
        ),
    ],
)
def test_one_sentence_for_what_was_known_and_one_for_what_was_read_again(stats: GenerationStats, sentence: str) -> None:
    assert explained(stats) == sentence


def test_every_change_has_a_reason_of_its_own() -> None:
    reasons = [because(change) for change in Change if change is not Change.NONE]
    assert all(reasons)
    assert len(set(reasons)) == len(Change) - 1
