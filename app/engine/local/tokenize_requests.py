"""Questions about tokens: held until there is a model, answered by the child's tokenizer thread in any order."""

from app.domain.errors import AppError
from app.engine.local.jobs import TokenizeJob
from app.engine.local.process import EngineChild
from app.engine.messages import Tokenize, Tokenized


class TokenizeRequests:
    """Those that were not answered yet. Used by the engine's thread alone."""

    def __init__(self) -> None:
        self._held: list[TokenizeJob] = []
        self._asked: dict[int, TokenizeJob] = {}
        self._next_id = 0

    @property
    def held(self) -> bool:
        return bool(self._held)

    @property
    def asked(self) -> bool:
        return bool(self._asked)

    def hold(self, job: TokenizeJob) -> None:
        self._held.append(job)

    def ask(self, child: EngineChild) -> None:
        held, self._held = self._held, []
        for job in held:
            self._next_id += 1
            self._asked[self._next_id] = job
            child.tell(Tokenize(self._next_id, job.texts, job.add_special))

    def answer(self, reply: Tokenized) -> None:
        job = self._asked.pop(reply.id)
        job.answer.put(reply.ids if reply.error is None else AppError.of(reply.error))

    def ask_again(self) -> None:
        """Of the next child, before those that were held."""
        self._held = [*self._asked.values(), *self._held]
        self._asked.clear()

    def fail(self, error: AppError, *, held: bool = True) -> None:
        """Those that were asked, and those that are ``held``."""
        for job in (*self._asked.values(), *(self._held if held else ())):
            job.fail(error)
        self._asked.clear()
        if held:
            self._held.clear()
