import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import ErrorInfo
from app.domain.messages import GenerationStats, StopReason
from app.engine.messages import Failed, LoadProgress, Made, Tokenized, decode, encode
from app.engine.protocol import Finished, Prefill


@given(st.lists(st.tuples(st.integers(0, 1 << 31), st.text(), st.booleans()), min_size=1, max_size=20))
def test_tokens_travel_unchanged(tokens):
    made = Made(*zip(*tokens, strict=True))
    assert decode(encode(made)) == made


@pytest.mark.parametrize(
    "reply",
    [
        LoadProgress(0.5),
        Prefill(1, 2, 0),
        Finished(StopReason.STOP, GenerationStats(3), 7),
        Failed(ErrorInfo("code", "Message {x}.", values={"x": "1"})),
        Tokenized(1, ((1, 2), ())),
    ],
)
def test_everything_else_does_too(reply):
    assert decode(encode(reply)) == reply
