"""Light stemming of English and French words that are already lower case and without accents.

English: M. F. Porter, "An algorithm for suffix stripping", Program 14(3), 1980. French: shortened after J. Savoy,
"Light stemming approaches for the French, Portuguese, German and Hungarian languages", SAC 2006. A stem need not be a
word; it only has to be the same for the forms of one.
"""

import re

_VOWEL = "aeiou"

# Steps 2, 3 and 4 of Porter's paper: suffix -> replacement, longest first; the measure of what stays is checked.
_STEP2 = (
    ("ational", "ate"), ("ization", "ize"), ("iveness", "ive"), ("fulness", "ful"), ("ousness", "ous"),
    ("tional", "tion"), ("biliti", "ble"), ("entli", "ent"), ("ousli", "ous"), ("ation", "ate"), ("alism", "al"),
    ("aliti", "al"), ("iviti", "ive"), ("enci", "ence"), ("anci", "ance"), ("izer", "ize"), ("ator", "ate"),
    ("alli", "al"), ("abli", "able"), ("logi", "log"), ("eli", "e"),
)  # fmt: skip
_STEP3 = (
    ("icate", "ic"), ("ative", ""), ("alize", "al"), ("iciti", "ic"), ("ical", "ic"), ("ness", ""), ("ful", ""),
)  # fmt: skip
_STEP4 = (
    "ement", "ance", "ence", "able", "ible", "ment", "ant", "ent", "ism", "ate", "iti", "ous", "ive", "ize", "ion",
    "al", "er", "ic", "ou",
)  # fmt: skip


def _shape(word: str) -> str:
    """Each letter as ``c`` or ``v``; y is a vowel after a consonant."""
    shape: list[str] = []
    for index, letter in enumerate(word):
        vowel = letter in _VOWEL or (letter == "y" and index > 0 and shape[-1] == "c")
        shape.append("v" if vowel else "c")
    return "".join(shape)


def _measure(stem: str) -> int:
    return _shape(stem).count("vc")


def _ends_cvc(word: str) -> bool:
    return _shape(word)[-3:] == "cvc" and word[-1] not in "wxy"


def _plural(word: str) -> str:
    if word.endswith("sses") or (word.endswith("ies") and len(word) > 4):
        return word[:-2]
    if word.endswith("ies"):
        return word[:-1]
    if word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


def _past(word: str) -> str:
    if word.endswith("eed"):
        return word[:-1] if _measure(word[:-3]) else word
    for suffix in ("ed", "ing"):
        stem = word.removesuffix(suffix)
        if stem == word or "v" not in _shape(stem):
            continue
        if stem.endswith(("at", "bl", "iz")):
            return stem + "e"
        if stem[-2:-1] == stem[-1] and stem[-1] not in "lsz" and _shape(stem)[-1] == "c":
            return stem[:-1]
        return stem + "e" if _measure(stem) == 1 and _ends_cvc(stem) else stem
    return word


def _derived(word: str) -> str:
    for table in (_STEP2, _STEP3):
        for suffix, replacement in table:
            if word.endswith(suffix):
                stem = word[: -len(suffix)]
                word = stem + replacement if _measure(stem) else word
                break
    for suffix in _STEP4:
        if word.endswith(suffix):
            stem = word[: -len(suffix)]
            if _measure(stem) > 1 and (suffix != "ion" or stem.endswith(("s", "t"))):
                word = stem
            break
    return word


def stem_english(word: str) -> str:
    if len(word) < 3:
        return word
    word = _past(_plural(word))
    if word.endswith("y") and "v" in _shape(word[:-1]):
        word = word[:-1] + "i"
    word = _derived(word)
    if word.endswith("e"):
        measure = _measure(word[:-1])
        if measure > 1 or (measure == 1 and not _ends_cvc(word[:-1])):
            word = word[:-1]
    if word.endswith("ll") and _measure(word) > 1:
        word = word[:-1]
    return word


# Suffix, what it becomes, and how many letters must stay in front of it. The first that fits is taken.
_FRENCH = (
    ("issements", "ir", 3), ("issement", "ir", 3), ("issant", "ir", 3), ("ivement", "if", 3), ("ement", "", 3),
    ("amment", "ant", 2), ("emment", "ent", 2), ("ication", "iqu", 3), ("ateur", "", 3), ("atrice", "", 3),
    ("ation", "", 3), ("trice", "teur", 3), ("euse", "eur", 3), ("ienne", "ien", 2), ("ive", "if", 3),
    ("ite", "", 4), ("aient", "", 3), ("erai", "", 3), ("era", "", 3), ("ait", "", 4), ("ant", "", 4), ("ent", "", 4),
    ("ees", "", 3), ("ee", "", 3), ("er", "", 3), ("ez", "", 3), ("ique", "iqu", 2), ("e", "", 3),
)  # fmt: skip
_DOUBLED = re.compile(r"([b-df-hj-np-tv-z])\1$")


def stem_french(word: str) -> str:
    if len(word) < 4:
        return word
    if word.endswith("aux") and len(word) > 5 and not word.endswith("eaux"):
        word = word[:-3] + "al"
    elif word[-1] in "sx" and not word.endswith("ss"):
        word = word[:-1]
    for suffix, replacement, stay in _FRENCH:
        if word.endswith(suffix) and len(word) - len(suffix) >= stay:
            word = word[: -len(suffix)] + replacement
            break
    return _DOUBLED.sub(r"\1", word)
