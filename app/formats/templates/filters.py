"""Filters for chat templates: Hugging Face's ``tojson``, and Jinja's own where they can make something long."""

import io
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sized
from functools import wraps
from typing import Any

from jinja2 import nodes, runtime
from jinja2.exceptions import SecurityError
from jinja2.utils import pass_context, pass_eval_context

from app.formats.templates.budget import ITEM, MAX_ITEMS, Budget, Counted, width

LEFT_OUT = """batch center filesizeformat forceescape pprint random slice striptags sum urlencode urlize wordcount
wordwrap xmlattr""".split()
"""Filters of Jinja that no chat template needs and that could run away."""

_TAKE_TEXT = frozenset("capitalize e escape lower safe string title trim truncate upper".split())
_COMPARE = frozenset("dictsort groupby max min sort unique".split())
_COMPARING_TESTS = "eq equalto == ne != in lt lessthan < le <= gt greaterthan > ge >=".split()

MAX_INDENT = 64
_LONG_WIDTH = re.compile(r"\d{4,}|\*|\{[^{}]*\{")

Budgets = Callable[[], Budget]


def measure_format(budget: Budget, text: str, args: object) -> None:
    """Before ``text % args`` or ``text.format(...)``."""
    if _LONG_WIDTH.search(text):
        raise SecurityError("a width in a format")
    budget.make(len(text) + (text.count("{") + text.count("%")) * budget.weigh(args))


def filters(budgets: Budgets, original: dict[str, Callable[..., Any]]) -> dict[str, Callable[..., Any]]:
    """The filters that replace Jinja's, and those that instrumented templates use (``alcove_...``)."""
    counted = {name: _charged(budgets, name, function) for name, function in original.items()}
    own = {"tojson": _tojson(budgets), "from_json": _from_json(budgets)}
    return {**counted, **_long_ones(budgets, original), **_instruments(budgets), **own}


def tests(budgets: Budgets, original: Mapping[str, Any]) -> dict[str, Callable[..., bool]]:
    """The tests that compare, for values that do not take ages to compare."""

    def weighed(test: Callable[..., bool]) -> Callable[..., bool]:
        @wraps(test)
        def measured(value: Any, other: Any) -> bool:
            budget = budgets()
            budget.allow(budget.weigh([value, other]))
            return test(value, other)

        return measured

    return {**original, **{name: weighed(original[name]) for name in _COMPARING_TESTS}}


def _charged(budgets: Budgets, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """``function`` at a cost that grows with what it is given."""
    place = 0 if getattr(function, "jinja_pass_arg", None) is None else 1
    takes_text, compares = name in _TAKE_TEXT, name in _COMPARE

    @wraps(function)
    def charged(*args: Any, **kwargs: Any) -> Any:
        budget = budgets()
        value = args[place] if len(args) > place else None
        if compares and isinstance(value, Iterator):
            value = list(Counted(value, budget))
            args = (*args[:place], value, *args[place + 1 :])
        if (takes_text or compares) and isinstance(value, Mapping | list | tuple):
            budget.allow(budget.weigh(value))
        if isinstance(value, str) and name == "list":
            budget.make(len(value), MAX_ITEMS, each=ITEM)
        elif isinstance(value, str) and takes_text:
            budget.copy(value, len(value) * (5 if name in ("e", "escape") else 1))
        elif isinstance(value, list | tuple | range):
            budget.make(len(value), MAX_ITEMS, each=8)
        budget.step(1 + (len(value) // 256 if isinstance(value, Sized) else 0))
        budget.check_time()
        return function(*args, **kwargs)

    return charged


def _instruments(budgets: Budgets) -> dict[str, Callable[..., Any]]:
    # They get the context so that Jinja does not run them while it compiles.
    @pass_context
    def counted(_context: runtime.Context, items: Any) -> Any:
        return iter(items) if isinstance(items, runtime.Undefined) else Counted(items, budgets())

    @pass_context
    def concat(_context: runtime.Context, items: list[Any]) -> str:
        budget = budgets()
        texts = [budget.text(item) for item in items]
        budget.make(sum(map(len, texts)), each=max(map(width, texts), default=1))
        return "".join(texts)

    @pass_context
    def weighed(_context: runtime.Context, value: Any) -> Any:
        if isinstance(value, Mapping | list | tuple):
            budget = budgets()
            budget.allow(budget.weigh(value))
        return value

    @pass_context
    def copied(_context: runtime.Context, value: Any) -> Any:
        if isinstance(value, str | list | tuple):
            budgets().copy(value)
        return value

    @pass_context
    def own_text(_context: runtime.Context, text: str) -> str:
        return text  # it is put out next, and counted there

    return {
        "alcove_counted": counted,
        "alcove_concat": concat,
        "alcove_weighed": weighed,
        "alcove_copied": copied,
        "alcove_text": own_text,
    }


def _long_ones(budgets: Budgets, original: dict[str, Callable[..., Any]]) -> dict[str, Callable[..., Any]]:
    @pass_eval_context
    def join(context: nodes.EvalContext, value: Any, d: str = "", attribute: Any = None) -> Any:
        budget = budgets()
        items = list(Counted(value, budget))
        budget.make(budget.weigh(items) + len(str(d)) * len(items))
        return original["join"](context, items, d, attribute)

    @pass_eval_context
    def replace(context: nodes.EvalContext, s: Any, old: str, new: str, count: int | None = None) -> Any:
        budget = budgets()
        text = budget.text(s)
        budget.make(len(text) + text.count(str(old)) * len(str(new)))
        return original["replace"](context, text, old, new, count)

    def indent(s: str, width: int | str = 4, first: bool = False, blank: bool = False) -> Any:
        each = len(width) if isinstance(width, str) else width
        budgets().make(len(s) + (s.count("\n") + 1) * each)
        return original["indent"](s, width, first, blank)

    def do_format(value: Any, *args: Any, **kwargs: Any) -> Any:
        measure_format(budgets(), str(value), [*args, *kwargs.values()])
        return original["format"](value, *args, **kwargs)

    def do_round(value: float, precision: int = 0, method: Any = "common") -> Any:
        budgets().allow(abs(precision), 20)
        return original["round"](value, precision, method)

    return {"join": join, "replace": replace, "indent": indent, "format": do_format, "round": do_round}


def _tojson(budgets: Budgets) -> Callable[..., str]:
    def tojson(
        value: Any, ensure_ascii: bool = False, indent: Any = None, separators: Any = None, sort_keys: bool = False
    ) -> str:
        """As Hugging Face's: nothing is escaped for HTML, keys keep their order."""
        budget = budgets()
        width = len(indent) if isinstance(indent, str) else int(indent or 0)
        budget.allow(width, MAX_INDENT)
        if isinstance(value, Iterator):
            value = list(Counted(value, budget))
        budget.make(budget.weigh(value))
        encoder = json.JSONEncoder(ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)
        if indent is None and separators is None:
            return encoder.encode(value)
        text = io.StringIO()
        for number, piece in enumerate(encoder.iterencode(value)):
            text.write(piece)
            if number % 64 == 0 or len(piece) > 4096:
                budget.allow(text.tell())
        return text.getvalue()

    return tojson


def _from_json(budgets: Budgets) -> Callable[[str], Any]:
    def from_json(text: str) -> Any:
        budget = budgets()
        budget.make(len(text) + ITEM * (text.count(",") + text.count("[") + text.count("{")))
        return json.loads(text)

    return from_json
