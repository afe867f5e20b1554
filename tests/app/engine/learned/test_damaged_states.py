"""Damaged and forged files of saved states, through the real engine: they cost time, and nothing else."""

import random
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest

from app.domain.events import EngineDied
from app.domain.models import LoadRequest
from app.engine.learned.saved_states import StateFolder, read_state

pytestmark = pytest.mark.model
KINDS = ("sliding window", "latent attention", "delta net", "mamba 2", "short convolutions")
# Forged states that hold something else than their tokens: nothing is left of them. In the others there may be nonsense
# of the right size, which nobody can tell from a state.
CONTRADICTORY = ("shorter state", "state without its end", "no state", "longer state", "fewer tokens", "more tokens")


def ids(seed, count):
    return tuple(random.Random(seed).choices(range(10, 290), k=count))


SEA, ELSEWHERE = ids(1, 400), ids(2, 40)
QUESTION = (*SEA, *ids(3, 30))


@pytest.fixture
def damages(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1]))  # limited_child
    import damaged_states

    return damaged_states


@pytest.fixture
def make(make_engine, damages, random_models, tmp_path, tiny_path):
    """An engine with the file of a conversation, its content, and the answer that comes without it."""
    import limited_child

    def load(kind):
        path = Path(tiny_path)
        if kind != "tiny":
            path = tmp_path / f"{kind}.gguf"
            random_models.write(path, kind)
        folder = StateFolder(tmp_path / kind, 1 << 28)

        def start():
            recorded = make_engine(target=limited_child.run, states=folder)
            recorded.engine.load(LoadRequest(str(path), context=1024, threads=1))
            return recorded

        first = start()
        first.run(SEA, max_tokens=3, conversation="sea")
        first.engine.close()
        (file,) = folder.path.glob("*.state")
        key = file.name.partition("-")[0]
        recorded = start()
        recorded.run(ELSEWHERE, max_tokens=1)
        plain = recorded.run(QUESTION, max_tokens=5).ids
        return SimpleNamespace(
            recorded=recorded, folder=folder, file=file, key=key, data=file.read_bytes(), plain=plain,
            saved=read_state(file, key),
        )  # fmt: skip

    return load


def ask(made, write):
    """What comes of the question, while the memory holds something else and ``write`` made the file."""
    for conversation in ("question", "sea"):
        made.recorded.engine.forget(conversation)
    made.recorded.run(ELSEWHERE, max_tokens=1)  # after this nothing is deleted or written any more
    write()
    return made.recorded.run(QUESTION, max_tokens=5, conversation="question")


def check_all(made, damages, turn):
    pid = made.recorded.engine.child_pid
    for name, change in damages.CARELESS.items():
        data = change(made.data, random.Random(f"{name} {turn}"))
        answer = ask(made, partial(made.file.write_bytes, data))
        assert (answer.stats.cached_from, answer.ids) == ("none", made.plain), name
        assert not made.file.exists(), name
    for name, change in damages.FORGED.items():
        saved = change(made.saved, random.Random(f"{name} {turn}"))
        answer = ask(made, partial(made.folder.write, made.key, "sea", saved))
        if name in CONTRADICTORY:
            assert (answer.stats.cached_from, answer.ids) == ("none", made.plain), name
            assert not made.file.exists(), name
    answer = ask(made, partial(made.file.write_bytes, made.data))
    assert answer.stats.cached_from == "disk"
    assert made.recorded.engine.child_pid == pid
    assert not made.recorded.of(EngineDied)
    return len(damages.CARELESS) + len(damages.FORGED)


@pytest.mark.parametrize("kind", ["tiny", "delta net"])
def test_each_kind_of_damage_only_costs_time(make, damages, kind):
    check_all(make(kind), damages, 0)


@pytest.mark.nightly
@pytest.mark.timeout(600)
def test_two_hundred_damaged_states(make, damages):
    total = 0
    for turn, kind in enumerate(("tiny", *KINDS)):
        total += check_all(make(kind), damages, turn + 1)
    assert total > 200
