"""What job code sees, in the spelling of the seed: ``execDef``, its job, and the guard for those who embed them.

An RD's job is a function of ``rd`` and ``execDef``.  ``rd`` and the globals are made once for each version of an RD and
shared by its runs; ``execDef`` is made for each run.
"""

import logging
import os
import re
import shlex
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar
from weakref import WeakValueDictionary

from gavo_exec import elements, model
from gavo_exec.elements import Attribute, Child, Element
from gavo_exec.errors import NOWHERE, Position, SpawnFailed
from gavo_exec.ports import Clock, Completed, Runner
from gavo_exec.runtime.clock import SystemClock
from gavo_exec.runtime.guard import contain
from gavo_exec.runtime.jobcode import JobFunction, make_function, run_setup
from gavo_exec.runtime.names import JobNamespace, make_namespace, own_names
from gavo_exec.runtime.output import BoundedOutput
from gavo_exec.runtime.resource import RD, NotFoundError, RDNotFound, StructureError, WithProperties
from gavo_exec.schedule import At, Every, Loaded

__all__ = ["RD", "CronJob", "Execute", "GuardedFunctionFactory", "JobLoader", "NotFoundError", "base", "utils"]

_log = logging.getLogger("gavo_exec")
_NO_SITE = model.Site()
_NEWER = frozenset({"on"})
"""Attributes that the seed does not have."""

_names = own_names(site=_NO_SITE, inputs_dir="")
base: Any = _names["base"]
"""``base`` as far as it depends on no RD and no data centre: for modules that job code imports."""
utils: Any = _names["utils"]
"""``utils``, likewise."""


def _managed(element: Element, *more: Attribute) -> Mapping[str, Attribute | Child]:
    """The attributes of an element by each of their names, as the seed has them."""
    parts = element.by_name | {attribute.name: attribute for attribute in more}
    return MappingProxyType({name: part for name, part in sorted(parts.items()) if name not in _NEWER})


def _in_order(managed: Mapping[str, Attribute | Child]) -> tuple[Attribute | Child, ...]:
    """The attributes, each once."""
    return tuple(part for name, part in managed.items() if name == part.name)


class CronJob:
    """``execDef.job``: the code of an execute.

    ``code`` is the body of the function that is run, late parameters first; ``setups`` are the parts of the setup
    code, in the order in which they are run.  Both have in them what was bound to parameters, so that there are no
    ``bindings`` any more, and no ``procDef`` and ``original`` either.
    """

    name_ = "job"
    formalArgs = "rd, execDef"
    managedAttrs = _managed(elements.JOB)
    attrSeq = _in_order(managedAttrs)
    completedCallbacks: ClassVar[list[Callable[[Any], object]]] = []

    code: str = ""
    doc: str | None = None
    name: str | None = None
    id: str | None = None
    deprecated: str | None = None
    type: str | None = None
    original: None = None
    procDef: None = None
    setups: Sequence[str] = ()
    bindings: Sequence[str] = ()

    def __init__(self, parent: Any, **kwargs: Any) -> None:
        self.parent = parent
        _set_attributes(self, kwargs)
        self._job = model.Job(source=self.code, setup=tuple(model.Code(source=source) for source in self.setups))

    @classmethod
    def of(cls, parent: Any, job: model.Job) -> "CronJob":
        """The job of an execute."""
        setups = [part.source for part in job.setup]
        made = cls(parent, code=job.source, setups=setups, name=job.name or None, doc=job.doc or None)
        made._job = job
        return made

    def getSetupCode(self) -> str:
        """All of the setup code."""
        return self._job.setup_source

    def compile(self, namespace: dict[str, object], name: str) -> JobFunction:
        """The code as a function of ``rd`` and ``execDef`` with these globals."""
        return make_function(self._job, name=name, namespace=namespace)


class Execute(WithProperties):
    """``execDef``: the execute that is run, for one run.

    ``outputAccum`` is a list of text and bytes that become part of the run's output; ``failures`` are the children
    that failed in this run.  What ``rd.jobs`` and ``rd.getById`` have is the same without a run.
    """

    name_ = "execute"
    managedAttrs = _managed(elements.EXECUTE, Attribute(name="rd", description="The RD; not to be set."))
    attrSeq = _in_order(managedAttrs)
    completedCallbacks: ClassVar[list[Callable[[Any], object]]] = []

    id: str | None = None
    title: str | None = None
    at: list[str] | None = None
    every: int | None = None
    on: str | None = None
    debug: bool = False
    job: CronJob | None = None
    callable: JobFunction | None = None
    jobName: str = ""
    _key: str = ""
    _position: Position = NOWHERE
    _runner: Runner | None = None
    _output: BoundedOutput | None = None

    def __init__(self, parent: RD, **kwargs: Any) -> None:
        self.parent = parent
        self.properties: dict[str, str | None] = {}
        self.outputAccum: list[str | bytes] = []
        self.failures: list[Completed] = []
        self._spawned: list[bytes] = []
        _set_attributes(self, kwargs)

    @classmethod
    def of(cls, rd: RD, execute: model.Execute) -> "Execute":
        """The execute of an RD, without a run."""
        schedule = execute.schedule
        made = cls(
            rd,
            id=execute.id,
            title=execute.title,
            at=list(schedule.items) if isinstance(schedule, At) else None,
            every=schedule.raw if isinstance(schedule, Every) else None,
            on="loaded" if isinstance(schedule, Loaded) else None,
            debug=execute.debug,
            properties=dict(execute.properties),
        )
        made.job = CronJob.of(made, execute.job)
        made._key = execute.key
        made._position = execute.position
        made.completeElement(None)
        return made

    def for_run(self, runner: Runner, output: BoundedOutput) -> "Execute":
        """The execute for one run; it shares its properties and its job with all others."""
        made = Execute.__new__(Execute)
        made.__dict__.update(self.__dict__, outputAccum=[], failures=[], _spawned=[], _runner=runner, _output=output)
        return made

    @property
    def rd(self) -> RD:
        """The RD that the execute stands in."""
        return self.parent

    def completeElement(self, ctx: Any) -> None:  # noqa: ARG002 -- nothing depends on it
        """See that all is there that an execute needs; raises StructureError where it is not."""
        missing = [name for name in ("title", "job") if getattr(self, name) is None]
        if missing:
            raise StructureError(f"an execute needs a {' and a '.join(missing)}")
        if sum(when is not None for when in (self.at, self.every, self.on)) != 1:
            raise StructureError("exactly one of at and every (or on) says when an execute runs")
        self.onElementComplete()
        for callback in self.completedCallbacks:
            callback(self)

    def onElementComplete(self) -> None:
        """Give the execute the name that its job goes by; nothing is scheduled by it."""
        self.jobName = f"{self.title} in {self.rd.sourceId}"

    def getFullId(self) -> str:
        """The execute's key: the RD's id, ``#``, and its own."""
        return self._key or f"{self.rd.sourceId}#{self.id}"

    def getSourcePosition(self) -> str:
        """Where the execute stands: ``path:line:column``."""
        return str(self._position)

    def expand(self, text: str) -> str:
        """The text with the RD's macros expanded; raises MacroError where one is unknown or has no value."""
        return self.rd.expand(text)

    def spawn(self, cliList: Sequence[str] | str) -> int:
        """Run a program in the resource directory, wait for it, and answer its return code.

        ``cliList`` is the program with its arguments as a list; a string is split as a shell would (there is no shell).
        What the program writes becomes part of the run's output; for Python programs PYTHONUNBUFFERED is set, unless it
        is set already, so that it comes in order.  A code other than 0 (negative: a signal; 127: the program could not
        be started) makes the run a failed one, which is mailed; nothing is raised, the job goes on.
        """
        if self._runner is None or self._output is None:
            raise StructureError(f"{self.getFullId()} is not being run, so it cannot spawn; use execDef.spawn")
        argv: list[str] = []
        try:
            argv = shlex.split(cliList) if isinstance(cliList, str) else [str(word) for word in cliList]
            completed = self._runner.run(argv, cwd=self.rd.resdir, env=_child_environment(), tee=self._output.append)
        except (SpawnFailed, ValueError) as fault:
            message = f"{fault}\n".encode("utf-8", "backslashreplace")
            self._output.append(message)
            completed = Completed(
                argv=tuple(argv) or (str(cliList),), cwd=self.rd.resdir, returncode=127, output=message
            )
        if completed.returncode:
            self.failures.append(completed)
        elif self.debug and completed.output:
            item = f"Output of {shlex.join(completed.argv)}:\n\n".encode("utf-8", "backslashreplace") + completed.output
            self.outputAccum.append(item)
            self._spawned.append(item)
        return completed.returncode

    def spawnPython(self, pythonFile: str, *args: object) -> int:
        """Run a Python program, its path relative to the resource directory, with arguments; otherwise as ``spawn``."""
        return self.spawn([sys.executable, self.rd.getAbsPath(pythonFile), *map(str, args)])

    def accumulated(self) -> list[str | bytes]:
        """What is in ``outputAccum`` beside the output of children, which is in the run's output already."""
        if not self.outputAccum:
            return []
        return [item for item in self.outputAccum if not any(item is spawned for spawned in self._spawned)]

    def __repr__(self) -> str:
        """The execute and its key."""
        return f"<execute {self.getFullId()}>"


def _child_environment() -> dict[str, str] | None:
    """What is added to our environment for children.

    Python programs say things in order: else what they print to a pipe comes late, after what they say of errors, of
    which the last line is taken for the cause.
    """
    return None if "PYTHONUNBUFFERED" in os.environ else {"PYTHONUNBUFFERED": "1"}


def _set_attributes(element: CronJob | Execute, values: Mapping[str, Any]) -> None:
    """Set attributes by their names, or aliases; raises StructureError for others."""
    for name, value in values.items():
        if name not in element.managedAttrs and name not in _NEWER:
            raise StructureError(f"{element.name_} elements have no {name}")
        setattr(element, name, value)


class LoadedJob:
    """An execute made ready to run, once for each version of its RD; raises what compiling its code raises."""

    def __init__(self, rd: RD, execute: model.Execute, namespace: dict[str, object]) -> None:
        self.execute = execute
        self.rd = rd
        self.is_set_up = not execute.job.setup
        self.namespace = namespace
        namespace["rd"] = rd
        self.exec_def: Execute = rd._job_of(execute)  # noqa: SLF001 -- of this room
        self.function = make_function(execute.job, name=_function_name(execute), namespace=namespace)


def _function_name(execute: model.Execute) -> str:
    """A name for tracebacks: the job's own, or the execute's id or title, as far as it can be one."""
    name = re.sub(r"\W+", "_", execute.job.name or execute.id or execute.title).strip("_")
    return f"job_{name}"


class JobLoader:
    """Makes requests callable, and remembers what it made for as long as that version of the RD is in use.

    ``find`` answers the accepted version of an RD, by its id, and ``whole`` all of one of which no more is known than
    that it has no executes; ``choice`` says whose names job code gets.
    """

    def __init__(
        self,
        runner: Runner,
        *,
        find: Callable[[str], model.ResourceDescriptor | None] = lambda _: None,
        whole: Callable[[model.ResourceDescriptor], model.ResourceDescriptor] = lambda rd: rd,
        site: model.Site = _NO_SITE,
        clock: Clock | None = None,
        choice: JobNamespace = "auto",
    ) -> None:
        self._runner = runner
        self._find = find
        self._whole = whole
        self._site = site
        self._clock = clock or SystemClock()
        self._choice: JobNamespace = choice
        self._lock = threading.Lock()
        self._rds: WeakValueDictionary[int, RD] = WeakValueDictionary()
        # What jobs share on their rd must not go with the job that put it there: it stays with the accepted version.
        self._kept: dict[str, RD] = {}
        self._loaded: dict[str, LoadedJob] = {}

    def prepare(self, request: model.RunRequest, output: BoundedOutput) -> tuple[Callable[[], object], Execute]:
        """The request's job, ready to be called once, and its ``execDef``; raises what compiling raises."""
        execute = request.execute
        loaded = self._loaded.get(execute.key)
        if loaded is None or loaded.execute is not execute:
            loaded = self._load(request.rd, execute)
        exec_def = loaded.exec_def.for_run(self._runner, output)
        exec_def.callable = function = loaded.function
        # The globals are shared by the runs of an execute, which never overlap.
        loaded.namespace["parent"] = exec_def
        rd = loaded.rd
        if loaded.is_set_up:
            return lambda: function(rd, exec_def), exec_def

        def set_up_and_call() -> object:
            # Where setup fails, the next run begins with a namespace of its own.
            self._loaded.pop(execute.key, None)
            run_setup(execute.job.setup, loaded.namespace)
            loaded.is_set_up = True
            self._loaded[execute.key] = loaded
            return function(rd, exec_def)

        return set_up_and_call, exec_def

    def _load(self, rd: model.ResourceDescriptor, execute: model.Execute) -> LoadedJob:
        made = self._rd_of(rd)

        def get_rd(rd_id: str) -> RD:
            return made if rd_id == rd.rd_id else self.get_rd(rd_id)

        site = made._site  # noqa: SLF001 -- of this room
        namespace = make_namespace(execute.job, site=site, inputs_dir=rd.inputs_dir, get_rd=get_rd, choice=self._choice)
        loaded = self._loaded[execute.key] = LoadedJob(made, execute, namespace)
        return loaded

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
                made = RD(rd, site=self._site, loaded_at=self._clock.now().timestamp(), make_execute=Execute.of)
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
