"""Threads that compute on all cores have a core each."""

import json
import os
import sys

import pytest

from app.domain.models import LoadRequest
from app.machine.cores import cores, one_of_each_core

pytestmark = [
    pytest.mark.model,
    pytest.mark.skipif(
        sys.platform != "linux" or not 1 < len(one_of_each_core(os.sched_getaffinity(0))) == cores(),
        reason="Linux gives each thread a core, where it has several and tells them apart",
    ),
]


@pytest.mark.parametrize("threads", [cores(), 1])
def test_threads_on_all_cores_have_one_each_and_fewer_are_free(make_engine, tiny_path, children, threads):
    recorded = make_engine(target=children.tells_processors)
    said = json.loads(recorded.engine.load(LoadRequest(tiny_path, threads=threads)).template)
    everywhere = sorted(os.sched_getaffinity(0))
    if threads == cores():
        assert sorted(said["meanwhile"]) == [[core] for core in one_of_each_core(everywhere)]
    else:
        assert said["meanwhile"][0] == everywhere
    assert said["after"] == everywhere
