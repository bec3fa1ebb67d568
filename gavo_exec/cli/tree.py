"""The resource tree as commands read it."""

import os
import sys
from datetime import date
from importlib.util import find_spec
from pathlib import Path

from gavo_exec.catalog import Catalog
from gavo_exec.cli.keys import unknown_key
from gavo_exec.cli.output import clean
from gavo_exec.descriptor import read
from gavo_exec.errors import DescriptorError, Diagnostic, GavoExecError, SettingsError
from gavo_exec.events import Event
from gavo_exec.model import Execute, ResourceDescriptor, Site, rd_id_of
from gavo_exec.reload import Reloader
from gavo_exec.runtime.clock import SystemClock
from gavo_exec.services.watch import scan
from gavo_exec.settings import Settings


def absolute(path: str) -> str:
    """The path from the root on, without ``..``, links as they are."""
    return os.path.abspath(path)  # noqa: PTH100 -- resolve() would follow links, and RD ids do not


def inputs_dir_of(settings: Settings) -> str:
    """The resource directory, for commands that only sometimes need one; raises SettingsError where none is set."""
    if not settings.inputs_dir:
        raise SettingsError("inputs_dir is not set: give --inputs-dir DIR, set GAVO_EXEC_INPUTS_DIR, or see --settings")
    return settings.inputs_dir


def rd_files(directory: str) -> list[str]:
    """The RDs below a directory that the daemon would take up, as absolute paths, in order.

    Folders that cannot be read are told on standard error.  Raises GavoExecError where the directory itself cannot.
    """
    try:
        tree = scan(absolute(directory), ".rd")
    except OSError as fault:
        raise GavoExecError(
            f"{directory}: this resource directory cannot be read: {fault.strerror}; name another with --inputs-dir"
        ) from None
    for path, reason in sorted(tree.unreadable.items()):
        print(f"gavo-exec: {clean(path)}: {clean(reason)}", file=sys.stderr)
    return sorted(tree.files)


def _today() -> date:
    """The date here, as in the daemon."""
    return SystemClock().now().astimezone().date()


def read_tree(inputs_dir: str) -> Catalog:
    """All RDs as the daemon would understand them now."""
    reloader = Reloader(inputs_dir, read=_read, clock=SystemClock(), publish=_unheard)
    return reloader.update(frozenset(rd_files(inputs_dir)))


def _read(path: str, *, inputs_dir: str) -> ResourceDescriptor:
    """Read an RD as of today."""
    return read(path, inputs_dir=inputs_dir, today=_today())


def _unheard(_event: Event) -> None:
    """Nobody listens to what a reading for display comes to."""


def checked(
    path: str, inputs_dir: str, *, data: bytes | None = None
) -> tuple[ResourceDescriptor | None, tuple[Diagnostic, ...]]:
    """An RD (None where it is refused), and all that the reader says about it; ``data`` in place of the file's."""
    try:
        rd = read(path, inputs_dir=inputs_dir, data=data, today=_today(), thorough=True)
    except DescriptorError as error:
        return None, error.diagnostics
    return rd, rd.warnings


def names_in_scope(rd: ResourceDescriptor) -> frozenset[str]:
    """The names that the RD's job code finds without import."""
    from gavo_exec.runtime.names import own_names

    return frozenset(own_names(site=Site(), inputs_dir=rd.inputs_dir)) | {"numpy"}


def has_dachs() -> bool:
    """Whether DaCHS can be imported here."""
    return find_spec("gavo") is not None


def resource_directory(path: str, inputs_dir: str) -> str:
    """The resource directory that a path to be checked belongs to.

    That is ``inputs_dir`` if the path is below it; else the path itself, or, of a file, the directory above its own.
    """
    here = Path(absolute(path))
    if inputs_dir and here.is_relative_to(absolute(inputs_dir)):
        return absolute(inputs_dir)
    return str(here if here.is_dir() else here.parent.parent)


def find_execute(inputs_dir: str, key: str) -> tuple[ResourceDescriptor, Execute]:
    """The execute of a key, and its RD.

    Raises DescriptorError where that RD is broken, and UnknownError, with what may be meant, where there is none.
    """
    path = Path(inputs_dir, f"{rd_id_of(key)}.rd")
    if "#" in key and path.is_file():
        rd = _read(str(path), inputs_dir=inputs_dir)
        for execute in rd.executes:
            if execute.key == key:
                return rd, execute
    raise unknown_key(key, [execute.key for _, execute in read_tree(inputs_dir).executes()])
