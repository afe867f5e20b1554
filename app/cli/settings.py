"""``alcove settings``: every setting that is declared, its value and its default; change one, or take defaults back."""

import argparse
import difflib
import os
import sys
from collections.abc import Iterable

from app.cli.output import JsonLines, Plain
from app.domain.errors import AppError
from app.domain.setting import Declared, Needs, Shown, declarations, grouped
from app.domain.settings import Settings
from app.storage.paths import Paths
from app.storage.settings import SettingsStore


def configure(parser: argparse.ArgumentParser) -> None:
    json_option = argparse.ArgumentParser(add_help=False)
    json_option.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="answer in JSON Lines")
    parser.add_argument("--json", action="store_true", help="answer in JSON Lines")
    actions = parser.add_subparsers(dest="action", metavar="ACTION")

    def action(name: str, summary: str) -> argparse.ArgumentParser:
        return actions.add_parser(name, help=summary, description=summary, parents=[json_option])

    shown = action("list", "all settings; a star marks what differs from the default")
    shown.add_argument("--all", action="store_true", help="also what only the window is for")
    action("get", "the value of one").add_argument("key", metavar="KEY")
    change = action("set", "choose a value")
    change.add_argument("key", metavar="KEY")
    change.add_argument("value", metavar="VALUE", help='true, 4096, auto, "a text", ["a", "list"]')
    reset = action("reset", "take the default of one, or of all").add_mutually_exclusive_group(required=True)
    reset.add_argument("key", metavar="KEY", nargs="?")
    reset.add_argument("--all", action="store_true", help="of every setting in the list")


def run(arguments: argparse.Namespace) -> int:
    store = SettingsStore(Paths.default(os.environ).settings_file)
    if store.problem is not None:
        print(f"alcove: {store.problem.text()}", file=sys.stderr)
    command = _Command(store, JsonLines() if arguments.json else None)
    if arguments.action == "get":
        command.get(arguments.key)
    elif arguments.action == "set":
        command.set(arguments.key, arguments.value)
    elif arguments.action == "reset":
        command.reset(arguments.key)
    else:
        command.list(everything=arguments.action == "list" and arguments.all)
    return 0


class _Command:
    """One run: the person's settings, and where its results go."""

    def __init__(self, store: SettingsStore, lines: JsonLines | None) -> None:
        self._store = store
        self._lines = lines
        self._plain = Plain()
        self._declared = declarations(Settings)

    def list(self, *, everything: bool) -> None:
        listed = [each for each in self._declared.values() if everything or each.setting.shown is not Shown.NOWHERE]
        if self._lines is not None:
            self._records(listed)
            return
        for group, members in grouped(listed).items():
            self._plain.line(group.label)
            for each in members:
                self._describe(each)

    def get(self, key: str) -> None:
        each = self._find(key)
        if self._lines is not None:
            self._records([each])
        else:
            self._plain.line(each.written(self._value(each)))

    def set(self, key: str, text: str) -> None:
        each = self._find(key)
        self._store.update(**{each.key: each.parsed(text)})
        self._changed([each])

    def reset(self, key: str | None) -> None:
        if key is not None:
            chosen = [self._find(key)]
        else:
            chosen = [each for each in self._declared.values() if each.setting.shown is not Shown.NOWHERE]
        chosen = [each for each in chosen if key is not None or self._differs(each)]
        self._store.reset(*(each.key for each in chosen))
        self._changed(chosen)

    def _find(self, key: str) -> Declared:
        if key in self._declared:
            return self._declared[key]
        near = difflib.get_close_matches(key.casefold().replace("-", "_"), self._declared, 1)
        raise AppError(
            "setting-unknown",
            "There is no setting {key}.",
            "Did you mean {near}?" if near else "`alcove settings` lists them.",
            key=key,
            near="".join(near),
        )

    def _value(self, each: Declared) -> object:
        return getattr(self._store.get(), each.key)

    def _differs(self, each: Declared) -> bool:
        return self._value(each) != each.default

    def _changed(self, changed: Iterable[Declared]) -> None:
        if self._lines is not None:
            self._records(changed)
            return
        for each in changed:
            self._plain.line(f"{each.key} = {each.written(self._value(each))}")

    def _records(self, chosen: Iterable[Declared]) -> None:
        assert self._lines is not None
        for each in chosen:
            self._lines.write(
                {
                    "key": each.key,
                    "type": each.type_name,
                    "value": self._value(each),
                    "default": each.default,
                    "group": each.setting.group.label,
                    "help": _meaning(each),
                }
            )

    def _describe(self, each: Declared) -> None:
        mark = "*" if self._differs(each) else " "
        self._plain.line(f"{mark} {each.key} = {each.written(self._value(each))}")
        words = [f"{_meaning(each)}."]
        if each.setting.needs is not Needs.NOTHING:
            words.append(each.setting.needs.value)
        words.append(f"{each.takes[0].upper()}{each.takes[1:]}; {each.written(each.default) or 'nothing'} by default.")
        self._plain.line(f"      {' '.join(words)}", dim=True)


def _meaning(each: Declared) -> str:
    return ": ".join(filter(None, (each.setting.label, each.setting.help)))
