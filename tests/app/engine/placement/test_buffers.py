from hypothesis import given, settings
from hypothesis import strategies as st

from app.engine.placement.buffers import ALIGNMENT, Graph

K = 1024


def test_a_chain_needs_two_at_a_time():
    graph = Graph()
    node = graph.input(K)
    for _ in range(10):
        node = graph.op(K, node)
    assert graph.buffer_size() == 2 * K


def test_in_place_needs_one_unless_somebody_still_needs_the_source():
    graph = Graph()
    node = graph.input(K)
    for _ in range(10):
        node = graph.in_place(K, node)
    assert graph.buffer_size() == K
    graph = Graph()
    start = graph.input(K)
    graph.op(K, graph.in_place(K, start), start)
    assert graph.buffer_size() == 3 * K


def test_a_view_keeps_its_owner_alive():
    graph = Graph()
    owner = graph.op(K)
    view = graph.view(owner)
    other = graph.op(K, view)
    graph.op(K, other)
    assert graph.buffer_size() == 2 * K
    graph = Graph()
    view = graph.view(graph.op(K))
    graph.op(K, graph.op(K, graph.op(K)), view)
    assert graph.buffer_size() == 3 * K


def test_freed_memory_is_merged_and_reused():
    graph = Graph()
    parts = [graph.op(K) for _ in range(4)]
    graph.done(*parts)
    graph.op(4 * K)
    assert graph.buffer_size() == 4 * K


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 9), st.lists(st.integers(0, 30), max_size=3), st.booleans()), max_size=30))
def test_a_buffer_holds_everything_that_is_alive_at_once(operations):
    graph = Graph()
    nodes = [graph.input(ALIGNMENT)]
    sizes = [1]
    last_use = {}
    for index, (size, sources, in_place) in enumerate(operations, 1):
        chosen = sorted({source % len(nodes) for source in sources})
        for source in chosen:
            last_use[source] = index
        nodes.append((graph.in_place if in_place else graph.op)(size * ALIGNMENT, *(nodes[s] for s in chosen)))
        sizes.append(size)
    alive = [
        sum(size for node, size in enumerate(sizes[:at]) if last_use.get(node, 1 << 30) > at)
        for at in range(1, len(sizes) + 1)
    ]
    assert max(alive) * ALIGNMENT <= graph.buffer_size() <= sum(sizes) * ALIGNMENT
