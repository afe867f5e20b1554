"""Which processors there are and how busy they are, on an imagined machine and on this one."""

import os
import sys
import threading

import pytest

from app.machine.cores import cores, move_to, one_of_each_core, processor_time


def test_one_processor_of_each_core(tmp_path):
    for processor, siblings in enumerate(("0,4", "1,5", "2-3", "2-3", "0,4", "1,5")):
        folder = tmp_path / f"cpu{processor}" / "topology"
        folder.mkdir(parents=True)
        (folder / "thread_siblings_list").write_text(siblings + "\n")
    assert one_of_each_core({0, 1, 2, 3, 4, 5}, tmp_path) == (0, 1, 2)
    assert one_of_each_core({3, 4}, tmp_path) == (3, 4)
    assert one_of_each_core({0, 9}, tmp_path) == ()


def test_this_process_may_use_some():
    assert 1 <= cores() <= (os.cpu_count() or 1)


def test_time_passes():
    before = processor_time()
    sum(range(2_000_000))
    after = processor_time()
    assert after.wall > before.wall
    assert after.own > before.own
    assert after.busy >= before.busy


@pytest.mark.skipif(sys.platform != "linux", reason="Linux alone can do it")
def test_a_thread_moves_and_the_others_stay():
    everywhere = os.sched_getaffinity(0)
    seen = []

    def move():
        seen.append(move_to({min(everywhere)}))
        seen.append(os.sched_getaffinity(0))
        seen.append(move_to({4095}))

    thread = threading.Thread(target=move)
    thread.start()
    thread.join()
    assert seen == [True, {min(everywhere)}, False]
    assert os.sched_getaffinity(0) == everywhere
