"""Who waits for the engine, in order."""

from collections import deque
from typing import TypeAlias

from app.domain.errors import AppError, Cancelled
from app.engine.local.jobs import GenerateJob, LoadJob, UnloadJob
from app.engine.protocol import Queued

Waiting: TypeAlias = LoadJob | UnloadJob | GenerateJob


class WaitingQueue(deque[Waiting]):
    """Used by the engine's thread alone."""

    def take_out_stopped(self) -> None:
        for job in [job for job in self if not isinstance(job, UnloadJob) and job.stopped]:
            self.remove(job)
            if isinstance(job, GenerateJob):
                job.never_started()
            else:
                job.fail(Cancelled())

    def answers(self, conversation: str, current: object) -> bool:
        """Whether a question of the conversation is being answered (``current``) or waits."""
        jobs = (current, *self)
        return any(isinstance(job, GenerateJob) and job.request.conversation == conversation for job in jobs)

    def tell(self, *, busy: bool) -> None:
        """Tell those who wait for an answer how many are before them; ``busy``: one is being written."""
        waiting = [job for job in self if isinstance(job, GenerateJob)]
        for ahead, job in enumerate(waiting, start=int(busy)):
            if ahead not in (0, job.ahead):
                job.ahead = ahead
                job.events.put(Queued(ahead))

    def fail_first(self, error: AppError) -> None:
        """Everybody who needs a model and has no load before them."""
        while self and isinstance(self[0], GenerateJob):
            self.popleft().fail(error)
