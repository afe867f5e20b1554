"""What follows from a declaration: which values fit, and how a person writes them."""

from dataclasses import dataclass
from typing import Annotated, Literal

import pytest

from app.domain.errors import AppError
from app.domain.setting import Declared, Group, Setting, Shown, declarations
from app.domain.settings import Settings

GROUP = Group("Tries")


@dataclass(frozen=True)
class Tries:
    flag: Annotated[bool, Setting(GROUP, "Flag")] = False
    number: Annotated[int, Setting(GROUP, "Number", words={0: "Never"}, most=9)] = 3
    perhaps: Annotated[int | None, Setting(GROUP, "Perhaps", least=1, safe=1)] = None
    text: Annotated[str, Setting(GROUP, "Text", clean=str.strip)] = ""
    choice: Annotated[Literal["one", "two"], Setting(GROUP, "Choice")] = "one"
    texts: Annotated[tuple[str, ...], Setting(GROUP, "Texts")] = ()


TRIES = declarations(Tries)


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("flag", "true", True),
        ("flag", " OFF ", False),
        ("number", "0", 0),
        ("number", "never", 0),
        ("number", "9", 9),
        ("perhaps", "auto", None),
        ("perhaps", "null", None),
        ("perhaps", "1", 1),
        ("text", " Be brief. ", "Be brief."),
        ("text", "", ""),
        ("choice", "Two", "two"),
        ("texts", "/a b", ("/a b",)),
        ("texts", '["/a", "/b"]', ("/a", "/b")),
        ("texts", "[]", ()),
    ],
)
def test_what_a_person_writes(key: str, text: str, value: object) -> None:
    assert TRIES[key].parsed(text) == value
    assert TRIES[key].parsed(TRIES[key].written(value)) == value


@pytest.mark.parametrize(
    ("key", "text", "takes"),
    [
        ("flag", "perhaps", "true or false"),
        ("flag", "", "true or false"),
        ("number", "10", "a whole number from 0 to 9, or never"),
        ("number", "-1", "a whole number from 0 to 9"),
        ("number", "1.5", "a whole number"),
        ("number", "auto", "a whole number"),
        ("number", "9" * 5000, "a whole number"),
        ("perhaps", "0", "from 1 to 2147483648, or auto"),
        ("choice", "three", "one of one, two"),
        ("texts", "[1]", "a list of texts"),
        ("texts", "[", "a list of texts"),
        ("texts", "[" * 100_000, "a list of texts"),
    ],
)
def test_what_does_not_fit_is_one_sentence(key: str, text: str, takes: str) -> None:
    with pytest.raises(AppError, match=f"is no value of {key}. It takes .*{takes}") as caught:
        TRIES[key].parsed(text)
    assert caught.value.code == "setting-refused"


@pytest.mark.parametrize(
    ("key", "value"),
    [("flag", 1), ("number", True), ("number", None), ("text", None), ("choice", "three"), ("texts", ["a"])],
)
def test_values_are_of_their_type(key: str, value: object) -> None:
    assert not TRIES[key].fits(value)
    with pytest.raises(AppError):
        TRIES[key].cleaned(value)


def test_how_types_are_told() -> None:
    names = [each.type_name for each in TRIES.values()]
    assert names == ["bool", "int", "int|null", "str", "one|two", "list"]
    assert [each.if_unreadable for each in TRIES.values()] == [False, 3, 1, "", "one", ()]


@pytest.mark.parametrize("each", declarations(Settings).values(), ids=lambda each: each.key)
def test_every_setting_is_declared_wholly(each: Declared) -> None:
    assert each.fits(each.default)
    assert each.fits(each.if_unreadable)
    assert each.cleaned(each.default) == each.default
    assert each.parsed(each.written(each.default)) == each.default
    assert each.setting.label
    assert not each.setting.label.endswith(".")
    assert not each.setting.help.endswith(".")
    assert set(each.setting.words) >= set(each.choices)
    assert all(each.fits(value) for value in each.setting.words)
    if each.optional and each.setting.shown is Shown.EVERYWHERE:
        assert None in each.setting.words
