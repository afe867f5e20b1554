"""What a person is told who gives a number that cannot be meant."""

import pytest

from app.cli import main


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("ask hello --max-tokens 0", "--max-tokens: must be at least 1"),
        ("ask hello --max-tokens many", "--max-tokens: 'many' is no whole number"),
        ("plan x.gguf --gpu-layers -1", "--gpu-layers: must be at least 0"),
        ("plan x.gguf --context 99999999999", "--context: must be at most"),
        ("search hello --docs . -k 0", "-k: must be at least 1"),
        ("models search kimi --limit 0", "--limit: must be at least 1"),
    ],
)
def test_a_number_that_cannot_be_meant_is_bad_usage(line: str, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(line.split())
    assert ended.value.code == 2
    assert words in capsys.readouterr().err
