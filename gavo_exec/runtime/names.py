"""The names in scope of job code, in the spelling of the seed.

What DaCHS has beside these needs DaCHS; where that can be imported, its own names can take the place of ours.
"""

# ruff: noqa: PTH103, PTH105, PTH108, PTH118, PTH123 -- job code is given and gives paths as strings

import base64
import datetime  # noqa: ICN001 -- the name that job code finds it by
import importlib
import logging
import math
import os
import posixpath
import pprint
import re
import secrets
import shutil
import sys
import time
import traceback
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache
from importlib.machinery import ModuleSpec
from types import ModuleType, SimpleNamespace
from typing import IO, Any, Literal

from gavo_exec.errors import GavoExecError, ReportableError, RunError
from gavo_exec.macros import MacroError
from gavo_exec.model import Job, Site
from gavo_exec.runtime import literals
from gavo_exec.runtime.modules import load_module
from gavo_exec.runtime.resource import (
    RD,
    NotFoundError,
    RDNotFound,
    StructureError,
    configured,
    relative_path,
)

JobNamespace = Literal["auto", "own", "dachs"]
"""Whose names job code gets: DaCHS's where they can be had, always ours, or always DaCHS's."""

DACHS_NAMES = "gavo.rscdef.rmkfuncs"
"""The module of DaCHS whose names are those of its procedures."""

_MODULES: Mapping[str, object] = {
    module.__name__: module for module in (base64, datetime, math, os, pprint, re, sys, time, traceback)
} | {"urllib": urllib}
_ON_DEMAND = ("numpy",)
"""Modules that take their time to be imported, and so are only where code mentions them."""


class SkipThis(Exception):
    """Raised by code for tables to leave something out; in a job it is an exception like any other."""


class IgnoreThisRow(Exception):
    """Raised by code for tables to leave a row out; in a job it is an exception like any other."""


class ValidationError(ReportableError):
    """A value is not what it must be; ``colName`` says of what."""

    def __init__(self, msg: str, colName: str = "", hint: str = "") -> None:
        super().__init__(f"{colName}: {msg}" if colName else msg, hint)
        self.colName = colName


class _NotGiven:
    """Stands for a value that is not given, where None is one."""

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return "NotGiven"


NotGiven = _NotGiven()


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


class _Part(SimpleNamespace):
    """As much of a module of DaCHS as there is without it."""

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(
            f"there is no {name} in {self._called}: gavo-exec has none, and DaCHS's names are not in use"
        )


class _Site:
    """What depends on the data centre, as the jobs of an RD are to see it; without an RD nothing is known of one."""

    def __init__(self, *, site: Site, inputs_dir: str, get_rd: Callable[[str], RD]) -> None:
        self._site = site
        self._inputs_dir = inputs_dir
        self._get_rd = get_rd

    def getConfig(self, *names: str) -> str:
        """A configured value, by section and item, or by item in general; raises NotFoundError where it is not set."""
        if len(names) not in (1, 2):
            raise TypeError(f"getConfig takes an item, or a section and an item, not {len(names)} names")
        return configured(self._site, *names)

    def makeSitePath(self, path: str) -> str:
        """The path of something on the server, from its root on."""
        parts = ((self._site.get("web", "nevowRoot") or "").strip("/"), path.lstrip("/"))
        return "/" + "/".join(part for part in parts if part)

    def makeAbsoluteURL(self, path: str) -> str:
        """The URL of something on the server; raises NotFoundError where the server's own is not configured."""
        if re.match("[a-z]+://", path):
            return path
        return self.getConfig("web", "serverURL").rstrip("/") + self.makeSitePath(path)

    def getInputsRelativePath(self, absPath: str, liberalChars: bool = True) -> str:  # noqa: FBT001, FBT002 -- the seed's
        """The path below the inputs directory; raises ValueError where it is not there."""
        return getRelativePath(absPath, self._inputs_dir, liberalChars)

    def loadPythonModule(self, path: str) -> tuple[ModuleType, ModuleSpec]:
        """Execute a Python file (the path with or without ``.py``) as a module; answers it and its specification.

        It is executed anew at each call, can import the modules beside it, and is not entered into ``sys.modules``.
        """
        return load_module(os.path.join(self._inputs_dir, path))

    def getRD(self, srcId: str) -> RD:
        """The resource descriptor with this id, as last accepted; raises RDNotFound where there is none."""
        return self._get_rd(_rd_id(srcId, self._inputs_dir))

    def resolveCrossId(self, id: str, forceType: type | None = None) -> Any:
        """The execute of ``rd#id``, or the RD of ``rd``; raises NotFoundError, or StructureError for a wrong type."""
        rd_id, hash_, name = id.partition("#")
        rd = self.getRD(rd_id)
        if hash_:
            return rd.getById(name, forceType)
        if forceType is not None and not isinstance(rd, forceType):
            raise StructureError(f"{id} is a resource descriptor, not a {forceType.__name__}")
        return rd


def _rd_id(name: str, inputs_dir: str) -> str:
    """The id that is meant by this spelling of it: with ``.rd``, as an absolute path, with dots, or ``//`` first."""
    if name.startswith("//"):
        name = f"__system__/{name[2:]}"
    elif name.startswith("/"):
        with suppress(ValueError):
            name = relative_path(name, inputs_dir)
    return posixpath.normpath(name.strip()).removesuffix(".rd")


def getRelativePath(fullPath: str, rootPath: str, liberalChars: bool = True) -> str:  # noqa: FBT001, FBT002 -- the seed's
    """The path below another; raises ValueError where it is not, or has characters that URLs cannot have as they are.

    The latter only where not ``liberalChars``.
    """
    below = relative_path(fullPath, rootPath)
    if not liberalChars and urllib.parse.quote(below) != below:
        raise ValueError(f"{below!r} has characters that cannot stand in URLs")
    return below


def getFileStem(fPath: str) -> str:
    """The name of a file without its folder and extension; of two, the last is a compression's (.gz and the like)."""
    name = posixpath.basename(fPath)
    stem, extension = posixpath.splitext(name)
    return posixpath.splitext(stem)[0] if extension in {".gz", ".bz2", ".xz", ".Z", ".z"} else stem


def getMetaText(ob: Any, key: str, default: Any = None) -> Any:
    """The text of an element's metadata; ``default`` where there is none."""
    found = ob.getMeta(key)
    return default if found is None else str(found)


def ensureDir(dirPath: str) -> None:
    """Make a folder, and those above it, where they are not there yet."""
    os.makedirs(dirPath, exist_ok=True)


@contextmanager
def safeReplaced(fName: str, *, binary: bool = True) -> Iterator[IO[Any]]:
    """Write a file anew: what is written takes the place of the old content at the end, and only if all went well.

    The file keeps its mode.  Text is written in UTF-8 where not ``binary``.
    """
    target = os.path.realpath(fName)
    draft = f"{target}.{secrets.token_hex(4)}"
    try:
        with open(draft, "xb") if binary else open(draft, "x", encoding="utf-8") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileNotFoundError):
            shutil.copymode(target, draft)
        os.replace(draft, target)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(draft)
        raise


def fixIndentation(code: str, newIndent: str, governingLine: int = 0) -> str:
    """The code with the indentation of a line taken off all others, and a new one put before each.

    What governs is the first line from ``governingLine`` (0 is the first) on that is not blank; those before it lose
    all they have.  Raises StructureError where a line does not begin as it does.
    """
    lines = code.split("\n")
    governing = next((number for number in range(governingLine, len(lines)) if lines[number].strip()), len(lines))
    margin = "".join(re.findall(r"^\s*", lines[governing])) if governing < len(lines) else ""
    fixed = [line.lstrip() for line in lines[:governing]]
    for line in lines[governing:]:
        if line.strip() and not line.startswith(margin):
            raise StructureError(f"bad indentation, all lines must begin with {margin!r}: {line!r}")
        fixed.append(line[len(margin) :] if line.strip() else "")
    return "\n".join(newIndent + line for line in fixed)


_LITERALS: Mapping[str, object] = {name: getattr(literals, name) for name in literals.__all__}
_UI_OF_JOBS = _UI()


def _no_rd(rd_id: str) -> RD:
    raise RDNotFound(rd_id, "resource descriptor")


def own_names(*, site: Site, inputs_dir: str, get_rd: Callable[[str], RD] = _no_rd) -> dict[str, object]:
    """The names that job code has without DaCHS, but for what is of its RD and execute."""
    centre = _Site(site=site, inputs_dir=inputs_dir, get_rd=get_rd)
    both: dict[str, Any] = dict(_LITERALS) | {
        "getFileStem": getFileStem,
        "getInputsRelativePath": centre.getInputsRelativePath,
        "getRelativePath": getRelativePath,
        "loadPythonModule": centre.loadPythonModule,
        "makeAbsoluteURL": centre.makeAbsoluteURL,
        "makeSitePath": centre.makeSitePath,
        "IgnoreThisRow": IgnoreThisRow,
        "SkipThis": SkipThis,
    }
    utils = _Part(
        _called="utils", ensureDir=ensureDir, fixIndentation=fixIndentation, safeReplaced=safeReplaced, **both
    )
    base = _Part(
        _called="base",
        ui=_UI_OF_JOBS,
        utils=utils,
        caches=_Part(_called="base.caches", getRD=centre.getRD),
        getConfig=centre.getConfig,
        getMetaText=getMetaText,
        resolveCrossId=centre.resolveCrossId,
        Error=GavoExecError,
        MacroError=MacroError,
        NotFoundError=NotFoundError,
        NotGiven=NotGiven,
        RDNotFound=RDNotFound,
        ReportableError=ReportableError,
        StructureError=StructureError,
        ValidationError=ValidationError,
        **both,
    )
    return {**_MODULES, **both, "base": base, "utils": utils}


def make_namespace(
    job: Job, *, site: Site, inputs_dir: str, get_rd: Callable[[str], RD], choice: JobNamespace
) -> dict[str, object]:
    """The globals of a job's code, but for what is of its RD and execute.

    Raises RunError where DaCHS's names are wanted and cannot be had.
    """
    names = _dachs_names() if choice == "dachs" else _dachs_names_if_there() if choice == "auto" else None
    if names is None:
        names = own_names(site=site, inputs_dir=inputs_dir, get_rd=get_rd)
        code = job.setup_source + job.source
        for name in _ON_DEMAND:
            if re.search(rf"\b{name}\b", code):
                with suppress(ImportError):
                    names[name] = importlib.import_module(name)
    return {**names, "__name__": "job"}


def _dachs_names() -> dict[str, object]:
    """The names that DaCHS's own procedures have; raises RunError where they cannot be had."""
    try:
        found = vars(importlib.import_module(DACHS_NAMES))
    except KeyboardInterrupt:
        raise
    except BaseException as fault:  # DaCHS may even exit, where its configuration is bad
        raise RunError(
            f"DaCHS's names cannot be had, which job_namespace asks for: {type(fault).__name__}: {fault}; "
            "install DaCHS for the Python that gavo-exec runs with, or set job_namespace to auto"
        ) from fault
    return {name: value for name, value in found.items() if not name.startswith("__")}


@cache
def _dachs_names_if_there() -> dict[str, object] | None:
    """The same, or None; remembered, since it may take long to find that out."""
    try:
        return _dachs_names()
    except RunError:
        return None
