"""``execDef`` and its job, in the spelling of the seed: an execute as job code sees it, on its own and in a run."""

import os
import shlex
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from inspect import currentframe
from types import MappingProxyType
from typing import Any, ClassVar

import msgspec

from gavo_exec import elements, model
from gavo_exec.elements import Attribute, Child, Element
from gavo_exec.errors import NOWHERE, Position, SpawnFailed
from gavo_exec.ports import Completed, JobRunner, Terms
from gavo_exec.runtime.active import ActiveRun
from gavo_exec.runtime.jobcode import JobFunction, make_function
from gavo_exec.runtime.resource import RD, StructureError, WithProperties
from gavo_exec.schedule import At, Every, Loaded

_DEEPEST_CALL = 100
"""How many frames up a job's own line is looked for."""
_NEWER = frozenset({"on"})
"""Attributes that the seed does not have."""


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

    parent: RD
    id: str | None
    title: str | None
    at: list[str] | None
    every: int | None
    on: str | None
    debug: bool
    job: CronJob | None
    callable: JobFunction | None
    jobName: str
    outputAccum: list[str | bytes]
    failures: list[Completed]
    _key: str
    _position: Position
    _without_run: "Execute | None" = None
    _runner: JobRunner | None = None
    _active: ActiveRun | None = None
    _spawned: tuple[bytes, ...] = ()

    def __init__(self, parent: RD, **kwargs: Any) -> None:
        self.parent = parent
        self.id = self.title = self.at = self.every = self.on = self.job = self.callable = None
        self.debug = False
        self.jobName = self._key = ""
        self._position = NOWHERE
        self.properties = {}
        self.outputAccum = []
        self.failures = []
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

    def for_run(self, runner: JobRunner, active: ActiveRun) -> "Execute":
        """The execute for one run; it shares its properties and its job with all others."""
        made = Execute.__new__(Execute)
        made.__dict__ = {
            "_without_run": self,
            "_runner": runner,
            "_active": active,
            "outputAccum": [],
            "failures": [],
        }
        if parameters := active.request.parameters:
            made.properties = {**self.properties, **dict(parameters)}
        return made

    def __getattr__(self, name: str) -> Any:
        """What all runs share, they look up rather than have a copy of it: every run makes one of these."""
        if (shared := self._without_run) is None:
            raise AttributeError(f"an execute has no {name}")
        return getattr(shared, name)

    def __dir__(self) -> Iterable[str]:
        """The names of what runs share, too."""
        return {*super().__dir__(), *(dir(self._without_run) if self._without_run is not None else ())}

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
        be started) makes the run a failed one, which is mailed; nothing is raised, the job goes on.  Only a run that
        was ended, since it took too long or was cancelled, starts nothing any more: then RunError is raised.
        """
        active, runner = self._run("spawn")
        active.begin_child(runner)
        policy = active.request.execute.policy
        cwd = policy.workdir or self.rd.resdir
        argv: list[str] = []
        try:
            argv = shlex.split(cliList) if isinstance(cliList, str) else [str(word) for word in cliList]
            completed = runner.run(
                argv,
                cwd=cwd,
                env=child_environment(policy),
                tee=active.output.append,
                terms=Terms(run_id=active.request.run_id, niceness=policy.niceness, memory_bytes=policy.memory_bytes),
            )
        except (SpawnFailed, ValueError) as fault:
            message = f"{fault}\n".encode("utf-8", "backslashreplace")
            active.output.append(message)
            completed = Completed(argv=tuple(argv) or (str(cliList),), cwd=cwd, returncode=127, output=message)
        if completed.returncode:
            place = _calling_place(active.request.execute.job.position.path)
            self.failures.append(msgspec.structs.replace(completed, called_at=place))
        elif self.debug and completed.output:
            item = f"Output of {shlex.join(completed.argv)}:\n\n".encode("utf-8", "backslashreplace") + completed.output
            self.outputAccum.append(item)
            self._spawned = (*self._spawned, item)
        return completed.returncode

    def spawnPython(self, pythonFile: str, *args: object) -> int:
        """Run a Python program, its path relative to the resource directory, with arguments; otherwise as ``spawn``."""
        return self.spawn([sys.executable, self.rd.getAbsPath(pythonFile), *map(str, args)])

    @property
    def cancelled(self) -> bool:
        """Whether this run should end: it took too long, was cancelled, or the daemon is stopping."""
        return self._active is not None and self._active.is_cancelled

    def wait(self, seconds: float) -> bool:
        """Wait for so long, or until this run should end; answers whether it should."""
        return self._run("wait")[0].wait(seconds)

    @property
    def newFiles(self) -> list[str]:
        """The paths of the files that this run is for; none where its execute does not wait for files."""
        return [] if self._active is None else [file.path for file in self._active.request.files]

    def _run(self, what: str) -> tuple[ActiveRun, JobRunner]:
        if self._active is None or self._runner is None:
            raise StructureError(f"{self.getFullId()} is not being run, so it cannot {what}; use execDef.{what}")
        return self._active, self._runner

    def accumulated(self) -> list[str | bytes]:
        """What is in ``outputAccum`` beside the output of children, which is in the run's output already."""
        if not self.outputAccum:
            return []
        return [item for item in self.outputAccum if not any(item is spawned for spawned in self._spawned)]

    def __repr__(self) -> str:
        """The execute and its key."""
        return f"<execute {self.getFullId()}>"


def child_environment(policy: model.Policy) -> dict[str, str]:
    """What is added to our environment for a run's children.

    Python programs say things in order: else what they print to a pipe comes late, after what they say of errors, of
    which the last line is taken for the cause.
    """
    unbuffered = {} if "PYTHONUNBUFFERED" in os.environ else {"PYTHONUNBUFFERED": "1"}
    return {**unbuffered, **dict(policy.env)}


def _calling_place(job_path: str) -> str:
    """Where job code has called us: its line in the file that it stands in, else in the module that did."""
    frame = currentframe()
    nearest = ""
    for _ in range(_DEEPEST_CALL):
        if frame is None:
            break
        path = frame.f_code.co_filename
        if path == job_path:
            return f"{path}, line {frame.f_lineno}"
        if not nearest and path != __file__:
            nearest = f"{path}, line {frame.f_lineno}"
        frame = frame.f_back
    return nearest


def _set_attributes(element: CronJob | Execute, values: Mapping[str, Any]) -> None:
    """Set attributes by their names, or aliases; raises StructureError for others."""
    for name, value in values.items():
        if name not in element.managedAttrs and name not in _NEWER:
            raise StructureError(f"{element.name_} elements have no {name}")
        setattr(element, name, value)
