"""How RDs are read by an operator's settings, on a site as it stands."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from gavo_exec import descriptor
from gavo_exec.descriptor.trust import Trust
from gavo_exec.model import Code, ResourceDescriptor, Site
from gavo_exec.ports import Clock
from gavo_exec.runtime import executing, jobcode
from gavo_exec.settings import LiveSite, Settings


def _run_items(code: Code, names: Mapping[str, object]) -> Iterator[Mapping[str, object]]:
    """The items that code makes, which has ``base`` and ``utils`` as job code does."""
    return jobcode.run_items(code, {**names, "base": executing.base, "utils": executing.utils})


class RDReader:
    """Reads RDs by an operator's settings, as of today; ``thorough`` as in ``descriptor.read``.  For one thread."""

    def __init__(self, settings: Settings, site: LiveSite, *, clock: Clock, thorough: bool = False) -> None:
        self._site = site
        self._clock = clock
        self._thorough = thorough
        self._defaults = settings.defaults
        self._run_items = _run_items if settings.code_items == "run" else None
        self._level = settings.trust
        self._uid = os.geteuid()
        self._trusts: dict[str, Trust] = {}  # by resource directory

    @property
    def site(self) -> Site:
        """The site as it stands."""
        return self._site.now()

    def __call__(self, path: str, *, inputs_dir: str, data: bytes | None = None) -> ResourceDescriptor:
        """The RD in a file, or in ``data`` in its place; raises DescriptorError."""
        return descriptor.read(
            path,
            inputs_dir=inputs_dir,
            data=data,
            today=self._clock.now().astimezone().date(),
            thorough=self._thorough,
            site=self._site.now(),
            run_items=self._run_items,
            defaults=self._defaults,
            trust=self._trust(inputs_dir),
        )

    def _trust(self, inputs_dir: str) -> Trust | None:
        """Who judges the files of a resource directory; those of DaCHS, and of the site itself, may be elsewhere."""
        if self._level == "off":
            return None
        if inputs_dir not in self._trusts:
            site = self._site.now()
            self._trusts[inputs_dir] = Trust(
                inputs_dir=inputs_dir,
                uid=self._uid,
                is_strict=self._level == "strict",
                elsewhere=(site.config_dir, site.system_dir),
            )
        return self._trusts[inputs_dir]


def find_in_tree(read: RDReader, rd_id: str, *, inputs_dir: str) -> ResourceDescriptor | None:
    """The RD of that id from its file, for where there is no catalog; None without a file; raises DescriptorError."""
    path = Path(inputs_dir, f"{rd_id}.rd")
    return read(str(path), inputs_dir=inputs_dir) if path.is_file() else None


def read_whole(rd: ResourceDescriptor, *, site: Site, clock: Clock) -> ResourceDescriptor:
    """The RD with all that is to be known of it, which is not read of RDs without executes; raises DescriptorError."""
    if rd.digest:
        return rd
    today = clock.now().astimezone().date()
    return descriptor.read(rd.path, inputs_dir=rd.inputs_dir, today=today, thorough=True, site=site)
