"""The real engine: nothing is read twice, whether another conversation came between or the program ended."""

import pytest

from app.domain.cancel import CancelToken
from app.domain.models import LoadRequest, PromptText, Sampling
from app.engine.learned.saved_states import StateFolder
from app.engine.protocol import GenerationRequest, Prefill

pytestmark = pytest.mark.model


@pytest.fixture
def folder(tmp_path):
    return StateFolder(tmp_path / "states", 1 << 30)


@pytest.fixture
def start(make_engine, tiny_path, folder):
    """Starts an engine with alcove-tiny and a folder for its states, as the program does."""

    def make(path=tiny_path, **wiring):
        recorded = make_engine(**{"states": folder, **wiring})
        recorded.engine.load(LoadRequest(path, threads=1, threads_batch=1))
        return recorded

    return make


def text(recorded, sentence, times=40):
    return recorded.engine.tokenize([PromptText(sentence * times)])[0]


def files(folder):
    return sorted(folder.path.glob("*")) if folder.path.exists() else []


def test_another_conversation_and_back(start):
    recorded = start()
    sea, hill = text(recorded, "The sea is wide. "), text(recorded, "What a hill! ")
    first = recorded.run(sea, max_tokens=5, conversation="sea")
    assert (first.stats.cached_from, first.stats.known_tokens) == ("none", 0)
    recorded.run(hill, max_tokens=5, conversation="hill")
    longer = (*sea, *first.ids, *hill[:10])
    again = recorded.run(longer, max_tokens=5, conversation="sea")
    assert again.stats.cached_from == "disk"
    assert again.stats.cached_tokens == again.stats.known_tokens == len(sea) + len(first.ids) - 1
    assert 0 < again.stats.restore_s < again.stats.prefill_s
    assert recorded.run(longer, max_tokens=5, conversation="sea").stats.cached_from == "memory"


def test_after_a_restart_and_the_same_answer(start):
    recorded = start()
    sea = text(recorded, "The sea is wide. ")
    first = recorded.run(sea, max_tokens=20, conversation="sea")
    recorded.engine.close()
    recorded = start()
    again = recorded.run(sea, max_tokens=20, conversation="sea")
    assert again.ids == first.ids
    assert (again.stats.cached_from, again.stats.cached_tokens) == ("disk", len(sea) - 1)


def test_a_new_conversation_starts_from_what_others_have_in_common(start):
    recorded = start()
    sea, hill = text(recorded, "The sea is wide. "), text(recorded, "What a hill! ")
    recorded.run(sea, max_tokens=2, conversation="sea")
    recorded.run(hill, max_tokens=2, conversation="hill")
    branch = recorded.run((*sea[:200], *hill[:20]), max_tokens=2, conversation="new")
    assert (branch.stats.cached_from, branch.stats.cached_tokens) == ("disk", 200)
    assert branch.stats.known_tokens == len(sea) + 1


def test_a_sibling_branch_and_back(start):
    recorded = start()
    sea, hill, moor = (text(recorded, line) for line in ("The sea is wide. ", "What a hill! ", "A moor is wet. "))
    one, other, third = ((*sea, *more) for more in (hill, moor, hill[::-1]))
    said = recorded.run(one, max_tokens=5, conversation="walk")
    for prompt in (other, third):
        parted = recorded.run(prompt, max_tokens=5, conversation="walk")
        assert len(sea) <= parted.stats.cached_tokens < len(sea) + 5  # the beginning is common
    for prompt in (one, other, third):
        back = recorded.run((*prompt, *sea[:5]), max_tokens=1, conversation="walk")
        assert back.stats.cached_tokens == len(prompt)
        assert back.stats.cached_from == "disk"
    assert recorded.run(one, max_tokens=5, conversation="walk").ids == said.ids


def test_what_is_read_ahead_takes_the_place_of_what_it_parts_from(start, folder, wait_for):
    recorded = start()
    sea, hill, moor = (text(recorded, line) for line in ("The sea is wide. ", "What a hill! ", "A moor is wet. "))
    recorded.run((*sea, *hill, *hill), max_tokens=5, conversation="walk")
    wait_for(lambda: list(folder.path.glob("*.state")))
    (path,) = folder.path.glob("*.state")
    recorded.engine.read_ahead((*sea, *moor), "walk")
    wait_for(lambda: folder.best(path.name.split("-")[0], (*sea, *moor), len(sea) + len(moor) - 1, 1 << 20))
    assert files(folder) == [path]


def test_an_idle_moment_is_enough(start, folder, wait_for):
    recorded = start()
    recorded.run(text(recorded, "The sea is wide. "), max_tokens=2, conversation="sea")
    wait_for(lambda: files(folder))


def test_what_is_short_or_nobodys_is_not_saved(start, folder):
    recorded = start()
    recorded.run(text(recorded, "The sea is wide. "), max_tokens=2)
    recorded.run(text(recorded, "Hi ", 3), max_tokens=2, conversation="sea")
    recorded.engine.close()
    assert files(folder) == []


def test_forget(start, folder):
    recorded = start()
    sea, hill = text(recorded, "The sea is wide. "), text(recorded, "What a hill! ")
    recorded.run(sea, max_tokens=2, conversation="sea")
    recorded.run(hill, max_tokens=2, conversation="hill")  # "sea" is written now, "hill" is in the memory
    for conversation in ("sea", "hill"):
        recorded.engine.forget(conversation)
    recorded.engine.close()
    assert files(folder) == []


def test_a_stopped_prompt_is_worth_saving(start):
    recorded = start()
    sea, hill = text(recorded, "The sea is wide. ", 150), text(recorded, "What a hill! ")
    cancel = CancelToken()
    request = GenerationRequest(sea, Sampling(temperature=0), max_tokens=1, conversation="sea")
    for event in recorded.engine.generate(request, cancel):
        if isinstance(event, Prefill) and event.done >= 512:
            cancel.cancel()
    recorded.run(hill, max_tokens=2, conversation="hill")
    again = recorded.run(sea, max_tokens=1, conversation="sea")
    assert again.stats.cached_from == "disk"
    assert again.stats.cached_tokens >= 512


def test_damaged_and_foreign_files_only_cost_time(start, folder, smol_path):
    recorded = start()
    sea = text(recorded, "The sea is wide. ")
    plain = recorded.run(sea, max_tokens=5, conversation="sea")
    recorded.engine.close()
    (path,) = files(folder)
    data = path.read_bytes()
    recorded = start()
    for harmed in (data[: len(data) // 2], b"", data[:-1] + b"\0\0", data[:5000] + bytes(len(data) - 5000)):
        path.write_bytes(harmed)
        recorded.run(text(recorded, "What a hill! "), max_tokens=1)
        again = recorded.run(sea, max_tokens=5, conversation=f"sea {len(harmed)}")
        assert again.ids == plain.ids
        recorded.engine.forget(f"sea {len(harmed)}")
    path.write_bytes(data)
    other = start(smol_path)
    assert other.run(other.ids("The sea is wide. " * 20), max_tokens=1, conversation="sea").stats.cached_from == "none"


def test_a_folder_that_cannot_be_written(start, tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("no folder")
    recorded = start(states=StateFolder(blocked / "states"))
    sea, hill = text(recorded, "The sea is wide. "), text(recorded, "What a hill! ")
    for prompt in (sea, hill, sea):
        assert recorded.run(prompt, max_tokens=2, conversation=str(prompt[0])).stats.cached_from == "none"
