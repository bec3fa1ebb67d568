"""The thread that owns the agenda: ``step(now)``, and a loop round it."""

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future
from datetime import datetime
from queue import Empty, SimpleQueue

from gavo_exec.catalog import Catalog
from gavo_exec.errors import StoreError
from gavo_exec.events import Event, JobsReconciled, RunFinished, Trouble
from gavo_exec.model import JobStatus, Run
from gavo_exec.ports import Clock, Engine, Store
from gavo_exec.runtime.agenda import Agenda, skipped_run

_log = logging.getLogger("gavo_exec")

MAX_SLEEP_SECONDS = 30.0
"""The scheduler looks at the clock at least this often, so that a stepped or suspended one is noticed."""

_STOP = object()


class Scheduler:
    """Starts what is due: messages in, requests to the engine and events out.

    All that changes the agenda comes as a message, from any thread, and is handled by the scheduler's own.
    """

    def __init__(
        self, agenda: Agenda, *, engine: Engine, store: Store, clock: Clock, publish: Callable[[Event], object]
    ) -> None:
        self._agenda = agenda
        self._engine = engine
        self._store = store
        self._clock = clock
        self._publish = publish
        self._inbox: SimpleQueue[object] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="scheduler", daemon=True)
        self._stopped = False
        self.died: BaseException | None = None
        self.finished: Callable[[Run], None] = self._inbox.put
        """Hear that a run has ended."""

    def adopt(self, catalog: Catalog) -> None:
        """From the next step on, go by this catalog."""
        self._inbox.put(catalog)

    def statuses(self, timeout_seconds: float = 5.0) -> tuple[JobStatus, ...]:
        """Every job as it stands; raises TimeoutError where the scheduler does not answer."""
        if not self._thread.is_alive():
            return self._agenda.statuses()
        answer: Future[tuple[JobStatus, ...]] = Future()
        self._inbox.put(answer)
        return answer.result(timeout_seconds)

    @property
    def running(self) -> int:
        """How many runs go on, at a glance."""
        return self._agenda.running

    def start(self) -> None:
        """Begin to start what is due."""
        self._thread.start()

    def stop(self) -> None:
        """Start nothing any more."""
        self._inbox.put(_STOP)
        if self._thread.ident is not None:
            self._thread.join()

    def step(self, now: datetime) -> datetime | None:
        """Handle all messages, start everything due by now; answers when the next is due."""
        inbox = self._inbox
        try:
            while True:
                self._handle(inbox.get_nowait(), now)
        except Empty:
            pass
        if not self._stopped:
            self._start_due(now)
        return self._agenda.next_due()

    def _handle(self, message: object, now: datetime) -> None:
        if isinstance(message, Run):
            self._agenda.finish(message.key, message.run_id)
        elif isinstance(message, Catalog):
            change = self._agenda.reconcile(message, now)
            if begun := self._agenda.take_begun():
                try:
                    self._store.note_starts(begun)
                except StoreError as fault:
                    text = f"the first runs of {len(begun)} jobs could not be noted in the state: {fault}"
                    self._publish(Trouble(message=text, at=now))
            if change:
                self._publish(JobsReconciled(added=change.added, removed=change.removed, changed=change.changed))
        elif isinstance(message, Future):
            message.set_result(self._agenda.statuses())
        elif message is _STOP:
            self._stopped = True

    def _start_due(self, now: datetime) -> None:
        decisions = self._agenda.tick(now)
        for request, run in decisions.skipped:
            self._publish(RunFinished(run=run, request=request))
        requests = decisions.requests
        if not requests:
            return
        try:
            refused = self._store.claim(requests, now=now)
        except StoreError as fault:
            # Running without a record beats not running; what is lost is the account of it, should we be killed.
            self._publish(Trouble(message=f"runs start without being noted in the state: {fault}", at=now))
            refused = {}
        if refused:
            for request in requests:
                if request.run_id in refused:
                    self._agenda.finish(request.execute.key, request.run_id)
                    run = skipped_run(request, now, f"run elsewhere: {refused[request.run_id]}")
                    self._publish(RunFinished(run=run, request=request))
            requests = [request for request in requests if request.run_id not in refused]
        self._engine.submit(requests)

    def _run(self) -> None:
        try:
            while not self._stopped:
                due = self.step(self._clock.now())
                pause = MAX_SLEEP_SECONDS
                if due is not None:
                    pause = min(pause, (due - self._clock.now()).total_seconds())
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
