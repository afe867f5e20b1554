from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from app.domain.models import TokenPiece
from app.engine.stops import StopScanner

letters = st.text("abc", max_size=40)


@st.composite
def cut_texts(draw):
    text = draw(letters)
    cuts = sorted(draw(st.sets(st.integers(0, len(text)), max_size=10)) | {0, len(text)})
    return text, [text[a:b] for a, b in pairwise(cuts)]


@given(cut_texts(), st.lists(st.text("abc", min_size=1, max_size=4), max_size=3))
def test_the_text_before_the_first_stop_however_it_is_cut(cut, stops):
    text, parts = cut
    scanner = StopScanner(stops)
    out, stopped = "", False
    for index, part in enumerate(parts):
        pieces, stopped = scanner.feed(TokenPiece(index, part, False))
        out += "".join(piece.text for piece in pieces)
        assert text.startswith(out)
        if stopped:
            break
    else:
        out += "".join(piece.text for piece in scanner.flush())
    # A stop string is found when its last character arrives: the one that ends first wins.
    ends = [text.find(stop) + len(stop) for stop in stops if stop in text]
    assert stopped is bool(ends)
    if not stopped:
        assert out == text
    else:
        assert not any(stop in out for stop in stops)


def test_the_piece_with_the_stop_keeps_what_stands_before_it():
    scanner = StopScanner(["END"])
    assert scanner.feed(TokenPiece(1, "abc", False)) == ([TokenPiece(1, "abc", False)], False)
    assert scanner.feed(TokenPiece(2, "dE", False)) == ([], False)
    assert scanner.feed(TokenPiece(3, "NDx", False)) == ([TokenPiece(2, "d", False)], True)


def test_pieces_without_text_stay_in_order():
    scanner = StopScanner(["END"])
    assert scanner.feed(TokenPiece(1, "E", False)) == ([], False)
    assert scanner.feed(TokenPiece(2, "", False)) == ([], False)
    pieces, stopped = scanner.feed(TokenPiece(3, "x", False))
    assert [piece.id for piece in pieces] == [1, 2, 3]
    assert not stopped
