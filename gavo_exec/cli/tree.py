"""The resource tree as commands read it."""

import os
import sys
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path

from msgspec import structs

from gavo_exec.catalog import Catalog
from gavo_exec.cli.keys import unknown_key
from gavo_exec.cli.output import clean
from gavo_exec.errors import DescriptorError, Diagnostic, GavoExecError, SettingsError
from gavo_exec.events import Event
from gavo_exec.model import Execute, ResourceDescriptor, Site, rd_id_of
from gavo_exec.reading import RDReader
from gavo_exec.reload import Reloader
from gavo_exec.runtime.clock import SystemClock
from gavo_exec.services.watch import scan
from gavo_exec.settings import LiveSite, Settings, find_site, locate


def absolute(path: str) -> str:
    """The path from the root on, without ``..``, links as they are."""
    return os.path.abspath(path)  # noqa: PTH100 -- resolve() would follow links, and RD ids do not


def with_inputs_dir(settings: Settings) -> Settings:
    """These settings, if there is a resource directory in them; raises SettingsError where there is none."""
    if not settings.inputs_dir:
        raise SettingsError("inputs_dir is not set: give --inputs-dir DIR, set GAVO_EXEC_INPUTS_DIR, or see --settings")
    return settings


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


def read_tree(settings: Settings) -> Catalog:
    """All RDs as the daemon would understand them now; raises SettingsError for faults of the site's configuration."""
    reloader = Reloader(
        settings.inputs_dir,
        read=_reader(settings),
        clock=SystemClock(),
        publish=_unheard,
        only=settings.preload_rds,
    )
    return reloader.update(frozenset(rd_files(settings.inputs_dir)))


def _reader(settings: Settings) -> RDReader:
    """What reads RDs as the daemon does."""
    return RDReader(settings, LiveSite(find_site(settings, os.environ)), clock=SystemClock())


def _unheard(_event: Event) -> None:
    """Nobody listens to what a reading for display comes to."""


class Checking:
    """What checks RDs by an operator's settings, on whatever sites they are."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._readers: dict[str, RDReader] = {}
        named = settings.dachs_config
        found = locate(settings.inputs_dir, environ=os.environ).config if settings.inputs_dir else ""
        self._named = "" if named == found else named
        """The configuration that the operator wants for all sites."""

    def files(self, path: str) -> tuple[list[str], str]:
        """The RDs that a path stands for, and the resource directory that they belong to.

        Of the root of a site that is the site's own.  Raises SettingsError for faults of the site's configuration.
        """
        path = absolute(path)
        directory = resource_directory(path, self._settings.inputs_dir)
        inputs_dir = locate(directory, environ=os.environ, named=self._named).inputs_dir
        if Path(path).is_dir():
            return rd_files(inputs_dir if path == directory else path), inputs_dir
        return [path], inputs_dir if Path(path).is_relative_to(inputs_dir) else directory

    def sites(self, paths: Iterable[str]) -> tuple[Catalog, Site]:
        """The RDs that these paths stand for, as they would be taken up, and the site of the last of them."""
        catalog, site = Catalog(), Site()
        for path in paths:
            files, inputs_dir = self.files(path)
            reader = self._reader(inputs_dir)
            reloader = Reloader(inputs_dir, read=reader, clock=SystemClock(), publish=_unheard)
            found = reloader.update(frozenset(files))
            catalog = catalog.accept(*found.accepted.values()).reject(*found.rejected.values())
            site = reader.site
        return catalog, site

    def check(
        self, path: str, inputs_dir: str, *, data: bytes | None = None
    ) -> tuple[ResourceDescriptor | None, tuple[Diagnostic, ...]]:
        """An RD (None where it is refused), and all that the reader says about it; ``data`` in place of the file's."""
        try:
            rd = self._reader(inputs_dir)(path, inputs_dir=inputs_dir, data=data)
        except DescriptorError as error:
            return None, error.diagnostics
        return rd, rd.warnings

    def _reader(self, inputs_dir: str) -> RDReader:
        """What reads the RDs of a resource directory; what cannot be used of its site is told once."""
        if inputs_dir not in self._readers:
            settings = structs.replace(self._settings, inputs_dir=inputs_dir, dachs_config=self._named)
            site = find_site(settings, os.environ)
            for warning in site.warnings:
                print(f"gavo-exec: {clean(warning)}", file=sys.stderr)
            self._readers[inputs_dir] = RDReader(settings, LiveSite(site), clock=SystemClock(), thorough=True)
        return self._readers[inputs_dir]


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


def find_execute(settings: Settings, key: str) -> tuple[ResourceDescriptor, Execute]:
    """The execute of a key, and its RD.

    Raises DescriptorError where that RD is broken, and UnknownError, with what may be meant, where there is none.
    """
    path = Path(settings.inputs_dir, f"{rd_id_of(key)}.rd")
    if "#" in key and path.is_file():
        rd = _reader(settings)(str(path), inputs_dir=settings.inputs_dir)
        for execute in rd.executes:
            if execute.key == key:
                return rd, execute
    raise unknown_key(key, [execute.key for _, execute in read_tree(settings).executes()])
