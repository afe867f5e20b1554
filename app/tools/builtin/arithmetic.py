"""Exact arithmetic on text: a recursive-descent parser over fractions, bounded in time and size.

::

    sum     = product (("+" | "-") product)*
    product = signed (("*" | "/" | "//" | "%") signed)*
    signed  = ("+" | "-") signed | power
    power   = atom ("**" signed)?
    atom    = NUMBER | CONSTANT | FUNCTION "(" sum ("," sum)* ")" | "(" sum ")"

Values stay exact fractions until a function or a root makes them irrational; then they are floats.
"""

import math
import operator
import re
from collections.abc import Callable
from decimal import Context, Decimal
from fractions import Fraction
from typing import TypeAlias

Number: TypeAlias = Fraction | float

MAX_LENGTH = 1000  # characters
MAX_DEPTH = 50  # of parentheses, signs and powers
MAX_BITS = 3322  # of a numerator or denominator: 1,000 decimal digits
SIGNIFICANT_DIGITS = 12
TOO_LARGE = "the result is too large"

_SPELLINGS = str.maketrans(
    {"×": "*", "·": "*", "⋅": "*", "∙": "*", "÷": "/", "∕": "/", "−": "-", "–": "-", "π": "pi", "²": "**2", "³": "**3"}
)
_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)|(?P<name>[A-Za-z][A-Za-z0-9]*)"
    r"|(?P<sign>\*\*|//|[-+*/%^(),]))"
)


class CalculationError(ValueError):
    """Why there is no result, as a clause for a person or a model."""


def evaluate(expression: str) -> str:
    """The value as text: whole numbers and short decimals exactly, anything else to twelve significant digits."""
    if len(expression) > MAX_LENGTH:
        raise CalculationError(f"the expression is longer than {MAX_LENGTH} characters")
    try:
        return _spell(_Parser(expression.translate(_SPELLINGS).strip().removesuffix("=")).parse())
    except ZeroDivisionError:
        raise CalculationError("division by zero") from None
    except OverflowError:
        raise CalculationError(TOO_LARGE) from None


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens = _tokenize(text)
        self._position = 0
        self._depth = 0

    def parse(self) -> Number:
        value = self._sum()
        if (symbol := self._peek()) != "":
            raise CalculationError(f"expected an operator before '{symbol}'")
        return value

    def _peek(self) -> str:
        """The next symbol, "" at the end."""
        return self._tokens[self._position] if self._position < len(self._tokens) else ""

    def _take(self, *wanted: str) -> str:
        symbol = self._peek()
        if symbol == "" or (wanted and symbol not in wanted):
            return ""
        self._position += 1
        return symbol

    def _sum(self) -> Number:
        value = self._product()
        while sign := self._take("+", "-"):
            value = _settle(_BINARY[sign](value, self._product()))
        return value

    def _product(self) -> Number:
        value = self._signed()
        while sign := self._take("*", "/", "//", "%"):
            value = _settle(_BINARY[sign](value, self._signed()))
        return value

    def _signed(self) -> Number:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise CalculationError("the expression is nested too deeply")
        sign = self._take("+", "-")
        value = self._signed() if sign else self._power()
        self._depth -= 1
        return -value if sign == "-" else value

    def _power(self) -> Number:
        base = self._atom()
        return _power(base, self._signed()) if self._take("**", "^") else base

    def _atom(self) -> Number:
        symbol = self._take()
        if symbol[:1].isdigit() or symbol[:1] == ".":
            return _number(symbol)
        if symbol == "(":
            value = self._sum()
            self._close()
            return value
        if symbol.lower() in _CONSTANTS:
            return _CONSTANTS[symbol.lower()]
        if symbol.lower() in _FUNCTIONS:
            return self._call(symbol.lower())
        if symbol[:1].isalpha():
            known = ", ".join([*_CONSTANTS, *_FUNCTIONS])
            raise CalculationError(f"'{symbol}' is not known; these are: {known}")
        raise CalculationError(f"expected a number before '{symbol}'" if symbol else "the expression is not complete")

    def _call(self, name: str) -> Number:
        if not self._take("("):
            raise CalculationError(f"'{name}' must be followed by '('")
        arguments = [self._sum()]
        while self._take(","):
            arguments.append(self._sum())
        self._close()
        try:
            return _settle(_FUNCTIONS[name](*arguments))
        except TypeError:
            raise CalculationError(f"{name} does not take {len(arguments)} arguments like these") from None
        except CalculationError:
            raise
        except ValueError:
            raise CalculationError(f"{name} has no value there") from None

    def _close(self) -> None:
        if not self._take(")"):
            raise CalculationError("a ')' is missing")


def _tokenize(text: str) -> list[str]:
    tokens, position = [], 0
    end = len(text.rstrip())
    while position < end:
        match = _TOKEN.match(text, position)
        if match is None:
            raise CalculationError(f"'{text[position:].strip()[:1]}' is no part of arithmetic")
        tokens.append(match[0].strip())
        position = match.end()
    return tokens


def _number(symbol: str) -> Fraction:
    exponent = re.split("[eE]", symbol)[1:]
    if exponent and abs(int(exponent[0])) > MAX_LENGTH:
        raise CalculationError(TOO_LARGE)
    return Fraction(symbol)


def _settle(value: Number | int) -> Number:
    """Keep numbers small: a fraction with very long terms becomes a float. Raises OverflowError where it cannot."""
    if isinstance(value, float):
        if math.isinf(value):
            raise OverflowError
        if math.isnan(value):
            raise CalculationError("the result is not a number")
        return value
    fraction = Fraction(value)
    if max(fraction.numerator.bit_length(), fraction.denominator.bit_length()) <= MAX_BITS:
        return fraction
    if fraction.denominator == 1:
        raise OverflowError
    return float(fraction)


def _power(base: Number, exponent: Number) -> Number:
    if isinstance(base, Fraction) and isinstance(exponent, Fraction) and exponent.denominator == 1:
        n = exponent.numerator
        if base in (-1, 0, 1) and n:  # however large the exponent: only its sign and whether it is even count
            n = (2 + n % 2) * (1 if n > 0 else -1)
        if abs(n) * math.log2(max(1, abs(base.numerator), base.denominator)) <= MAX_BITS:
            return Fraction(base**n)
    value = float(base) ** float(exponent)
    if isinstance(value, complex):
        raise CalculationError("a root of a negative number is not a real number")
    return _settle(value)


def _sqrt(value: Number) -> Number:
    if value < 0:
        raise CalculationError("sqrt of a negative number is not a real number")
    if isinstance(value, Fraction):
        top, bottom = math.isqrt(value.numerator), math.isqrt(value.denominator)
        if top * top == value.numerator and bottom * bottom == value.denominator:
            return Fraction(top, bottom)
    return math.sqrt(value)


def _whole(value: Number) -> int:
    if value != int(value):
        raise CalculationError("that function takes whole numbers")
    return int(value)


def _factorial(value: Number) -> int:
    n = _whole(value)
    if n > MAX_BITS:
        raise OverflowError
    return math.factorial(n)


def _round(value: Number, digits: Number = 0.0) -> Number:
    return round(Fraction(value), max(-MAX_LENGTH, min(MAX_LENGTH, _whole(digits))))


def _on_whole(function: Callable[..., int]) -> Callable[..., int]:
    return lambda *values: function(*map(_whole, values))


_BINARY: dict[str, Callable[[Number, Number], Number]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": operator.mod,
}
_CONSTANTS: dict[str, float] = {"pi": math.pi, "e": math.e, "tau": math.tau}
_FUNCTIONS: dict[str, Callable[..., Number | int]] = {
    "sqrt": _sqrt,
    "cbrt": math.cbrt,
    "abs": abs,
    "round": _round,
    "floor": math.floor,
    "ceil": math.ceil,
    "min": lambda *values: min(values),
    "max": lambda *values: max(values),
    "exp": math.exp,
    "ln": lambda value: math.log(value),
    "log": math.log,
    "log10": math.log10,
    "log2": math.log2,
    "sin": math.sin,
    "cos": math.cos,
    "tan": math.tan,
    "asin": math.asin,
    "acos": math.acos,
    "atan": math.atan,
    "atan2": math.atan2,
    "sinh": math.sinh,
    "cosh": math.cosh,
    "tanh": math.tanh,
    "degrees": math.degrees,
    "radians": math.radians,
    "hypot": math.hypot,
    "gcd": _on_whole(math.gcd),
    "lcm": _on_whole(math.lcm),
    "factorial": _factorial,
}


def _spell(value: Number) -> str:
    if isinstance(value, Fraction):
        if value.denominator == 1:
            return str(value.numerator)
        if exact := _spell_terminating(value):
            return exact
    return f"{float(value) + 0.0:.{SIGNIFICANT_DIGITS}g}"  # adding makes 0 of -0


def _spell_terminating(value: Fraction, longest: int = 30) -> str:
    """A decimal that ends within ``longest`` digits, exactly; "" for others."""
    quotient = Context(prec=longest).divide(Decimal(value.numerator), Decimal(value.denominator))
    if Fraction(quotient) != value or quotient.adjusted() < -longest:
        return ""
    return f"{quotient:f}"
