"""The thread that owns the agenda: ``step(now)``, and a loop round it."""

import logging
import threading
from collections import deque
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import Future
from datetime import UTC, datetime, timedelta
from queue import Empty, SimpleQueue
from time import monotonic
from typing import Any, TypeVar

import msgspec

from gavo_exec.catalog import Catalog
from gavo_exec.control import JobStatus, RefusedError
from gavo_exec.errors import StoreError
from gavo_exec.events import ClockStepped, Event, JobsReconciled, PauseEnded, RunFinished, Trouble
from gavo_exec.model import LastStart, NewFile, Outcome, Run, RunRequest
from gavo_exec.ports import Clock, Engine, Store
from gavo_exec.runtime.agenda import Agenda, statuses_of
from gavo_exec.runtime.repeats import Repeats
from gavo_exec.runtime.supervision import PATIENCE_SECONDS
from gavo_exec.runtime.timetable import MOST_SET_BACK
from gavo_exec.runtime.turns import Decisions, left_out_run

_log = logging.getLogger("gavo_exec")

MAX_SLEEP_SECONDS = 30.0
"""The scheduler looks at the clock at least this often, so that a stepped or suspended one is noticed."""

_MOST_SLEW_SECONDS = 5.0
"""By how much the clock may go faster or slower than it should between two looks and count as never set."""

_AHEAD = timedelta(milliseconds=10)
_MOST_AHEAD = 512
"""As many runs may wait in the engine as will have ended in that time, if they go on as since the last look.

Where runs are short, asking for each of them only when a slot is free would cost more than they do.
"""

LOOKAHEAD = timedelta(milliseconds=25)
_LEAD = timedelta(milliseconds=5)
"""Runs are noted in the store so long before they are due, and all that come by LOOKAHEAD with them.

So nothing waits for the disk at the instant that it is due at, and many runs a second make few transactions.
"""

_NONE_AT_ALL = -1_000_000_000
_BEHIND = timedelta(milliseconds=50)
"""How soon to look again whether those that hear of runs have caught up."""

_MANY_AHEAD = 64
_GATHERING_SECONDS = 0.001
"""Where so many may wait in the engine, ends of runs may gather so long: looking at each costs more than it does."""

_NO_TIME = timedelta(0)
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
_STOP = object()
_T = TypeVar("_T")


class _Found(msgspec.Struct, frozen=True):
    """Which files are new for a request."""

    request: RunRequest
    files: tuple[NewFile, ...]


class _NotFound(msgspec.Struct, frozen=True):
    """Why the files of a request could not be looked up."""

    request: RunRequest
    cause: str


class _Question(msgspec.Struct, frozen=True):
    """Something to be asked of the agenda, and where the answer goes."""

    ask: Callable[[Agenda, datetime], Any]
    answer: "Future[Any]"


class Scheduler:
    """Starts what is due: messages in, requests to the engine and events out.

    All that changes the agenda comes as a message, from any thread, and is handled by the scheduler's own.  ``look`` is
    asked for the files of requests, and told which ones runs have already; it answers by ``found`` or ``not_found``.
    With a ``lookahead``, runs that stand in nobody's way are noted in the store before they are due, up to so long.
    While those that hear of runs are ``is_behind`` with what there is to tell, what is due waits, as for a free slot:
    else what happened would pile up in memory.
    """

    def __init__(
        self,
        agenda: Agenda,
        *,
        engine: Engine,
        store: Store,
        clock: Clock,
        publish: Callable[[Event], object],
        look: Callable[[RunRequest, Collection[NewFile]], object] | None = None,
        lookahead: timedelta = timedelta(0),
        is_behind: Callable[[], bool] = lambda: False,
    ) -> None:
        self._agenda = agenda
        self._engine = engine
        self._store = store
        self._clock = clock
        self._publish = publish
        self._look = look or (lambda request, _: self.not_found(request, "nobody looks for files here"))
        self._lookahead = lookahead
        self._is_behind = is_behind
        self._unnoted = Repeats()
        self._coming: deque[RunRequest] = deque()  # noted in the store, and not yet due
        self._inbox: SimpleQueue[object] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="scheduler", daemon=True)
        self._stopped = False
        self._ended = 0  # runs that ended since the last look
        self._stepped_at = _LONG_AGO
        self._is_flooded = False
        self._gathering = threading.Event()  # never set: to wait for no more than a moment
        self._seen: tuple[datetime, float] | None = None  # both clocks, as they were last seen together
        self.died: BaseException | None = None
        self.on_death: Callable[[], object] = lambda: None
        """Called on the scheduler's thread when it dies."""
        self.on_turn: Callable[[], object] = lambda: None
        """Called on the scheduler's thread each time its loop comes round."""
        self.most_sleep_seconds = MAX_SLEEP_SECONDS
        self.due_back_at = 0.0
        """By when, on the monotonic clock, the scheduler means to be awake again."""
        self.finished: Callable[[Run], None] = self._inbox.put
        """Hear that a run has ended."""

    def adopt(self, catalog: Catalog) -> None:
        """From the next step on, go by this catalog."""
        self._inbox.put(catalog)

    def found(self, request: RunRequest, files: tuple[NewFile, ...]) -> None:
        """Hear which files are new for a request that was looked up; there may be none."""
        self._inbox.put(_Found(request, files))

    def not_found(self, request: RunRequest, cause: str) -> None:
        """Hear that the files of a request could not be looked up."""
        self._inbox.put(_NotFound(request, cause))

    def ask(self, question: Callable[[Agenda, datetime], _T], *, timeout_seconds: float = 5.0) -> _T:
        """What a question about the agenda comes to, on the scheduler's own thread, as it is asked now.

        From any other thread.  Raises what the question raises, and RefusedError where the scheduler does not answer.
        """
        answer: Future[_T] = Future()
        if not self._thread.is_alive():
            return question(self._agenda, self._clock.now())
        self._inbox.put(_Question(question, answer))
        try:
            return answer.result(timeout_seconds)
        except TimeoutError:
            # Should it come to that later, nobody would hear of it.
            if answer.cancel():
                raise RefusedError("the scheduler does not answer; see its log") from None
            return answer.result()

    def statuses(self) -> tuple[JobStatus, ...]:
        """Every job as it stands, by key; raises as ``ask`` does."""
        return statuses_of(self.ask(lambda agenda, _: agenda.standings()))

    def is_well(self) -> bool:
        """Whether it lives, and is not long overdue to be awake."""
        return self.died is None and monotonic() < self.due_back_at + PATIENCE_SECONDS

    @property
    def running(self) -> int:
        """How many runs go on, at a glance."""
        return self._agenda.running

    @property
    def next_due(self) -> datetime | None:
        """When the next job is due; for the scheduler's own thread."""
        return self._agenda.next_due()

    @property
    def thread(self) -> threading.Thread:
        """The scheduler's own thread."""
        return self._thread

    def start(self) -> None:
        """Begin to start what is due."""
        self.due_back_at = monotonic() + MAX_SLEEP_SECONDS
        self._thread.start()

    def stop(self, timeout_seconds: float = 30.0) -> None:
        """Start nothing any more; a scheduler that hangs is waited for no longer than this."""
        self._inbox.put(_STOP)
        if self._thread.ident is not None:
            self._thread.join(timeout_seconds)

    def step(self, now: datetime) -> datetime | None:
        """Handle all messages, start everything due by now; answers when the next step is."""
        if self._coming:
            self._start_coming(now)
        inbox = self._inbox
        try:
            while True:
                self._handle(inbox.get_nowait(), now)
        except Empty:
            pass
        if not self._stopped:
            is_behind = self._is_behind()
            ahead = self._ahead(now)
            self._carry_out(self._agenda.tick(now, ahead=_NONE_AT_ALL if is_behind else ahead), now)
            if is_behind:
                return now + _BEHIND
        due = self._agenda.next_due()
        if self._lookahead and not self._stopped and due is not None:
            due = self._look_ahead(due, now)
        return due

    def _ahead(self, now: datetime) -> int:
        """How many runs may be asked for beyond the slots there are."""
        ended, self._ended = self._ended, 0
        passed, self._stepped_at = now - self._stepped_at, now
        ahead = min(int(ended * (_AHEAD / passed)), _MOST_AHEAD) if passed > _NO_TIME else 0
        self._is_flooded = ahead >= _MANY_AHEAD
        return ahead

    def _look_ahead(self, due: datetime, now: datetime) -> datetime:
        """Note in the store what comes, in time before it is due; answers when the next step is."""
        if due <= now + _LEAD and (coming := self._agenda.coming(now, now + self._lookahead)):
            self._coming.extend(self._granted(Decisions(requests=coming), now))
            due = self._agenda.next_due() or coming[-1].due
        if due > now + _LEAD:
            due -= _LEAD
        return min(due, self._coming[0].due) if self._coming else due

    def _start_coming(self, now: datetime, *, at_once: bool = False) -> None:
        """Start what was noted ahead and is due by now, or all of it."""
        coming = self._coming
        ready: list[RunRequest] = []
        while coming and (at_once or coming[0].due <= now):
            ready.append(coming.popleft())
        if ready:
            self._engine.submit(ready)

    def _handle(self, message: object, now: datetime) -> None:
        if isinstance(message, Run):
            self._ended += 1
            self._agenda.finish(message)
        elif isinstance(message, Catalog):
            self._reconcile(message, now)
        elif isinstance(message, _Question):
            self._answer(message, now)
        elif isinstance(message, _Found):
            self._agenda.found(message.request, message.files, now)
        elif isinstance(message, _NotFound):
            self._agenda.not_found(message.request, message.cause, now)
        elif message is _STOP:
            self._stopped = True
            self._start_coming(now, at_once=True)  # the engine accounts for what it does not begin

    def _answer(self, message: _Question, now: datetime) -> None:
        """Answer a question, unless nobody waits for that any more."""
        if not message.answer.set_running_or_notify_cancel():
            return
        try:
            message.answer.set_result(message.ask(self._agenda, now))
        except Exception as fault:
            message.answer.set_exception(fault)

    def _reconcile(self, catalog: Catalog, now: datetime) -> None:
        """Go by this catalog."""
        if change := self._agenda.reconcile(catalog, now):
            self._publish(JobsReconciled(added=change.added, removed=change.removed, changed=change.changed))

    def _carry_out(self, decisions: Decisions, now: datetime) -> None:
        """Note what was decided in the store, then do it."""
        requests = self._granted(decisions, now)
        for request, run in decisions.left_out:
            self._publish(RunFinished(run=run, request=request))
        if requests:
            self._engine.submit(requests)
        for run_id, cause in decisions.cancels:
            self._engine.cancel(run_id, cause)
        for request in decisions.lookups:
            self._look(request, self._agenda.files_in_use(request.execute.key))
        for pause in self._agenda.take_expired():
            self._publish(PauseEnded(pause=pause, at=now))

    def _granted(self, decisions: Decisions, now: datetime) -> list[RunRequest]:
        """Note, before they begin, that runs do, and what is left out; answers those that may begin."""
        requests, begun = decisions.requests, self._agenda.take_begun()
        if not (requests or decisions.left_out or decisions.accounted or begun):
            return requests
        refused = self._claim(decisions, begun, now)
        if not refused:
            return requests
        for request in requests:
            if request.run_id in refused:
                cause = f"run elsewhere: {refused[request.run_id]}"
                run = left_out_run(request, Outcome.SKIPPED, cause=cause, now=now)
                self._agenda.finish(run)
                self._publish(RunFinished(run=run, request=request))
        return [request for request in requests if request.run_id not in refused]

    def _claim(self, decisions: Decisions, begun: Mapping[str, LastStart], now: datetime) -> dict[str, str]:
        """The run ids that the store does not grant, each with who has the key."""
        try:
            return self._store.claim(
                decisions.requests,
                now=now,
                begun=begun,
                left_out=decisions.left_out,
                accounted=decisions.accounted,
            )
        except StoreError as fault:
            # Running without a record beats not running; what is lost is the account of it, should we be killed.
            if message := self._unnoted.say(f"runs start without being noted in the state: {fault}", monotonic()):
                self._publish(Trouble(message=message, at=now, place="the state"))
            return {}

    def compare_clocks(self, now: datetime, seconds: float) -> None:
        """Notice where the clock was set, or the machine slept: it went another way than the monotonic ``seconds``."""
        seen, self._seen = self._seen, (now, seconds)
        if seen is None:
            return
        step = (now - seen[0]).total_seconds() - (seconds - seen[1])
        if abs(step) > _MOST_SLEW_SECONDS:
            self._publish(ClockStepped(seconds=step, at=now))
            self._start_coming(now, at_once=True)
            if timedelta(seconds=-step) > MOST_SET_BACK:
                self._agenda.set_back(now)

    def _run(self) -> None:
        try:
            while not self._stopped:
                now = self._clock.now()
                self.compare_clocks(now, monotonic())
                due = self.step(now)
                self.on_turn()
                pause = self.most_sleep_seconds
                if due is not None:
                    pause = min(pause, (due - self._clock.now()).total_seconds())
                self.due_back_at = monotonic() + max(pause, 0.0)
                if self._is_flooded and pause > 0:
                    self._gathering.wait(min(pause, _GATHERING_SECONDS))
                    continue
                if pause > 0 and not self._stopped:
                    try:
                        message = self._inbox.get(timeout=pause)
                    except Empty:
                        continue
                    # Handled here and now: putting it back would let those behind it overtake.
                    self._handle(message, self._clock.now())
        except BaseException as fault:  # whatever it is, the main thread must hear of it
            self.died = fault
            _log.critical("the scheduler died", exc_info=True)
            self.on_death()
