"""``rd`` as job code sees it, in the spelling of the seed: the resource descriptor a job belongs to."""

# ruff: noqa: PTH116, PTH118, PTH123 -- job code is given and gives paths as strings

import os
import posixpath
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from functools import cached_property
from typing import IO, Any

import msgspec

from gavo_exec import model
from gavo_exec.errors import ReportableError
from gavo_exec.macros import Macro, MacroError, expand
from gavo_exec.rdmacros import rd_macros

UNSET: Any = object()
"""In the place of an argument that is not given, where None is a value."""


class NotFoundError(ReportableError):
    """Something that was asked for by name is not there.

    In its long form it is given the name, what kind of thing that is, and where it was looked for.
    """

    def __init__(self, lookedFor: str, what: str = "", within: str = "", hint: str = "") -> None:
        text = f"there is no {what} {lookedFor!r}" if what else lookedFor
        super().__init__(f"{text} in {within}" if within else text, hint)


class RDNotFound(NotFoundError):
    """There is no such resource descriptor."""


class StructureError(ReportableError):
    """An element is not what it must be."""


class WithProperties:
    """Access to the ``property`` children of an element."""

    properties: dict[str, str | None]

    def getProperty(self, name: str, default: Any = UNSET) -> Any:
        """The value of a property; raises NotFoundError where it is not there and no default is given."""
        if name in self.properties:
            return self.properties[name]
        if default is UNSET:
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


class RD(WithProperties):
    """``rd``: the resource descriptor a job belongs to.

    Job code may set attributes of its own on it, to share things between the jobs of one version of an RD.
    ``make_execute`` makes what ``jobs`` has of the RD's executes; ``loaded_at`` is in seconds since 1970.
    """

    def __init__(
        self,
        rd: model.ResourceDescriptor,
        *,
        site: model.Site,
        loaded_at: float,
        make_execute: Callable[["RD", model.Execute], Any],
        may_leave: bool = False,
    ) -> None:
        self._may_leave = may_leave
        self.sourceId = rd.rd_id
        self.schema = rd.schema
        self.resdir = rd.resdir
        self.srcPath = rd.path
        self.properties = dict(rd.properties)
        self.loadedAt = loaded_at
        self.parent = None
        # Of these gavo-exec reads nothing; code that goes through them finds none.
        self.tables: list[Any] = []
        self.dds: list[Any] = []
        self.services: list[Any] = []
        self._rd = rd
        self._site = _with_inputs_dir(site, rd.inputs_dir)
        self._make_execute = make_execute
        self._jobs: dict[str, Any] = {}

    @property
    def rd(self) -> "RD":
        """The RD itself, so that code for any element works with it, too."""
        return self

    @cached_property
    def jobs(self) -> list[Any]:
        """The executes of the RD, in its order."""
        return [self._job_of(execute) for execute in self._rd.executes]

    def _job_of(self, execute: model.Execute) -> Any:
        """The one object that stands for an execute of this version."""
        # Made when first asked for: there may be many.  Whatever thread comes second gets that of the first.
        made = self._jobs.get(execute.key)
        return made if made is not None else self._jobs.setdefault(execute.key, self._make_execute(self, execute))

    def getById(self, id: str, forceType: type | None = None) -> Any:
        """The execute with this id.

        Raises NotFoundError where there is none, StructureError where it is not of this type.
        """
        for job in self.jobs:
            if job.id == id:
                if forceType is not None and not isinstance(job, forceType):
                    raise StructureError(f"{self.sourceId}#{id} is an execute, not a {forceType.__name__}")
                return job
        raise NotFoundError(
            f"there is no execute with the id {id!r} in {self.sourceId}",
            hint="tables, services and all else that is no execute need DaCHS",
        )

    def getAbsPath(self, relPath: str) -> str:
        """The absolute path of something in the resource directory.

        Raises ReportableError for a path that leads out of it, by being absolute or by ``..``, unless the settings
        allow that (``outside_resdir``).
        """
        path = os.path.join(self.resdir, relPath)
        if not self._may_leave and not f"{os.path.normpath(path)}/".startswith(f"{os.path.normpath(self.resdir)}/"):
            raise ReportableError(
                f"{relPath} leads out of the resource directory {self.resdir}",
                "let it be below the resource directory (a symbolic link there will do), or set outside_resdir = allow",
            )
        return path

    def getRelResdir(self) -> str:
        """The resource directory below the data centre's inputs directory; raises ValueError where it is outside."""
        return relative_path(self.resdir, self._rd.inputs_dir)

    def openRes(self, relPath: str, mode: str = "rb") -> IO[Any]:
        """Open a file of the resource directory."""
        return open(self.getAbsPath(relPath), mode)

    def getMeta(self, key: str, default: Any = None) -> Any:
        """The first value of a metadata item, of the RD or else of the site; ``default`` where it is missing."""
        return next(self.iterMeta(key), default)

    def iterMeta(self, key: str) -> Iterator[Meta]:
        """All values of a metadata item, of the RD or else of the site."""
        return map(Meta, self._rd.meta.get(key) or self._site.meta.get(key, ()))

    def isDirty(self) -> bool:
        """Whether the RD's file has changed, or gone, since it was loaded."""
        try:
            return os.stat(self.srcPath).st_mtime > self.loadedAt
        except OSError:
            return True

    def expand(self, text: str) -> str:
        """The text with the RD's macros expanded; raises MacroError where one is unknown or has no value."""
        expansion = expand(text, self._macros)
        if expansion.faults:
            raise MacroError(expansion.faults[0].message, expansion.faults[0].hint)
        return expansion.text

    @cached_property
    def _macros(self) -> Mapping[str, Macro]:
        macros = rd_macros(
            rd_id=self.sourceId,
            schema=self.schema,
            resdir=self.resdir,
            inputs_dir=self._rd.inputs_dir,
            meta=self._rd.meta,
            today=datetime.fromtimestamp(self.loadedAt, UTC).astimezone().date(),
            site=self._site,
        )
        return {
            **macros,
            **{name: Macro(function=lambda value=value: value) for name, value in self._rd.macros.items()},
        }

    def __repr__(self) -> str:
        """The RD and its id."""
        return f"<resource descriptor {self.sourceId}>"


def _with_inputs_dir(site: model.Site, inputs_dir: str) -> model.Site:
    """The site, which knows the inputs directory even where there is no configuration to say it."""
    if site.get("general", "inputsDir") is not None:
        return site
    general = {**site.config.get("general", {}), "inputsdir": inputs_dir}
    return msgspec.structs.replace(site, config={**site.config, "general": general})


def configured(site: model.Site, *names: str) -> str:
    """A configured value, by section and item, or by item in general; raises NotFoundError where it is not set."""
    section, item = names if len(names) > 1 else ("general", names[0])
    value = site.get(section, item)
    if value is None:
        where = site.files[0] if site.files else "gavo.rc"
        raise NotFoundError(f"[{section}] {item} is not configured", hint=f"set it in {where}")
    return value


def relative_path(path: str, root: str) -> str:
    """The path from the root on; raises ValueError where it is not below it."""
    below = posixpath.relpath(path, root)
    if below == ".." or below.startswith("../"):
        raise ValueError(f"{path} is not below {root}")
    return below
