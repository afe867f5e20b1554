"""What stands for a text where there is no room for all of it."""

import re

_WORD = re.compile(r"\w{3,}")
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n\s*\n|\n(?=\s*[-*#|])")  # hard-wrapped lines are one sentence
_STEM = 5  # characters that words of a kin share, well enough to choose a sentence


def excerpt(text: str, query: str, limit: int) -> str:
    """At most ``limit`` characters of ``text`` as whole sentences: the one that shares most words with ``query``, then
    its neighbours, following ones first, in one line. A sentence longer than ``limit`` is cut at a word."""
    whole = " ".join(text.split())
    if len(whole) <= limit:
        return whole
    terms = _stems(query)
    sentences = [" ".join(sentence.split()) for sentence in _SENTENCE.split(text) if sentence.strip()]
    if not sentences:
        return ""
    best = max(range(len(sentences)), key=lambda at: (len(terms & _stems(sentences[at])), -at))
    first = last = best
    taken = sentences[best]
    while True:
        if last + 1 < len(sentences) and len(taken) + 1 + len(sentences[last + 1]) <= limit:
            last += 1
            taken = f"{taken} {sentences[last]}"
        elif first > 0 and len(taken) + 1 + len(sentences[first - 1]) <= limit:
            first -= 1
            taken = f"{sentences[first]} {taken}"
        else:
            break
    return taken if len(taken) <= limit else taken[: limit + 1].rsplit(None, 1)[0][:limit]


def shortened(text: str, limit: int) -> str:
    """The first ``limit`` characters, with a mark where more were there."""
    return text if len(text) <= limit else text[:limit] + "…"


def _stems(text: str) -> set[str]:
    return {word[:_STEM].casefold() for word in _WORD.findall(text)}
