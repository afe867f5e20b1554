from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from app.engine.llama.text import TextStream, open_end


@given(st.text(max_size=40), st.data())
def test_characters_split_between_tokens_come_whole(text, data):
    raw = text.encode()
    cuts = sorted(data.draw(st.sets(st.integers(0, len(raw)), max_size=20)) | {0, len(raw)})
    stream = TextStream()
    parts = [stream.feed(raw[a:b]) for a, b in pairwise(cuts)]
    assert "".join(parts) == text
    assert "�" in text or not any("�" in part for part in parts)


@given(st.binary(max_size=40))
def test_bytes_that_are_no_text_never_raise(raw):
    stream = TextStream()
    for byte in raw:
        stream.feed(bytes([byte]))
    stream.reset()
    assert stream.feed(b"ok") == "ok"


@given(st.text(min_size=1, max_size=10), st.integers(0, 40))
def test_an_answer_goes_on_inside_a_character(text, cut):
    raw = text.encode()
    cut = min(cut, len(raw))
    whole = raw[:cut].decode("utf-8", "ignore")
    stream = TextStream(open_end(range(cut), lambda at: raw[at : at + 1]))
    assert stream.feed(raw[cut:]) == text[len(whole) :]
