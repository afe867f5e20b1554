"""The engine's real child, its two calls into llama.cpp for each token watched. Spawned processes import this module.

What the thread computes between those calls is our own overhead: making text, stop strings, messages, choosing threads.
It is counted in CPU time of the thread, so that other programs do not disturb; the watching itself is counted, too.
The environment says what to do (see ``Orders``), because the arguments of a child are fixed.
"""

import json
import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

from app.domain.models import LoadRequest
from app.engine.learned.saved_states import StateFolder
from app.engine.llama import child
from app.process.parent import Parent

VARIABLE = "ALCOVE_BENCH_ORDERS"
STEP = 64  # tokens a line of the report


@dataclass(frozen=True, slots=True)
class Orders:
    """``report``: a file that gets a line for every ``STEP`` tokens: tokens in the context, nanoseconds a token.
    ``tokens``: what the model is made to write, over and over. ``compute``: whether llama.cpp is really asked for each
    of them. ``alone``: no token waits for others to travel with."""

    report: str
    tokens: tuple[int, ...]
    context: int
    compute: bool = False
    alone: bool = False

    def give(self) -> None:
        """To the children that are started from now on."""
        os.environ[VARIABLE] = json.dumps(asdict(self))


class _Watch:
    def __init__(self, orders: Orders) -> None:
        self._orders = orders
        self._left: int | None = None  # when the last watched call was left, in the thread's CPU time
        self._own = self._count = 0

    def decode(self, function: Callable[..., int]) -> Callable[..., int]:
        clock = time.thread_time_ns

        def call(context: Any, batch: Any) -> int:
            entered = clock()
            if batch.n_tokens > 1:  # a prompt: what comes before is no token's
                self._left = None
            elif self._left is not None:
                self._own += entered - self._left
            result = function(context, batch) if self._orders.compute or batch.n_tokens > 1 else 0
            self._left = clock()
            return result

        return call

    def sample(self, function: Callable[..., int]) -> Callable[..., int]:
        clock, tokens = time.thread_time_ns, self._orders.tokens

        def call(*arguments: Any) -> int:
            entered = clock()
            if self._left is not None:
                self._own += entered - self._left
            if self._orders.compute:
                function(*arguments)
            self._count += 1
            if self._count % STEP == 0:
                self._report()
            self._left = clock()
            return tokens[self._count % len(tokens)]

        return call

    def _report(self) -> None:
        with open(self._orders.report, "a", encoding="utf-8") as file:  # noqa: PTH123 - the child's start is short
            file.write(f"{self._count} {self._own // STEP}\n")
        self._own = 0


def run(parent: Parent, request: LoadRequest, states: StateFolder | None = None) -> None:
    from app.engine.llama import answer
    from app.engine.llama.bindings import lib

    orders = Orders(**json.loads(os.environ[VARIABLE]))
    if orders.alone:
        answer.FLUSH_S = 0.0

    watch = _Watch(orders)
    lib.llama_decode = watch.decode(lib.llama_decode)
    lib.llama_sampler_sample = watch.sample(lib.llama_sampler_sample)
    child.run(parent, replace(request, context=orders.context), states)
