"""What job code sees, in the spelling of the seed: ``execDef``, its job, and the guard for those who embed them.

An RD's job is a function of ``rd`` and ``execDef``.  ``rd`` and the globals are made once for each version of an RD and
shared by its runs; ``execDef`` is made for each run.
"""

import logging
import re
import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any
from weakref import WeakValueDictionary

from gavo_exec import model
from gavo_exec.ports import Clock, JobRunner
from gavo_exec.runtime.active import ActiveRun
from gavo_exec.runtime.clock import SystemClock
from gavo_exec.runtime.execdef import CronJob, Execute
from gavo_exec.runtime.guard import Prepare, RunScope, contain
from gavo_exec.runtime.jobcode import make_function, run_setup
from gavo_exec.runtime.names import JobNamespace, make_namespace, own_names
from gavo_exec.runtime.resource import RD, NotFoundError, RDNotFound

__all__ = ["RD", "CronJob", "Execute", "GuardedFunctionFactory", "JobLoader", "NotFoundError", "base", "utils"]

_log = logging.getLogger("gavo_exec")
_NO_SITE = model.Site()
_names = own_names(site=_NO_SITE, inputs_dir="")
base: Any = _names["base"]
"""``base`` as far as it depends on no RD and no data centre: for modules that job code imports."""
utils: Any = _names["utils"]
"""``utils``, likewise."""


class LoadedJob:
    """An execute made ready to run, once for each version of its RD; raises what compiling its code raises."""

    __slots__ = ("exec_def", "execute", "function", "in_use", "is_set_up", "names_parent", "namespace", "rd")

    def __init__(self, rd: RD, execute: model.Execute, namespace: dict[str, object]) -> None:
        self.execute = execute
        self.rd = rd
        self.is_set_up = not execute.job.setup
        self.namespace = namespace
        namespace["rd"] = rd
        self.exec_def: Execute = rd._job_of(execute)  # noqa: SLF001 -- of this room
        self.function = make_function(execute.job, name=_function_name(execute), namespace=namespace)
        self.exec_def.callable = self.function
        # Where code names its parent, the globals hold its run, and all that this one has.
        self.names_parent = re.search(r"\bparent\b", execute.job.setup_source + execute.job.source) is not None
        self.in_use = threading.Lock()


def _function_name(execute: model.Execute) -> str:
    """A name for tracebacks: the job's own, or the execute's id or title, as far as it can be one."""
    name = re.sub(r"\W+", "_", execute.job.name or execute.id or execute.title).strip("_")
    return f"job_{name}"


class JobLoader:
    """Makes requests callable, and remembers what it made for as long as that version of the RD is in use.

    ``find`` answers the accepted version of an RD, by its id, and ``whole`` all of one of which no more is known than
    that it has no executes; ``choice`` says whose names job code gets, ``may_leave_resdir`` whether its paths may lead
    out of the resource directory.  ``isolate`` prepares runs that are to have a
    process of their own; without it, they are like all others.
    """

    def __init__(
        self,
        runner: JobRunner,
        *,
        find: Callable[[str], model.ResourceDescriptor | None] = lambda _: None,
        whole: Callable[[model.ResourceDescriptor], model.ResourceDescriptor] = lambda rd: rd,
        site: model.Site = _NO_SITE,
        clock: Clock | None = None,
        choice: JobNamespace = "auto",
        isolate: Prepare | None = None,
        may_leave_resdir: bool = False,
    ) -> None:
        self._runner = runner
        self._find = find
        self._whole = whole
        self._site = site
        self._clock = clock or SystemClock()
        self._choice: JobNamespace = choice
        self._isolate = isolate
        self._may_leave_resdir = may_leave_resdir
        self._lock = threading.Lock()
        self._rds: WeakValueDictionary[int, RD] = WeakValueDictionary()
        # What jobs share on their rd must not go with the job that put it there: it stays with the accepted version.
        self._kept: dict[str, RD] = {}
        self._loaded: dict[str, LoadedJob] = {}

    def prepare(self, active: ActiveRun) -> tuple[Callable[[], object], RunScope]:
        """The job of a run, ready to be called once, and its ``execDef``; raises what compiling raises."""
        request = active.request
        execute = request.execute
        if execute.policy.is_isolated and self._isolate is not None:
            return self._isolate(active)
        loaded = self._loaded.get(execute.key)
        if loaded is None or loaded.execute is not execute:
            loaded = self._loaded[execute.key] = self._load(self._rd_of(request.rd), execute)
        exec_def = loaded.exec_def.for_run(self._runner, active)
        if loaded.is_set_up and not loaded.names_parent:
            return partial(loaded.function, loaded.rd, exec_def), exec_def
        return partial(self._call, loaded, exec_def), exec_def

    def _call(self, loaded: LoadedJob, exec_def: Execute) -> object:
        """Run code whose globals are for one run at a time, after its setup code, where that was not run yet."""
        execute = loaded.execute
        if not loaded.in_use.acquire(blocking=False):  # by a run beside this one, which takes globals of its own
            loaded = self._load(loaded.rd, execute)
            loaded.in_use.acquire()
        try:
            loaded.namespace["parent"] = exec_def
            if not loaded.is_set_up:
                # Where setup fails, the next run begins with a namespace of its own.
                self._loaded.pop(execute.key, None)
                run_setup(execute.job.setup, loaded.namespace)
                loaded.is_set_up = True
                self._loaded[execute.key] = loaded
            return loaded.function(loaded.rd, exec_def)
        finally:
            loaded.namespace["parent"] = loaded.exec_def
            loaded.in_use.release()

    def _load(self, rd: RD, execute: model.Execute) -> LoadedJob:
        """Compile a job, with globals of its own."""

        def get_rd(rd_id: str) -> RD:
            return rd if rd_id == rd.sourceId else self.get_rd(rd_id)

        inputs_dir = rd._rd.inputs_dir  # noqa: SLF001 -- of this room
        site = rd._site  # noqa: SLF001 -- of this room
        namespace = make_namespace(execute.job, site=site, inputs_dir=inputs_dir, get_rd=get_rd, choice=self._choice)
        namespace["parent"] = rd._job_of(execute)  # noqa: SLF001 -- of this room
        return LoadedJob(rd, execute, namespace)

    def get_rd(self, rd_id: str) -> RD:
        """The ``rd`` of the accepted version of an RD; raises RDNotFound."""
        found = self._find(rd_id)
        if found is None:
            raise RDNotFound(f"there is no resource descriptor {rd_id!r} that was accepted")
        return self._rd_of(self._whole(found))

    def _rd_of(self, rd: model.ResourceDescriptor) -> RD:
        """One ``rd`` for all jobs of a version."""
        accepted = self._find(rd.rd_id)
        with self._lock:
            made = self._rds.get(id(rd))
            if made is None or made._rd is not rd:  # noqa: SLF001 -- of this room
                made = RD(
                    rd,
                    site=self._site,
                    loaded_at=self._clock.now().timestamp(),
                    make_execute=Execute.of,
                    may_leave=self._may_leave_resdir,
                )
                self._rds[id(rd)] = made
            if accepted is None or accepted is rd:
                self._kept[rd.rd_id] = made
        return made

    def forget(self, keys: Sequence[str]) -> None:
        """Let go of executes that are no more."""
        for key in keys:
            self._loaded.pop(key, None)
            rd_id = model.rd_id_of(key)
            if self._find(rd_id) is None:
                self._kept.pop(rd_id, None)


class GuardedFunctionFactory:
    """Makes functions safe for cron-like execution, for those who embed jobs without the daemon.

    ``report`` is told of what went wrong: the execute, and a text whose first line is the cause.
    """

    def __init__(self, report: Callable[[Execute, str], object] | None = None) -> None:
        self._report = report or _log_failure
        self._lock = threading.Lock()
        self._running: set[str] = set()

    def makeGuardedThreaded(self, callable: Callable[[RD, Execute], object], execDef: Execute) -> Callable[[], None]:
        """A function that runs ``callable(execDef.rd, execDef)`` in a thread of its own, never twice at once.

        Where the run before still goes on, there is a warning and nothing else happens.  Whatever is raised is caught
        and reported.
        """
        key = execDef.getFullId()

        def run() -> None:
            try:
                ending = contain(lambda: callable(execDef.rd, execDef), execDef)
            finally:
                with self._lock:
                    self._running.discard(key)
            if ending.error:
                self._report(execDef, ending.error)

        def guarded() -> None:
            with self._lock:
                if key in self._running:
                    _log.warning("%s is still running; it is not started a second time", key)
                    return
                self._running.add(key)
            try:
                threading.Thread(target=run, name=execDef.title, daemon=True).start()
            except RuntimeError as fault:
                with self._lock:
                    self._running.discard(key)
                self._report(execDef, f"no thread could be made to run it: {fault}")

        return guarded


def _log_failure(execDef: Execute, error: str) -> None:
    _log.error("%s failed: %s", execDef.getFullId(), error)
