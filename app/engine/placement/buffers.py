"""How large a compute buffer gets: ggml's graph allocator (ggml/src/ggml-alloc.c), played over tensor sizes.

A node is allocated when it is computed, in place of an input of its own size where the operation allows it and nobody
else needs that input, and freed after its last use. Free blocks are chosen by best fit; the buffer ends where the
highest block ever ended.
"""

from collections.abc import Sequence

ALIGNMENT = 128


class Node:
    """A tensor of a graph. ``view_of``: the one whose memory it looks at, having none of its own."""

    __slots__ = ("address", "allocated", "children", "in_place", "size", "sources", "view_of", "views")

    def __init__(
        self, size: int, sources: Sequence["Node"] = (), *, in_place: bool = False, view_of: "Node | None" = None
    ) -> None:
        self.size = -(-size // ALIGNMENT) * ALIGNMENT
        self.sources = sources
        self.in_place = in_place
        self.view_of = view_of
        self.children = 0
        self.views = 0
        self.address = 0
        self.allocated = False


class Graph:
    """Nodes in the order in which they are computed; inputs are there from the beginning."""

    def __init__(self) -> None:
        self._inputs: list[Node] = []
        self._nodes: list[Node] = []

    def input(self, size: int) -> Node:
        node = Node(size)
        self._inputs.append(node)
        return node

    def op(self, size: int, *sources: Node) -> Node:
        return self._add(Node(size, sources))

    def in_place(self, size: int, *sources: Node) -> Node:
        """An operation that may overwrite a source of its own size (ggml_op_can_inplace)."""
        return self._add(Node(size, sources, in_place=True))

    def view(self, source: Node, size: int = 0) -> Node:
        """A part of a tensor (of ``size`` bytes), or another look at it."""
        return self._add(Node(size or source.size, (source,), view_of=source.view_of or source))

    def done(self, *sources: Node) -> None:
        """An operation that writes elsewhere: into a cache."""
        self._add(Node(0, sources))

    def _add(self, node: Node) -> Node:
        self._nodes.append(node)
        return node

    def buffer_size(self) -> int:
        """Bytes. A graph can be measured once."""
        for node in self._nodes:
            if node.view_of is not None:
                node.view_of.views += 1
            for source in node.sources:
                source.children += 1
        memory = _Memory()
        for node in self._inputs:
            node.address, node.allocated = memory.take(node.size), True
        for node in self._nodes:
            _allocate(node, memory)
            for source in node.sources:
                source.children -= 1
                if source.children == 0 and source.views == 0:
                    _release(source, memory)
        return memory.end


def _allocate(node: Node, memory: "_Memory") -> None:
    if node.view_of is not None or node.size == 0:
        return
    node.allocated = True
    for source in node.sources if node.in_place else ():
        # Views are never overwritten: ggml_gallocr_is_own is false for them.
        if source.allocated and source.size == node.size and source.children == 1 and not source.views:
            node.address, source.allocated = source.address, False
            return
    node.address = memory.take(node.size)


def _release(node: Node, memory: "_Memory") -> None:
    owner = node
    if node.view_of is not None:
        owner = node.view_of
        owner.views -= 1
        if owner.views or owner.children:
            return
    if owner.allocated:
        memory.give(owner.address, owner.size)
        owner.allocated = False


class _Memory:
    """Free blocks (address, size) sorted by address; the last one has no end."""

    def __init__(self) -> None:
        self._blocks: list[tuple[int, int]] = [(0, 1 << 100)]
        self.end = 0

    def take(self, size: int) -> int:
        fitting = [index for index, block in enumerate(self._blocks[:-1]) if block[1] >= size]
        # Of equal blocks ggml takes the last.
        index = min(fitting, key=lambda i: (self._blocks[i][1], -i)) if fitting else len(self._blocks) - 1
        address, free = self._blocks[index]
        if free == size:
            del self._blocks[index]
        else:
            self._blocks[index] = (address + size, free - size)
        self.end = max(self.end, address + size)
        return address

    def give(self, address: int, size: int) -> None:
        at = next(index for index, block in enumerate(self._blocks) if block[0] > address)
        if self._blocks[at][0] == address + size:
            size += self._blocks.pop(at)[1]
        if at and sum(self._blocks[at - 1]) == address:
            before = self._blocks.pop(at - 1)
            address, size = before[0], before[1] + size
            at -= 1
        self._blocks.insert(at, (address, size))
