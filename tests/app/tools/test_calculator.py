import ast
import contextlib
import operator
import time
from collections.abc import Callable
from fractions import Fraction

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.domain.messages import ToolStatus
from app.domain.tools import ToolContext
from app.tools.builtin.arithmetic import CalculationError, evaluate
from app.tools.builtin.calculator import Calculator

MakeContext = Callable[..., ToolContext]


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("17*23", "391"),
        ("1/3", "0.333333333333"),
        ("2/3", "0.666666666667"),
        ("0.1+0.2", "0.3"),
        ("7/2", "3.5"),
        ("-7//2", "-4"),
        ("-7 % 3", "2"),
        ("007+1", "8"),
        ("2**10", "1024"),
        ("2^10", "1024"),
        ("-2**2", "-4"),
        ("2**-1", "0.5"),
        ("2**3**2", "512"),
        ("(-8)**3", "-512"),
        ("4**0.5", "2"),
        ("0**0", "1"),
        ("(-1)**(10**400)", "1"),
        ("(-1)**(10**400+1)", "-1"),
        ("2 × 3 − 4 ÷ 2", "4"),
        ("3² + 2³", "17"),
        ("2+2=", "4"),
        ("--3", "3"),
        ("1e3", "1000"),
        ("1.5e-3", "0.0015"),
        (".5+5.", "5.5"),
        ("sqrt(16)", "4"),
        ("sqrt(2)", "1.41421356237"),
        ("sqrt(2)**2", "2"),
        ("sqrt(1/4)", "0.5"),
        ("Sin(0)", "0"),
        ("cos(pi)", "-1"),
        ("2*π", "6.28318530718"),
        ("log(8, 2)", "3"),
        ("ln(e)", "1"),
        ("log10(1000)", "3"),
        ("max(1, 2.5, 2)", "2.5"),
        ("round(2.675, 2)", "2.68"),
        ("round(7/3)", "2"),
        ("floor(-0.5)", "-1"),
        ("gcd(12, 18)", "6"),
        ("factorial(20)", "2432902008176640000"),
        ("2**100", str(2**100)),
        ("10**999", str(10**999)),
        ("0.5**5000*0", "0"),
        ("1e300*1e300", "1" + "0" * 600),
        ("-0.0*sin(1)", "0"),
        ("123456789012345678901234567890*10", "1234567890123456789012345678900"),
    ],
)
def test_values(expression: str, value: str) -> None:
    assert evaluate(expression) == value


@pytest.mark.parametrize(
    ("expression", "error"),
    [
        ("1/0", "division by zero"),
        ("1 % 0", "division by zero"),
        ("1//0", "division by zero"),
        ("0**-1", "division by zero"),
        ("", "not complete"),
        ("1+", "not complete"),
        ("(1", "a ')' is missing"),
        ("1)", "expected an operator before ')'"),
        ("2(3)", "expected an operator before '('"),
        ("1 2", "expected an operator before '2'"),
        ("*3", "expected a number before '*'"),
        ("x+1", "'x' is not known"),
        ("__import__('os')", "no part of arithmetic"),
        ("1; 2", "';' is no part of arithmetic"),
        ("sqrt", "must be followed by '('"),
        ("sqrt(-1)", "negative number"),
        ("(-8)**(1/3)", "negative number"),
        ("ln(0)", "no value there"),
        ("sin(1, 2)", "does not take 2 arguments"),
        ("factorial(1.5)", "whole numbers"),
        ("factorial(-1)", "no value there"),
        ("factorial(10**9)", "too large"),
        ("9**9**9**9", "too large"),
        ("10**1001", "too large"),
        ("exp(1000)", "too large"),
        ("1e999999999999", "too large"),
        ("(" * 400 + "1" + ")" * 400, "nested too deeply"),
        ("-" * 900 + "1", "nested too deeply"),
        ("1" * 1001, "longer than"),
    ],
)
def test_errors_say_what_is_wrong(expression: str, error: str) -> None:
    with pytest.raises(CalculationError) as caught:
        evaluate(expression)
    assert error in str(caught.value)


def test_the_tool_answers_in_text(make_context: MakeContext) -> None:
    calculator = Calculator()
    good = calculator.run({"expression": "17*23"}, make_context())
    assert (good.status, good.text) == (ToolStatus.OK, "391")
    bad = calculator.run({"expression": "1/0"}, make_context())
    assert (bad.status, bad.text) == (ToolStatus.FAILED, "Error: division by zero")


numbers = ["1", "2", "9", "0.5", "1e9", "1e-9", "pi", "e"]
signs = ["+", "-", "*", "/", "//", "%", "**", "^", "(", ")", ",", " ", "²", "×"]
functions = ["sqrt(", "factorial(", "round(", "log(", "gcd(", "lcm(", "exp(", "tan(", "hypot("]
odd = ["x", "\ud800", "∞", "٣"]
pieces = st.sampled_from([*numbers, *signs, *functions, *odd])


@settings(max_examples=300, deadline=None)
@given(st.lists(pieces, max_size=40).map("".join) | st.text(max_size=40))
@example("9**999*9**999**-1")
@example("(9/7)**999" + "*(9/7)**999" * 80)
@example("lcm(" + ",".join(f"{n}**99" for n in range(900, 1000)) + ")")
def test_anything_ends_soon_with_a_value_or_an_error(expression: str) -> None:
    begin = time.process_time()
    with contextlib.suppress(CalculationError):
        assert len(evaluate(expression)) <= 1002
    assert time.process_time() - begin < 1


OPERATORS: dict[str, Callable[[Fraction, Fraction], Fraction]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
}
trees = st.recursive(
    st.integers(0, 99).map(str),
    lambda inner: st.tuples(inner, st.sampled_from("+-*/"), inner, st.booleans()).map(
        lambda t: f"({t[0]}{t[1]}{t[2]})" if t[3] else f"{t[0]} {t[1]} {t[2]}"
    ),
    max_leaves=8,
)


@settings(max_examples=100, deadline=None)
@given(trees)
def test_the_four_operations_are_exact(expression: str) -> None:
    def exact(node: ast.expr) -> Fraction:
        match node:
            case ast.BinOp():
                left, right = exact(node.left), exact(node.right)
                name = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}[type(node.op)]
                return OPERATORS[name](left, right)
            case ast.Constant(value=int(value)):
                return Fraction(value)
            case _:
                raise AssertionError(ast.dump(node))

    try:
        expected = exact(ast.parse(expression, mode="eval").body)
    except ZeroDivisionError:
        with pytest.raises(CalculationError, match="division by zero"):
            evaluate(expression)
        return
    shown = Fraction(evaluate(expression))
    if expected.denominator == 1:
        assert shown == expected
    assert abs(shown - expected) <= abs(expected) * Fraction(1, 10**11)
