"""A Jinja environment for chat templates, which come from strangers.

What templates need is there (lists that grow, Hugging Face's ``tojson``, loop controls, the ``generation`` tag); what
could run away is not: every loop step, call, operator and piece of output is counted against a ``Budget``, and methods,
filters and operators that make something long out of something short are measured before they run. The budget is kept
per thread, so that one environment serves several. Cursor: Hugging Face's ``chat_template_utils`` for what templates
expect of ``tojson``, ``strftime_now``, ``raise_exception``, ``trim_blocks`` and ``lstrip_blocks``.
"""

import threading
from collections.abc import Callable, Sequence
from types import MethodType
from typing import Any

from jinja2 import ext, nodes, runtime
from jinja2.exceptions import SecurityError, TemplateError
from jinja2.parser import Parser
from jinja2.sandbox import SandboxedEnvironment
from jinja2.utils import pass_context

from app.formats.templates.budget import ITEM, MAX_ITEMS, MAX_MADE, Budget, Counted, TooMuch, width
from app.formats.templates.filters import LEFT_OUT, filters, measure_format, tests

MAX_RANGE = 100_000
_SPACES = " \t\n\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"  # what splits texts; rarer ones do not make many pieces
COUNTED_TEXT = 64  # shorter pieces of the template's own text are not counted one by one

_STRING_METHODS = frozenset(
    """capitalize casefold center count endswith expandtabs find format index isalnum isalpha isascii isdecimal isdigit
    isidentifier islower isnumeric isspace istitle isupper join ljust lower lstrip partition removeprefix removesuffix
    replace rfind rindex rjust rpartition rsplit rstrip split splitlines startswith strip swapcase title upper
    zfill""".split()
)
_METHODS: dict[type, frozenset[str]] = {
    str: _STRING_METHODS,
    list: frozenset("append clear copy count extend index insert pop remove reverse".split()),
    tuple: frozenset(["count", "index"]),
    dict: frozenset("clear copy get items keys pop setdefault update values".split()),
    int: frozenset(),
    float: frozenset(["is_integer"]),
    bool: frozenset(),
    set: frozenset(),
    bytes: frozenset(),
}


class Refused(TemplateError):
    """The template itself said no (``raise_exception``)."""


class GenerationTag(ext.Extension):
    """``{% generation %}`` marks what the assistant wrote, for training; here its content is simply rendered."""

    tags = {"generation"}  # noqa: RUF012 - the shape that Jinja declares

    def parse(self, parser: Parser) -> list[nodes.Node]:
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


class Sandbox(SandboxedEnvironment):
    """See the module. ``budget`` must be set (``with sandbox.spending(Budget())``) before anything is rendered."""

    intercepted_binops = frozenset(["+", "-", "*", "/", "//", "%", "**"])

    def __init__(self) -> None:
        @pass_context  # the context keeps Jinja from folding constants, so that all text is counted
        def finalize(_context: runtime.Context, value: Any) -> str:
            return self._put_out(value)

        super().__init__(
            trim_blocks=True,
            lstrip_blocks=True,
            extensions=[ext.loopcontrols, ext.do, GenerationTag],
            finalize=finalize,
            cache_size=0,
        )
        self._local = threading.local()
        for name in LEFT_OUT:
            del self.filters[name]
        del self.globals["lipsum"]
        self.globals["range"] = self._range
        self.globals["raise_exception"] = _raise_exception
        self.filters.update(filters(lambda: self.budget, dict(self.filters)))
        self.tests.update(tests(lambda: self.budget, self.tests))

    @property
    def budget(self) -> Budget:
        budget: Budget = self._local.budget
        return budget

    @budget.setter
    def budget(self, budget: Budget) -> None:
        self._local.budget = budget

    # -- what Jinja calls

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        allowed = _METHODS.get(type(obj))
        if allowed is not None:
            return attr in allowed
        return super().is_safe_attribute(obj, attr, value) and not attr.startswith("_")

    def call(__self, __context: runtime.Context, __obj: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N805 - Jinja's names
        __self.budget.step()
        receiver = getattr(__obj, "__self__", None)
        if isinstance(receiver, str | list | dict) and not isinstance(__obj, MethodType):
            if args and __obj.__name__ in ("join", "extend") and not isinstance(args[0], list | tuple):
                args = (list(Counted(args[0], __self.budget)), *args[1:])
            __self._measure_method(receiver, __obj.__name__, [*args, *kwargs.values()])
        return super().call(__context, __obj, *args, **kwargs)

    def call_binop(self, context: runtime.Context, operator: str, left: Any, right: Any) -> Any:
        self._measure_operator(operator, left, right)
        return super().call_binop(context, operator, left, right)

    def wrap_str_format(self, value: Any) -> Callable[..., str] | None:
        """``str.format``, measured. Jinja's own wrapper hides whose method it is."""
        wrapped = super().wrap_str_format(value)
        if wrapped is None:
            return None

        def measured(*args: Any, **kwargs: Any) -> str:
            measure_format(self.budget, value.__self__, [*args, *kwargs.values()])
            return wrapped(*args, **kwargs)

        return measured

    def _generate(
        self, source: nodes.Template, name: str | None, filename: str | None, defer_init: bool = False
    ) -> str:
        _instrument(source)
        return super()._generate(source, name, filename, defer_init)

    def _put_out(self, value: Any) -> str:
        text = self.budget.text(value)
        self.budget.write(len(text))
        return text

    # -- measures

    def _measure_method(self, receiver: str | list[Any] | dict[Any, Any], name: str, args: Sequence[Any]) -> None:
        budget = self.budget
        first = args[0] if args else None
        if isinstance(receiver, str):
            budget.copy(receiver)
            if name == "replace" and len(args) >= 2 and isinstance(first, str) and isinstance(args[1], str):
                budget.copy(args[1], receiver.count(first) * len(args[1]))
            elif name == "join" and first is not None:
                self._measure_join(receiver, first)
            elif name in ("center", "ljust", "rjust", "zfill") and isinstance(first, int):
                budget.make(first)
            elif name == "expandtabs":
                budget.make(len(receiver) + receiver.count("\t") * (first if isinstance(first, int) else 8))
            elif name in ("split", "rsplit", "splitlines"):
                ends = [first] if name != "splitlines" and isinstance(first, str) and first else _SPACES
                budget.make(sum(map(receiver.count, ends)), MAX_MADE, each=ITEM)
        elif name in ("index", "count", "remove"):
            budget.step(1 + len(receiver) * budget.weigh(first) // 4096)
        elif isinstance(receiver, list):
            more = first if name == "extend" and isinstance(first, list | tuple) else ()
            budget.allow(len(receiver) + len(more) + 1, MAX_ITEMS)
            budget.copy(receiver if name == "copy" else more)
        elif name in ("copy", "update"):
            budget.make(len(receiver), MAX_ITEMS, each=ITEM)

    def _measure_join(self, separator: str, items: Sequence[Any]) -> None:
        texts = [item for item in items if isinstance(item, str)]
        each = max(map(width, [separator, *texts]))
        self.budget.make(sum(map(len, texts)) + len(separator) * len(items), each=each)

    def _measure_operator(self, operator: str, left: Any, right: Any) -> None:
        budget = self.budget
        if operator == "%" and isinstance(left, str):
            measure_format(budget, left, right)
        elif operator == "*":
            for value, times in ((left, right), (right, left)):
                if isinstance(value, str | list | tuple) and isinstance(times, int):
                    budget.copy(value, len(value) * times)
        elif operator == "+" and isinstance(left, str | list | tuple) and isinstance(right, str | list | tuple):
            budget.copy(left, len(left) + len(right))
        elif operator == "**" and not (isinstance(right, int | float) and abs(right) <= 64):
            raise SecurityError("a large power")
        if (
            operator in ("*", "**", "+")
            and isinstance(left, int)
            and isinstance(right, int)
            and left.bit_length() > 2048
        ):
            raise SecurityError("a large number")
        budget.step()

    # -- what templates call

    def _range(self, *args: int) -> range:
        found = range(*args)
        if len(found) > MAX_RANGE:
            raise TooMuch("a range is too long")
        return found


def _raise_exception(message: object) -> None:
    raise Refused(str(message)[:2000])


def _filter(name: str, node: nodes.Expr) -> nodes.Filter:
    return nodes.Filter(node, name, [], [], None, None, lineno=node.lineno)


def _expression(node: nodes.Node) -> nodes.Expr:
    assert isinstance(node, nodes.Expr)
    return node


def _instrument(template: nodes.Template) -> None:
    """Count loop steps, ``~``, and the template's own text where it can be repeated."""
    for loop in template.find_all(nodes.For):
        loop.iter = _filter("alcove_counted", _expression(loop.iter))
    _replace(template)


def _replace(node: nodes.Node) -> None:
    for field, value in node.iter_fields():
        if isinstance(value, list):
            setattr(node, field, [_replaced(item) if isinstance(item, nodes.Node) else item for item in value])
        elif isinstance(value, nodes.Node):
            setattr(node, field, _replaced(value))


def _replaced(node: nodes.Node) -> nodes.Node:
    _replace(node)
    if isinstance(node, nodes.Concat):
        return _filter("alcove_concat", nodes.List(node.nodes, lineno=node.lineno))
    if isinstance(node, nodes.Tuple) and node.ctx == "load":
        return _filter("alcove_weighed", node)  # tuples may be keys; what they hold must not take ages to hash
    if isinstance(node, nodes.Compare):
        node.expr = _filter("alcove_weighed", node.expr)
        for operand in node.ops:
            operand.expr = _filter("alcove_weighed", operand.expr)
    if isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Slice):
        node.node = _filter("alcove_copied", node.node)
    if isinstance(node, nodes.TemplateData) and len(node.data) > COUNTED_TEXT:
        return _filter("alcove_text", nodes.Const(node.data, lineno=node.lineno))
    return node
