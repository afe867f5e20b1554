"""Text to index terms: the same for passages and for questions.

A term is lower case, without accents, and stemmed by Snowball (https://snowballstem.org); written languages without
spaces become overlapping pairs of characters. Names such as ``core.autocrlf``, ``--no-pager`` or ``getItem`` give their
parts and, joined by ``_``, the whole, so that an exact identifier finds its very place.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator
from enum import StrEnum

import Stemmer

from app.documents.language.words import ENGLISH_WORDS, FRENCH_WORDS

VERSION = 2  # 2: Snowball's stems
"""Raise it when the terms of a text change: indexes of another version are built again."""


class Language(StrEnum):
    ENGLISH = "en"
    FRENCH = "fr"


_SNOWBALL = {Language.ENGLISH: "english", Language.FRENCH: "french"}


# Marks (vowel signs) of Hebrew, Arabic and the scripts of South and South-East Asia belong to their words.
_LETTER = r"[\w\u0591-\u05c7\u064b-\u065f\u0900-\u0eff\u1000-\u109f\u1780-\u17ff]"
_WORD = re.compile(rf"{_LETTER}+(?:[-.:/@+\\]+{_LETTER}+)*(?:\+\+|#)?")
_PART = re.compile(rf"{_LETTER}+")
_CAMEL = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_LONGEST_TERM = 64

# Scripts written without spaces between words: Thai to Khmer, kana, Han (with extensions), Hangul.
UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
    "\U00020000-\U0003ffff]+"
)
_LIGATURES = str.maketrans({"œ": "oe", "æ": "ae", "ß": "ss", "ø": "o", "ł": "l", "đ": "d", "ı": "i"})


def fold(text: str) -> str:
    """Lower case, compatibility forms and ligatures opened, accents gone."""
    text = text.lower()
    if text.isascii():
        return text
    text = unicodedata.normalize("NFKD", text.translate(_LIGATURES))
    return "".join(char for char in text if not "\u0300" <= char <= "\u036f").casefold()


def detect_language(text: str, fallback: Language = Language.ENGLISH) -> Language:
    """French or English by their most frequent words; ``fallback`` where neither leads."""
    words = text[:1500].lower().replace("'", " ").replace("’", " ").split()
    french = sum(1 for word in words if word in FRENCH_WORDS)
    english = sum(1 for word in words if word in ENGLISH_WORDS)
    if french == english:
        return fallback
    return Language.FRENCH if french > english else Language.ENGLISH


class Analyzer:
    """Turns text into terms. Remembers words it has seen, so it is fast on prose; not thread-safe."""

    _MOST = 200_000

    def __init__(self, language: Language) -> None:
        # Without accents, since people leave them out: on 718 French questions that ranks as well as with them.
        self._stem: Callable[[str], str] = Stemmer.Stemmer(_SNOWBALL[language]).stemWord
        self._known: dict[str, str] = {}

    def terms(self, text: str) -> str:
        """The terms of ``text`` in order, separated by spaces."""
        if not text.isascii():
            text = unicodedata.normalize("NFC", text)
        known = self._known
        found: list[str] = []
        for word in _WORD.findall(text):
            terms = known.get(word)
            if terms is None:
                terms = " ".join(self.expand(word))
                if len(known) >= self._MOST:
                    known.clear()
                known[word] = terms
            found.append(terms)
        return " ".join(found)

    def expand(self, word: str) -> list[str]:
        """The terms of one word: its parts, and the whole where it has several."""
        terms: list[str] = []
        plain: list[str] = []
        for part in _PART.findall(word):
            for piece in part.split("_"):
                if piece:
                    terms += self._piece(piece)
                    plain.append(fold(piece))
        if 2 <= len(plain) <= 6:
            terms.append("_".join(plain)[:_LONGEST_TERM])
        if word.endswith("++") or (word.endswith("#") and len(word) == 2):
            terms.append(fold(word[0]) + ("plusplus" if word.endswith("++") else "sharp"))
        return terms

    def _piece(self, piece: str) -> Iterator[str]:
        if not piece.isascii() and UNSPACED.search(piece):
            yield from _pairs(piece)
            return
        folded = fold(piece)
        yield ((self._stem(folded) if folded.isalpha() else "") or folded)[:_LONGEST_TERM]
        if piece.isascii() and not piece.islower() and not piece.isupper():
            camel = _CAMEL.findall(piece)
            if len(camel) > 1 and not piece.isdigit():
                for part in camel:
                    yield self._stem(part.lower()) or part.lower()


def _pairs(piece: str) -> Iterator[str]:
    """Overlapping pairs in runs of unspaced script, whole words between them."""
    end = 0
    for run in UNSPACED.finditer(piece):
        if run.start() > end:
            yield fold(piece[end : run.start()])
        text = unicodedata.normalize("NFKC", run[0])
        yield from (text[i : i + 2] for i in range(max(1, len(text) - 1)))
        end = run.end()
    if end < len(piece):
        yield fold(piece[end:])
