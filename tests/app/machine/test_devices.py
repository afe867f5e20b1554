import pytest

from app.domain.errors import AppError
from app.engine.probe import ask
from app.machine.devices import GIB, gpu, invented_gpus, invented_ram, parse_size, read_bandwidth, this_ram


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("24GB", 24 * GIB),
        ("24 GiB", 24 * GIB),
        ("24g", 24 * GIB),
        ("24", 24 * GIB),
        ("0.5T", 512 * GIB),
        ("1536MB", 1536 << 20),
        ("4294967296B", 4 * GIB),
    ],
)
def test_sizes(text, expected):
    assert parse_size(text) == expected


@pytest.mark.parametrize("text", ["", "GB", "-3GB", "0", "24 apples", "1e5GB", "999999TB", "3B"])
def test_what_is_no_size_is_one_sentence(text):
    with pytest.raises(AppError) as caught:
        parse_size(text)
    assert caught.value.code == "plan-size"


def test_an_invented_machine_keeps_something_for_its_system():
    assert invented_ram(256 * GIB).free == 252 * GIB
    assert invented_ram(8 * GIB).free == 6 * GIB
    first, second = invented_gpus([24 * GIB, 96 * GIB])
    assert (first.name, second.name) == ("GPU 1", "GPU 2")
    assert first.bandwidth < second.bandwidth
    assert not first.measured


def test_this_machines_memory():
    ram = this_ram(measure=False)
    assert 0 < ram.free <= ram.total
    assert not ram.measured
    assert read_bandwidth(size=1 << 20, rounds=1) > 1e8


def test_an_invented_gpu_has_what_is_free() -> None:
    assert gpu("x", 24 * GIB, 20 * GIB).free == 20 * GIB


@pytest.mark.model
def test_llama_is_asked_for_gpus_in_a_child():
    gpus, amx = ask()
    assert all(total >= free >= 0 and name for name, total, free in gpus)
    assert amx in (True, False)
