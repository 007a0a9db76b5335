"""Whose request the engine takes next.

- Who waits for text comes before who reads ahead (`n_predict: 0`).
- Users (`Generation.user`: windows, most of the time) take turns, so that one's flood delays another by one request.
- A newer request of the same user and document ends the older: what waited is given back unserved, what runs is told.
  Reading ahead ends only reading ahead.

Thread-safe.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from aigc_lsp.service.wire import Generation

if TYPE_CHECKING:
    from aigc_lsp.engine.generate import Outcome, Piece


@dataclass(slots=True, weakref_slot=True, eq=False)
class Job:
    """One request on its way. `emit` is called from any thread; the last event is an Outcome or an error."""

    request: Generation
    emit: Callable[[Piece | Outcome | Exception], None]
    cancelled: threading.Event = field(default_factory=threading.Event)
    truncated: bool = False
    """Whether the prompt had to be shortened; known once the job has begun."""
    submitted_at: float = field(default_factory=time.monotonic)

    @property
    def is_warming(self) -> bool:
        return self.request.n_predict == 0


class Turns:
    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._asking: OrderedDict[str, deque[Job]] = OrderedDict()
        self._warming: OrderedDict[str, deque[Job]] = OrderedDict()
        self._latest: WeakValueDictionary[tuple[str, str, bool], Job] = WeakValueDictionary()
        self._served = ""
        self.is_closed = False

    def put(self, job: Job) -> list[Job]:
        """Queue `job`; the jobs that it ended before they began, to be answered by the caller."""
        with self._changed:
            ended = self._supersede(job)
            self._tier(job).setdefault(job.request.user, deque()).append(job)
            self._changed.notify()
        return ended

    def put_back(self, job: Job) -> None:
        """A job that was taken and is to be begun again: it is the next of its user."""
        with self._changed:
            self._tier(job).setdefault(job.request.user, deque()).appendleft(job)
            self._changed.notify()

    def take(self, timeout: float | None = None) -> Job | None:
        """The next job, waited for; None after `timeout` seconds without one, and when closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._asking or self._warming or self.is_closed, timeout)
            for tier in (self._asking, self._warming):
                if tier:
                    return self._next_of(tier)
        return None

    @property
    def has_asking(self) -> bool:
        """Whether somebody waits for text."""
        with self._changed:
            return any(not job.cancelled.is_set() for jobs in self._asking.values() for job in jobs)

    def __len__(self) -> int:
        with self._changed:
            return sum(len(jobs) for tier in (self._asking, self._warming) for jobs in tier.values())

    def close(self) -> None:
        with self._changed:
            self.is_closed = True
            self._changed.notify_all()

    def _supersede(self, job: Job) -> list[Job]:
        request = job.request
        if not request.document:
            return []
        ended = []
        for is_warming in (True,) if job.is_warming else (True, False):
            older = self._latest.get((request.user, request.document, is_warming))
            if older is not None:
                older.cancelled.set()
                if self._withdraw(older):
                    ended.append(older)
        self._latest[request.user, request.document, job.is_warming] = job
        return ended

    def _withdraw(self, job: Job) -> bool:
        """Take `job` out of the queue; false where it is not in it (any more)."""
        tier = self._tier(job)
        jobs = tier.get(job.request.user, deque())
        if job not in jobs:
            return False
        jobs.remove(job)
        if not jobs:
            del tier[job.request.user]
        return True

    def _next_of(self, tier: OrderedDict[str, deque[Job]]) -> Job:
        if next(iter(tier)) == self._served:
            tier.move_to_end(self._served)  # it had a turn, and came back before anybody else was there
        self._served, jobs = tier.popitem(last=False)
        job = jobs.popleft()
        if jobs:
            tier[self._served] = jobs  # behind all others
        return job

    def _tier(self, job: Job) -> OrderedDict[str, deque[Job]]:
        return self._warming if job.is_warming else self._asking
