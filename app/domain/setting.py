"""One declared setting: what it is called, which values it takes, and how a person writes them.

A declaration is one field of a dataclass, ``name: Annotated[type, Setting(...)] = default``. Validation, the settings
dialog and ``alcove settings`` follow from it. Labels, helps and words are English; the window translates them.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import KW_ONLY, dataclass, field, fields
from enum import Enum
from types import UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from app.domain.errors import AppError

Clean = Callable[[str], str]


class Needs(Enum):
    """What has to happen before a change counts. The value says it to a person."""

    NOTHING = ""
    RELOAD = "A change loads the model again."
    RESTART = "A change counts from the next start on."


class Shown(Enum):
    """Where a person meets a setting."""

    EVERYWHERE = "everywhere"
    COMMAND_LINE = "command line"  # the window has another place for it than the dialog
    NOWHERE = "nowhere"  # the program's own memory


@dataclass(frozen=True, slots=True)
class Group:
    """Settings that belong together. ``note``: what holds for all of them, or ""."""

    label: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Setting:
    """What a declaration says besides name, type and default.

    label: of two or three words; of a bool, the whole sentence beside the box
    help: one sentence for who does not know the word, without a full stop
    words: what single values are called, as None or each of a choice
    least, most, step, unit: of a number
    lines: how many a text field shows
    clean: makes a text fit to be kept; raises AppError
    safe: holds instead of the default where a file cannot be read
    """

    group: Group
    label: str
    help: str = ""
    _: KW_ONLY
    words: Mapping[object, str] = field(default_factory=dict)
    unit: str = ""
    least: int = 0
    most: int = 1 << 31
    step: int = 1
    lines: int = 1
    needs: Needs = Needs.NOTHING
    shown: Shown = Shown.EVERYWHERE
    clean: Clean | None = None
    safe: object = None


@dataclass(frozen=True, slots=True)
class Declared:
    """A setting with its key, its type and its default.

    ``annotation``: bool, int, str, ``int | None``, ``tuple[str, ...]`` or a Literal of texts.
    """

    key: str
    annotation: Any
    default: object
    setting: Setting

    @property
    def choices(self) -> tuple[str, ...]:
        """Of a Literal, else none."""
        return get_args(self.annotation) if get_origin(self.annotation) is Literal else ()

    @property
    def optional(self) -> bool:
        """Whether None is a value."""
        return isinstance(self.annotation, UnionType)

    @property
    def kind(self) -> type:
        """bool, int, str or tuple; str for a Literal."""
        if self.choices:
            return str
        kind = get_args(self.annotation)[0] if self.optional else get_origin(self.annotation) or self.annotation
        assert isinstance(kind, type)
        return kind

    @property
    def type_name(self) -> str:
        """As ``alcove settings`` tells it."""
        if self.choices:
            return "|".join(self.choices)
        name = "list" if self.kind is tuple else self.kind.__name__
        return f"{name}|null" if self.optional else name

    @property
    def if_unreadable(self) -> object:
        """The value where there is one in a file, and nobody knows which."""
        return self.default if self.setting.safe is None else self.setting.safe

    def fits(self, value: object) -> bool:
        if self.choices:
            return value in self.choices
        if value is None:
            return self.optional
        if self.kind is tuple:
            return isinstance(value, tuple) and all(isinstance(item, str) for item in value)
        if self.kind is int:  # exactly: True is an int, but no number of threads
            return type(value) is int and self.setting.least <= value <= self.setting.most
        return type(value) is self.kind

    def cleaned(self, value: object) -> object:
        """The value as it is kept. Raises AppError where it is none."""
        if not self.fits(value):
            raise self._refused(self.written(value))
        return self.setting.clean(value) if self.setting.clean and isinstance(value, str) else value

    def parsed(self, text: str) -> object:
        """The value that a person wrote in one word, as after ``alcove settings set``. Raises AppError."""
        word = text.strip().casefold()
        named = {label.casefold(): value for value, label in self.setting.words.items()}
        if self.kind is bool:
            value: object = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}.get(word)
        elif self.choices:
            value = word
        elif self.kind is int:
            value = self._number(word, named)
        elif self.kind is tuple:
            value = _texts(text)
        else:
            value = text
        if not self.fits(value):
            raise self._refused(text)
        return self.cleaned(value)

    def written(self, value: object) -> str:
        """A value in one word that ``parsed`` reads."""
        if value is None:
            return "auto"
        if isinstance(value, str):
            return value
        return json.dumps(value, ensure_ascii=False)

    def _number(self, word: str, named: Mapping[str, object]) -> object:
        if self.optional and word in ("auto", "none", "null"):
            return None
        if word in named:
            return named[word]
        try:
            return int(word)
        except ValueError:
            return word

    def _refused(self, value: object) -> AppError:
        return AppError(
            "setting-refused",
            "“{value}” is no value of {key}.",
            "It takes {takes}.",
            value=value,
            key=self.key,
            takes=self.takes,
        )

    @property
    def takes(self) -> str:
        """Which values, in words."""
        if self.choices:
            return f"one of {', '.join(self.choices)}"
        if self.kind is int:
            numbers = f"a whole number from {self.setting.least} to {self.setting.most}"
            named = ["auto"] * self.optional
            named += [word.casefold() for value, word in self.setting.words.items() if value is not None]
            return ", or ".join([numbers, *named])
        if self.kind is bool:
            return "true or false"
        return 'a list of texts, as ["one", "two"]' if self.kind is tuple else "a text"


def _texts(text: str) -> object:
    """A JSON list, or a single text."""
    if not text.lstrip().startswith("["):
        return (text,)
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return tuple(found) if isinstance(found, list) else found


def declarations(of: type) -> Mapping[str, Declared]:
    """What a dataclass of settings declares, by key, in its order."""
    hints = get_type_hints(of, include_extras=True)
    found = {}
    for each in fields(of):
        kind, setting = get_args(hints[each.name])
        found[each.name] = Declared(each.name, kind, each.default, setting)
    return found


def grouped(declared: Iterable[Declared]) -> dict[Group, list[Declared]]:
    """Settings by group, both in the order in which they come."""
    groups: dict[Group, list[Declared]] = {}
    for each in declared:
        groups.setdefault(each.setting.group, []).append(each)
    return groups
