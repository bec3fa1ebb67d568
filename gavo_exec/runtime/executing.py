"""What job code sees, in the spelling of the seed: ``rd``, ``execDef``, and the names in scope.

An RD's job is a function of ``rd`` and ``execDef``.  ``rd`` and the globals are made once for each version of an RD and
shared by its runs; ``execDef`` is made for each run.
"""

import base64
import datetime  # noqa: ICN001 -- the name that job code finds it by
import logging
import math
import os
import pprint
import re
import shlex
import sys
import threading
import time
import traceback
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import IO, Any
from weakref import WeakValueDictionary

from gavo_exec import model
from gavo_exec.errors import Position, ReportableError, SpawnFailed
from gavo_exec.ports import Completed, Runner
from gavo_exec.runtime.guard import contain
from gavo_exec.runtime.jobcode import JobFunction, make_function
from gavo_exec.runtime.modules import load_module
from gavo_exec.runtime.output import BoundedOutput
from gavo_exec.schedule import At, Every

_log = logging.getLogger("gavo_exec")
_UNSET: Any = object()


class NotFoundError(ReportableError):
    """Something that was asked for by name is not there."""


class _WithProperties:
    """The seed's access to the ``property`` children of an element."""

    properties: dict[str, str | None]

    def getProperty(self, name: str, default: Any = _UNSET) -> Any:
        """The value of a property; raises NotFoundError where it is not there and no default is given."""
        if name in self.properties:
            return self.properties[name]
        if default is _UNSET:
            raise NotFoundError(f"there is no property {name!r} here; there are: {sorted(self.properties)}")
        return default

    def hasProperty(self, name: str) -> bool:
        """Whether there is such a property."""
        return name in self.properties

    def setProperty(self, name: str, value: str | None) -> None:
        """Set a property, until the RD is loaded anew."""
        self.properties[name] = value

    def clearProperty(self, name: str) -> None:
        """Remove a property, if it is there."""
        self.properties.pop(name, None)


class Meta(str):
    """A metadata value: text that also answers as an element of the RD would."""

    __slots__ = ()

    def getContent(self, targetFormat: str = "text") -> str:  # noqa: ARG002 -- text is what there is
        """The text."""
        return str(self)


class RD(_WithProperties):
    """``rd``: the resource descriptor a job belongs to.

    Job code may set attributes of its own on it, to share things between the jobs of one version of an RD.
    """

    def __init__(self, rd: model.ResourceDescriptor) -> None:
        self.sourceId = rd.rd_id
        self.schema = rd.schema
        self.resdir = rd.resdir
        self.srcPath = rd.path
        self.properties = dict(rd.properties)
        self._rd = rd

    def getAbsPath(self, relPath: str) -> str:
        """The absolute path of something in the resource directory; absolute paths stay as they are."""
        return os.path.join(self.resdir, relPath)  # noqa: PTH118 -- a string, as the seed has it

    def getRelResdir(self) -> str:
        """The resource directory below the data centre's inputs directory; raises ValueError where it is outside."""
        return str(Path(self.resdir).relative_to(self._rd.inputs_dir))

    def openRes(self, relPath: str, mode: str = "rb") -> IO[Any]:
        """Open a file of the resource directory."""
        return open(self.getAbsPath(relPath), mode)  # noqa: PTH123 -- the caller closes it

    def getMeta(self, key: str, default: Any = None) -> Any:
        """The first value of a metadata item; ``default`` where it is missing."""
        values = self._rd.meta.get(key)
        return Meta(values[0]) if values else default

    def iterMeta(self, key: str) -> Iterator[Meta]:
        """All values of a metadata item."""
        return map(Meta, self._rd.meta.get(key, ()))

    def __repr__(self) -> str:
        """The RD and its id."""
        return f"<resource descriptor {self.sourceId}>"


class CronJob:
    """``execDef.job``: the code of an execute."""

    name_ = "job"
    formalArgs = "rd, execDef"

    def __init__(self, job: model.Job) -> None:
        self.code = job.source
        self._job = job

    def compile(self, namespace: dict[str, object], name: str) -> JobFunction:
        """The code as a function of ``rd`` and ``execDef`` with these globals."""
        return make_function(self._job, name=name, namespace=namespace)


class Execute(_WithProperties):
    """``execDef``: the execute that is run, for one run.

    ``outputAccum`` is a list of text and bytes that become part of the run's output; ``failures`` are the children
    that failed in this run.
    """

    name_ = "execute"

    id: str | None
    title: str
    at: list[str] | None
    every: int | None
    debug: bool
    rd: RD
    parent: RD
    job: CronJob
    callable: JobFunction
    jobName: str
    _key: str
    _position: Position

    def __init__(self, loaded: "LoadedJob", *, runner: Runner, output: BoundedOutput) -> None:
        # What is the same for all runs comes from the loaded job in one go: there may be many runs.
        self.__dict__.update(loaded.attributes)
        self.outputAccum: list[str | bytes] = []
        self.failures: list[Completed] = []
        self._spawned: list[bytes] = []
        self._runner = runner
        self._output = output

    def getFullId(self) -> str:
        """The execute's key: the RD's id, ``#``, and its own."""
        return self._key

    def getSourcePosition(self) -> str:
        """Where the execute stands: ``path:line:column``."""
        return str(self._position)

    def spawn(self, cliList: Sequence[str] | str) -> int:
        """Run a program in the resource directory, wait for it, and answer its return code.

        ``cliList`` is the program with its arguments as a list; a string is split as a shell would (there is no shell).
        What the program writes becomes part of the run's output; for Python programs PYTHONUNBUFFERED is set, unless it
        is set already, so that it comes in order.  A code other than 0 (negative: a signal; 127: the program could not
        be started) makes the run a failed one, which is mailed; nothing is raised, the job goes on.
        """
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
        return f"<execute {self._key}>"


def _child_environment() -> dict[str, str] | None:
    """What is added to our environment for children.

    Python programs say things in order: else what they print to a pipe comes late, after what they say of errors, of
    which the last line is taken for the cause.
    """
    return None if "PYTHONUNBUFFERED" in os.environ else {"PYTHONUNBUFFERED": "1"}


class _UI:
    """``base.ui``: messages of job code, which go into the run's output."""

    _log = logging.getLogger("job")

    def notifyInfo(self, message: object) -> None:
        """Say something."""
        self._log.info("%s", message)

    def notifyWarning(self, message: object) -> None:
        """Say that something is not quite right."""
        self._log.warning("%s", message)

    def notifyError(self, message: object) -> None:
        """Say that something is wrong; this does not make the run a failed one."""
        self._log.error("%s", message)


class _Utils:
    """``utils``: tools that job code can ask for."""

    def __init__(self, inputs_dir: str) -> None:
        self._inputs_dir = inputs_dir

    def loadPythonModule(self, path: str) -> tuple[ModuleType, ModuleSpec]:
        """Execute a Python file (the path with or without ``.py``) as a module; answers it and its specification.

        It is executed anew at each call, can import the modules beside it, and is not entered into ``sys.modules``.
        """
        return load_module(os.path.join(self._inputs_dir, path))  # noqa: PTH118 -- a string, as the seed has it


base = SimpleNamespace(ReportableError=ReportableError, NotFoundError=NotFoundError, ui=_UI())
"""``base``, as far as jobs that are no part of a DaCHS server can use it."""

_MODULES: Mapping[str, object] = {
    module.__name__: module for module in (base64, datetime, math, os, pprint, re, sys, time, traceback)
} | {"urllib": urllib}


def make_namespace(rd: RD, inputs_dir: str) -> dict[str, object]:
    """The globals of an RD's job code."""
    tools = _Utils(inputs_dir)
    names = {**_MODULES, "__name__": "job", "base": base, "utils": tools, "rd": rd}
    names["loadPythonModule"] = tools.loadPythonModule
    return names


class LoadedJob:
    """An execute made ready to run, once for each version of its RD; raises what compiling its code raises."""

    def __init__(self, rd: RD, execute: model.Execute, inputs_dir: str) -> None:
        schedule = execute.schedule
        job = CronJob(execute.job)
        self.execute = execute
        self.rd = rd
        self.namespace = make_namespace(rd, inputs_dir)
        self.function = job.compile(self.namespace, _function_name(execute))
        self.attributes: dict[str, object] = {
            "id": execute.id,
            "title": execute.title,
            "at": list(schedule.items) if isinstance(schedule, At) else None,
            "every": schedule.raw if isinstance(schedule, Every) else None,
            "debug": execute.debug,
            "properties": dict(execute.properties),
            "rd": rd,
            "parent": rd,
            "job": job,
            "callable": self.function,
            "jobName": f"{execute.title} in {rd.sourceId}",
            "_key": execute.key,
            "_position": execute.position,
        }


def _function_name(execute: model.Execute) -> str:
    """A name for tracebacks: the execute's id or title as far as it can be one."""
    name = re.sub(r"\W+", "_", execute.id or execute.title).strip("_")
    return f"job_{name}"


class JobLoader:
    """Makes requests callable, and remembers what it made for as long as that version of the RD is in use."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._lock = threading.Lock()
        self._rds: WeakValueDictionary[int, RD] = WeakValueDictionary()
        self._loaded: dict[str, LoadedJob] = {}

    def prepare(self, request: model.RunRequest, output: BoundedOutput) -> tuple[Callable[[], object], Execute]:
        """The request's job, ready to be called once, and its ``execDef``; raises what compiling raises."""
        execute = request.execute
        loaded = self._loaded.get(execute.key)
        if loaded is None or loaded.execute is not execute:
            loaded = self._load(request)
        exec_def = Execute(loaded, runner=self._runner, output=output)
        # The globals are shared by the runs of an execute, which never overlap.
        loaded.namespace["parent"] = exec_def
        function, rd = loaded.function, loaded.rd
        return lambda: function(rd, exec_def), exec_def

    def _load(self, request: model.RunRequest) -> LoadedJob:
        with self._lock:
            # One ``rd`` for all jobs of a version; it goes when the last of them does.
            rd = self._rds.get(id(request.rd))
            if rd is None or rd._rd is not request.rd:  # noqa: SLF001 -- of this room
                rd = self._rds[id(request.rd)] = RD(request.rd)
        loaded = LoadedJob(rd, request.execute, request.rd.inputs_dir)
        self._loaded[request.execute.key] = loaded
        return loaded

    def forget(self, keys: Sequence[str]) -> None:
        """Let go of executes that are no more."""
        for key in keys:
            self._loaded.pop(key, None)


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
