"""Damaged model files, through the real engine: each is one sentence, whatever it does to the child process."""

from pathlib import Path

import pytest

from app.domain.errors import AppError
from app.domain.models import LoadRequest, Sampling

pytestmark = pytest.mark.model
BUGS = ("engine-bug", "engine-died", "engine-closed")  # none of these tells what is wrong with the file
HEADER = "gpt-oss-20b-mxfp4"
PROMPT = "Hello there, what is 17*23? Größer, 更大, 🙂."


@pytest.fixture
def sources(damaged_models, random_models, tmp_path):
    """Good models of several kinds, and a header alone."""
    found = {name: data for name, data in damaged_models.sources().items() if name in ("alcove-tiny", HEADER)}
    for kind in random_models.kinds(random_models._shapes()):
        random_models.write(tmp_path / "random.gguf", kind)
        found[kind] = (tmp_path / "random.gguf").read_bytes()
    return found


@pytest.fixture
def limited(make_engine, tmp_path, monkeypatch):
    """An engine whose children cannot take the machine's memory, and whose temporary files are seen."""
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1]))  # limited_child
    import limited_child

    return make_engine(target=limited_child.run)


def outcome(recorded, case, folder):
    """The error, or None where it loads and writes a token."""
    try:
        recorded.engine.load(LoadRequest(str(case.write(folder)), context=512, threads=1))
        ids = recorded.ids(PROMPT)[:64] or (0,)
        recorded.run(ids, max_tokens=1, sampling=Sampling(temperature=1.0, top_k=40, seed=1))
    except AppError as error:
        return error
    return None


def is_sentence(error):
    text = str(error)
    one_paragraph = "\n" not in text and text.endswith(".") and len(text) < 600 and "Traceback" not in text
    return one_paragraph and error.info.hint and error.code not in BUGS


def all_of(cases, recorded, folder, tiny_path):
    """The codes of all, after which the engine is as good as before and nothing is left."""
    codes = []
    for number, case in enumerate(cases):
        error = outcome(recorded, case, folder / str(number))
        assert error is None or is_sentence(error), f"{case.id}: {error} {error.info.detail}"
        codes.append("ok" if error is None else error.code)
    recorded.engine.load(LoadRequest(tiny_path, threads=1))
    assert recorded.run(recorded.ids(), max_tokens=3).text
    recorded.engine.close()
    assert not list((folder / "temporary").iterdir())
    return codes


def test_each_kind_of_damage_is_one_sentence(limited, damaged_models, sources, tmp_path, tiny_path, caplog):
    """Every second kind; a load takes a fifth of a second."""
    cases = list(damaged_models.cases(sources, len(damaged_models.KINDS)))[::2]
    codes = all_of(cases, limited, tmp_path, tiny_path)
    assert len(codes) == len(damaged_models.KINDS) // 2
    assert {"ok", "model-damaged", "load-crashed"} <= set(codes)


@pytest.mark.nightly
@pytest.mark.timeout(1200)
def test_five_hundred_damaged_files(limited, damaged_models, sources, tmp_path, tiny_path, caplog):
    codes = all_of(damaged_models.cases(sources, 518), limited, tmp_path, tiny_path)
    assert len(codes) > 500
    assert 20 < codes.count("ok") < 200


def test_the_files_are_the_same_every_time(damaged_models):
    first, second = (
        [(case.id, case.files) for case in damaged_models.cases(damaged_models.sources(), 40)] for _ in range(2)
    )
    assert first == second


def test_what_is_taken_apart_is_put_together_again(damaged_models):
    for data in damaged_models.sources().values():
        assert damaged_models.parse(data).bytes() == data
