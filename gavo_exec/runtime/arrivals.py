"""Files that come: answers runs that wait for some, on threads of its own.

A file system that does not answer holds up whoever looks at it for as long as it pleases.  It is not to hold up the
scheduler, nor runs whose files are elsewhere: so looks are on threads, and each mount has its own.
"""

import logging
import threading
from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from heapq import heappop, heappush
from queue import Empty, SimpleQueue
from time import monotonic

import msgspec

from gavo_exec.errors import StoreError, plain
from gavo_exec.model import NewFile, RunRequest
from gavo_exec.ports import Clock, Store
from gavo_exec.runtime.mounts import Mounts, read_mounts
from gavo_exec.runtime.newfiles import Outlook, Question, look_up
from gavo_exec.runtime.patterns import base_of
from gavo_exec.runtime.stillness import Agreement, Stillness

_log = logging.getLogger("gavo_exec")

PATIENCE_SECONDS = 300.0
"""How long a look may take before the run that waits for it fails."""

_MOST_LANES = 16
_THREADS_PER_LANE = 4
_MOUNTS_SECONDS = 10.0
_CAUGHT_UP_SECONDS = 60.0
_STOP = object()


class _Lane:
    """The threads that look at what is on one mount, so many at most; ``work`` is what they do.

    Its methods are for one thread only.
    """

    def __init__(self, name: str, *, work: Callable[["_Task"], object]) -> None:
        self._name = name
        self._work = work
        self._tasks: SimpleQueue[_Task | None] = SimpleQueue()
        self._threads = 0
        self._busy = 0

    def put(self, task: "_Task") -> None:
        """Have a look taken; raises RuntimeError where there is no thread for it, and none can be made."""
        if self._threads < min(self._busy + 1, _THREADS_PER_LANE):
            thread = threading.Thread(target=self._run, name=self._name, daemon=True)
            try:
                thread.start()
                self._threads += 1
            except RuntimeError:
                if not self._threads:
                    raise
        self._busy += 1
        self._tasks.put(task)

    def done(self) -> None:
        """Take note that a look is over."""
        self._busy -= 1

    def stop(self) -> None:
        """Let the threads end when they can."""
        for _ in range(self._threads):
            self._tasks.put(None)

    def _run(self) -> None:
        while (task := self._tasks.get()) is not None:
            task.is_begun = True
            self._work(task)


class _Task(msgspec.Struct, eq=False):
    """One look: taken, or waiting for a thread."""

    question: Question
    lane: _Lane
    put_at: float
    is_second: bool
    is_begun: bool = False
    hung_since: datetime | None = None


class _Ask(msgspec.Struct, frozen=True):
    """A request whose files are wanted; ``taken`` are those that runs which go on have already."""

    request: RunRequest
    taken: frozenset[NewFile]


class _Done(msgspec.Struct, frozen=True):
    """A look is over."""

    task: _Task
    outlook: Outlook


class _Forget(msgspec.Struct, frozen=True):
    """These executes are gone."""

    keys: Sequence[str]


class _Place:
    """What is known of one key: what is asked, and the present look, which may be for what was asked before.

    ``again_at`` is when a second look is to be taken.
    """

    def __init__(self) -> None:
        self.asked: _Ask | None = None
        self.task: _Task | None = None
        self.again_at: float | None = None
        self.still = Stillness()
        self.missing = ""


class Arrivals:
    """Answers requests of executes that wait for files, each once: by ``found`` or, after a fault, by ``not_found``.

    ``found`` is given what is new and has settled, by path: nothing, where there is nothing.  Both are called on our
    own thread, or on the one that asks, and are not to wait.  ``caught_up`` waits, for so many seconds at most, until
    all runs that have ended are noted in the store, and answers whether they are.
    """

    def __init__(
        self,
        store: Store,
        *,
        clock: Clock,
        found: Callable[[RunRequest, tuple[NewFile, ...]], object],
        not_found: Callable[[RunRequest, str], object],
        caught_up: Callable[[float], bool] = lambda _: True,
        patience_seconds: float = PATIENCE_SECONDS,
        mounts: Callable[[], Mounts] = read_mounts,
    ) -> None:
        self._store = store
        self._clock = clock
        self._found = found
        self._not_found = not_found
        self._caught_up = caught_up
        self._patience_seconds = patience_seconds
        self._read_mounts = mounts
        self._inbox: SimpleQueue[object] = SimpleQueue()
        self._thread: threading.Thread | None = None
        # What follows is for our own thread only.
        self._places: dict[str, _Place] = {}
        self._timers: list[tuple[float, str]] = []
        self._lanes: dict[str, _Lane] = {}
        self._agreement = Agreement()
        self._mounts = Mounts()
        self._mounts_read_at = float("-inf")
        self._told: set[str] = set()

    def look(self, request: RunRequest, *, taken: Collection[NewFile] = ()) -> None:
        """Look for the files of a request, without waiting; ``taken`` are those that runs which go on have already.

        For one calling thread only.  A request of the same key that is not answered yet is answered with no files.
        """
        if self._thread is None:
            thread = threading.Thread(target=self._run, name="arrivals", daemon=True)
            try:
                thread.start()
            except RuntimeError as fault:
                self._not_found(request, f"no thread could be made to look for them: {fault}")
                return
            self._thread = thread
        self._inbox.put(_Ask(request, frozenset(taken)))

    def forget(self, keys: Sequence[str]) -> None:
        """Let go of executes that are no more; from any thread, without waiting."""
        if self._thread is not None:
            self._inbox.put(_Forget(keys))

    def stop(self) -> None:
        """Answer nothing any more; looks that hang are left alone."""
        if self._thread is not None:
            self._inbox.put(_STOP)
            self._thread.join()

    # On our own thread

    def _run(self) -> None:
        while True:
            pause = max(0.0, self._timers[0][0] - monotonic()) if self._timers else None
            try:
                message = self._inbox.get(timeout=pause)
            except Empty:
                message = None
            if message is _STOP:
                break
            try:
                self._handle(message)
            except Exception as fault:  # of one look; it must not be the end of all others
                _log.critical("looking for new files failed", exc_info=True)
                self._excuse(message, fault)
        for lane in self._lanes.values():
            lane.stop()

    def _handle(self, message: object) -> None:
        if isinstance(message, _Ask):
            self._take(message)
        elif isinstance(message, _Done):
            self._take_up(message.task, message.outlook)
        elif isinstance(message, _Forget):
            for key in message.keys:
                place = self._places.pop(key, None)
                if place is not None and place.asked is not None:
                    self._found(place.asked.request, ())
        while self._timers and self._timers[0][0] <= monotonic():
            self._check(heappop(self._timers)[1])

    def _take(self, ask: _Ask) -> None:
        """Take up a request."""
        key = ask.request.execute.key
        place = self._places.get(key)
        if place is None:
            place = self._places[key] = _Place()
        before, place.asked, place.again_at = place.asked, ask, None
        if before is not None:
            self._found(before.request, ())
        if place.task is None:
            self._begin(place, ask)
        elif place.task.hung_since is not None:
            self._give_up(place, place.task)

    def _begin(self, place: _Place, ask: _Ask, *, is_second: bool = False) -> None:
        """Have a look taken for what is asked."""
        now, instant = monotonic(), self._clock.now()
        if now - self._mounts_read_at >= _MOUNTS_SECONDS:
            self._mounts, self._mounts_read_at = self._read_mounts(), now
        question = Question(
            request=ask.request,
            taken=ask.taken,
            still=place.still,
            mounts=self._mounts,
            now=instant,
            agreed_seconds=self._agreement.seconds(instant.timestamp(), now),
        )
        execute = ask.request.execute
        place.task = _Task(question, self._lane_for(base_of(execute.policy.files)), now, is_second)
        place.again_at = None
        try:
            place.task.lane.put(place.task)
        except RuntimeError as fault:
            place.task = None
            self._answer(place, f"no thread could be made to look for them: {fault}")
        else:
            heappush(self._timers, (now + self._patience_seconds, execute.key))

    def _lane_for(self, folder: str) -> _Lane:
        """The threads that look at the mount that a folder is on."""
        point = self._mounts.point_of(folder)
        if point not in self._lanes:
            if len(self._lanes) >= _MOST_LANES:
                return next(iter(self._lanes.values()))
            self._lanes[point] = _Lane(f"arrivals {plain(point)}", work=self._work)
        return self._lanes[point]

    def _take_up(self, task: _Task, outlook: Outlook) -> None:
        """Answer what a look was for, or look again, if somebody still wants to know."""
        task.lane.done()
        key = task.question.request.execute.key
        place = self._places.get(key)
        if place is None or place.task is not task:  # forgotten meanwhile
            return
        place.task = None
        if task.hung_since is not None:
            _log.warning("%s: the look for its files that had hung since %s is over", key, _shown(task.hung_since))
        self._tell(key, place, outlook)
        ask = place.asked
        if ask is None:
            return
        if ask.request is not task.question.request:  # asked anew meanwhile
            self._begin(place, ask)
        elif outlook.is_unsure and not outlook.fault and not task.is_second and _can_wait(task.question):
            place.again_at = monotonic() + ask.request.execute.policy.settle.total_seconds()
            heappush(self._timers, (place.again_at, key))
        else:
            self._answer(place, outlook.fault, files=outlook.files)

    def _answer(self, place: _Place, fault: str, *, files: tuple[NewFile, ...] = ()) -> None:
        """Answer what is asked, if anything is."""
        ask, place.asked = place.asked, None
        if ask is None:
            return
        if fault:
            self._not_found(ask.request, fault)
        else:
            self._found(ask.request, files)

    def _excuse(self, message: object, fault: Exception) -> None:
        """Answer what a message was about, which could not be handled."""
        if isinstance(message, _Ask | _Done):
            request = message.request if isinstance(message, _Ask) else message.task.question.request
            if (place := self._places.get(request.execute.key)) is not None:
                self._answer(place, f"looking for them failed: {fault!r}")

    def _check(self, key: str) -> None:
        """See to what was to happen about a key by now."""
        place = self._places.get(key)
        if place is None:
            return
        now, task = monotonic(), place.task
        if place.again_at is not None and place.again_at <= now and place.asked is not None:
            self._begin(place, place.asked, is_second=True)
        elif task is not None and task.hung_since is None and task.put_at + self._patience_seconds <= now:
            task.hung_since = self._clock.now() - timedelta(seconds=now - task.put_at)
            self._give_up(place, task)

    def _give_up(self, place: _Place, task: _Task) -> None:
        """Fail what is asked, since its look hangs; the look itself cannot be ended."""
        folder, since = plain(base_of(task.question.request.execute.policy.files)), task.hung_since or task.question.now
        if task.is_begun:
            self._answer(place, f"{folder} does not answer: a look that began at {_shown(since)} has not ended")
        else:
            self._answer(place, f"others look at the file system of {folder} since {_shown(since)}, and do not end")

    def _tell(self, key: str, place: _Place, outlook: Outlook) -> None:
        """Say once what operators should know of a look."""
        if outlook.missing and outlook.missing != place.missing:
            _log.warning("%s waits for files in %s, which does not exist", key, plain(outlook.missing))
        place.missing = outlook.missing
        for folder, reason in outlook.passed_over:
            if folder not in self._told:
                self._told.add(folder)
                _log.warning("%s: %s is passed over: %s", key, plain(folder), reason)
        if outlook.more:
            _log.info("%s: %d more new files are left for the runs to come", key, outlook.more)

    # On the threads of the lanes

    def _work(self, task: _Task) -> None:
        """Take a look."""
        key = task.question.request.execute.key
        try:
            if self._caught_up(_CAUGHT_UP_SECONDS):
                outlook = look_up(task.question, self._store)
            else:
                outlook = Outlook(fault="which ones have been processed is not noted in the state yet")
        except OSError as fault:
            outlook = Outlook(fault=f"{plain(str(fault.filename))}: {fault.strerror}")
        except StoreError as fault:
            outlook = Outlook(fault=str(fault))
        except Exception as fault:
            _log.critical("looking for the files of %s failed", key, exc_info=True)
            outlook = Outlook(fault=f"looking for them failed: {fault!r}")
        self._inbox.put(_Done(task, outlook))


def _can_wait(question: Question) -> bool:
    """Whether there is time for a second look: none comes sooner anyway, and the run may be so late."""
    request, now = question.request, question.now
    schedule, policy = request.execute.schedule, request.execute.policy
    ready_at = now + policy.settle
    following = schedule.next_due(now, request.counts_from or now)
    is_next_later = following is None or following > ready_at
    return is_next_later and (policy.grace is None or ready_at < request.due + policy.grace)


def _shown(instant: datetime) -> str:
    """An instant for people, to the second."""
    return f"{instant:%Y-%m-%d %H:%M:%S} UTC"
