"""What is said of an exception where strangers may read it."""

import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from app.domain.errors import AppError
from app.domain.faults import MOST_CAUSES, MOST_FRAMES, described, traced

SECRET = "heliotrope"


def raised(action: Callable[[], object]) -> BaseException:
    with pytest.raises(BaseException) as caught:  # noqa: PT011 - of any kind
        action()
    return caught.value


def _search() -> None:
    connection = sqlite3.connect(":memory:")
    try:
        connection.execute("CREATE VIRTUAL TABLE t USING fts5(x)")
        connection.execute("SELECT * FROM t WHERE t MATCH ?", (f'{SECRET}"',))
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        (lambda: int(SECRET), "ValueError"),
        (lambda: {}[SECRET], "KeyError"),
        (lambda: Path(f"/nowhere/{SECRET}").read_text(), "FileNotFoundError: [Errno 2] No such file or directory"),
        (lambda: None.text, "AttributeError: 'NoneType' object has no attribute 'text'"),
        (lambda: [][1], "IndexError: list index out of range"),
        (_search, "sqlite3.OperationalError: SQLITE_ERROR"),
    ],
)
def test_only_what_the_interpreter_says_is_kept(action: Callable[[], object], expected: str) -> None:
    assert described(raised(action)) == expected


def test_our_own_errors_are_named_unfilled() -> None:
    error = AppError("missing", "There is no file {path}.", "Look.", path=f"/{SECRET}", detail=SECRET)
    assert described(error) == "app.domain.errors.AppError: missing: There is no file {path}."


def test_a_subclass_may_say_anything() -> None:
    class Strange(TypeError):
        pass

    assert SECRET not in described(Strange(SECRET))


def test_a_traceback_names_the_places_and_the_causes() -> None:
    def outer() -> None:
        try:
            int(SECRET)
        except ValueError as error:
            raise RuntimeError(SECRET) from error

    text = traced(raised(outer))
    assert SECRET not in text.replace("int(SECRET)", "")
    assert text.index("ValueError") < text.index("RuntimeError")
    assert text.count("Traceback (most recent call last):") == 2
    assert "int(SECRET)" in text  # the line of the program


def test_an_endless_recursion_and_a_circle_of_causes_stay_short() -> None:
    def again(depth: int) -> int:
        return again(depth + 1) + again(depth + 2)

    limit = sys.getrecursionlimit()
    text = traced(raised(lambda: again(0)))
    assert sys.getrecursionlimit() == limit
    assert text.count("\n") < 4 * MOST_FRAMES
    one, other = ValueError(), ValueError()
    one.__cause__, other.__cause__ = other, one
    assert traced(one).count("ValueError") == 2
    long: BaseException = ValueError()
    for _ in range(50):
        further = ValueError()
        further.__cause__ = long
        long = further
    assert traced(long).count("ValueError") == MOST_CAUSES
