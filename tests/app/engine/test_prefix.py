"""What two prompts begin with."""

from app.engine.prefix import common_prefix


def test_common_prefix():
    assert common_prefix((), (1,)) == 0
    assert common_prefix((1, 2, 3), [1, 2]) == 2
    assert common_prefix([1, 2, 3], (1, 5, 3)) == 1
