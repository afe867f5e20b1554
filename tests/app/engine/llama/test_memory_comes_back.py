"""Models come and go, and the program is as large as before."""

import gc
import threading

import psutil
import pytest

from app.domain.models import LoadRequest

pytestmark = pytest.mark.model


def size():
    """Memory of this process alone, what it has open, and what runs in it and below it."""
    gc.collect()
    me = psutil.Process()
    with me.oneshot():
        opened = me.num_fds() if hasattr(me, "num_fds") else me.num_handles()
        children = [child for child in me.children() if "resource_tracker" not in " ".join(child.cmdline())]
        return me.memory_full_info().uss, opened, len(children), threading.active_count()


def test_ten_models_loaded_and_unloaded_in_a_row(make_engine, tiny_path, smol_path):
    recorded = make_engine()

    def use(path):
        recorded.engine.load(LoadRequest(path, context=1024, threads=1))
        assert recorded.run(recorded.ids("Once upon a time"), max_tokens=20).text
        recorded.engine.unload()
        recorded.events.clear()

    for path in (tiny_path, smol_path):  # what the first ones leave in caches of modules is no leak
        use(path)
    memory, *others = size()
    for path in (tiny_path, smol_path) * 5:
        use(path)
    after, *others_after = size()
    assert after <= 1.05 * memory
    assert others_after == others
