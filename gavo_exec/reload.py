"""Changed paths to a new catalog, keeping the last good version of what is broken."""

# ruff: noqa: PTH100, PTH110, PTH116, PTH118, PTH123 -- paths are strings in this house

import errno
import hashlib
import logging
import os
import stat
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Protocol

from gavo_exec.catalog import Catalog
from gavo_exec.errors import DescriptorError, Diagnostic, Position
from gavo_exec.events import DescriptorAccepted, DescriptorRejected, DescriptorRemoved, Event
from gavo_exec.model import HeldBack, Rejection, ResourceDescriptor
from gavo_exec.ports import Clock
from gavo_exec.rdfiles import Signature, is_rd_file, rd_id_for, signature_of

_log = logging.getLogger(__name__)

_MOST_DIGESTED_BYTES = 16 << 20


class Read(Protocol):
    """Reads an RD."""

    def __call__(self, path: str, *, inputs_dir: str) -> ResourceDescriptor:
        """Read an RD, or raise DescriptorError."""
        ...


class Reloader:
    """Owns the catalog, and publishes what becomes of each RD; for one thread.

    Each RD stands for itself: whatever happens in reading one is that one's rejection.  ``rejections`` has the ids
    of those that are remembered from before: that one of them recovers, or is gone, is published as well.  Where
    there are ids in ``only``, all other RDs count as gone.  The ``shared`` files have a part in every RD.
    """

    def __init__(
        self,
        inputs_dir: str,
        *,
        read: Read,
        clock: Clock,
        publish: Callable[[Event], object],
        rejections: Iterable[str] = (),
        only: Collection[str] = (),
        shared: Collection[str] = (),
    ) -> None:
        self._inputs_dir = os.path.abspath(inputs_dir)
        self._read = read
        self._clock = clock
        self._publish = publish
        self._catalog = Catalog()
        self._remembered = set(rejections)  # ids of RDs that were broken before we began, and not looked at since
        self._only = frozenset(only)
        self._shared = frozenset(shared)
        self._is_first = True
        self._parts: dict[str, frozenset[str]] = {}  # for each RD's path, the other files that have a part in it
        self._users: dict[str, set[str]] = {}  # the same the other way round
        self._beside = {path: _signature(path) for path in self._shared}  # parts that are no RDs, as first seen
        self._device: int | None = None  # where the tree is

    @property
    def catalog(self) -> Catalog:
        """The RDs as last understood."""
        return self._catalog

    @property
    def beside(self) -> Mapping[str, Signature | None]:
        """The files that have a part in RDs and are none themselves, as they looked when one was first built of them.

        None stands for those that were looked for in vain.
        """
        return self._beside

    def update(self, paths: Iterable[str]) -> Catalog:
        """Read these again, and the RDs that they have a part in.

        A path where there is no file any more drops its RD, unless the whole tree is away.  Answers the catalog: the
        very same where nothing changed.
        """
        changed = set(paths)
        for path in tuple(changed) if self._users else ():
            changed |= self._users.get(path, set())
            if (real := os.path.realpath(path)) != path:
                changed |= self._users.get(real, set())
        if not self._shared.isdisjoint(changed):
            changed |= self._known()
        if self._is_first:
            self._is_first = False
            changed |= {self._path_of(rd_id) for rd_id in self._remembered}
        return self._take(path for path in sorted(changed) if is_rd_file(path, self._inputs_dir))

    def reread_all(self) -> Catalog:
        """Read all RDs known again; answers the catalog."""
        return self.update(self._known())

    def _known(self) -> set[str]:
        """The paths of all RDs, good and bad."""
        known = {rd.path for rd in self._catalog.accepted.values()}
        return known | {rejection.path for rejection in self._catalog.rejected.values()}

    def _path_of(self, rd_id: str) -> str:
        return os.path.join(self._inputs_dir, f"{rd_id}.rd")

    def _take(self, paths: Iterable[str]) -> Catalog:
        """Take what is at these paths into the catalog, then publish."""
        accepted: list[ResourceDescriptor] = []
        rejected: list[Rejection] = []
        gone: list[str] = []
        events: list[Event] = []
        is_something_there = False
        for path in paths:
            found = self._look_at(path)
            is_something_there |= found is not None
            if found is None:
                gone.append(rd_id_for(path, self._inputs_dir))
            elif isinstance(found, Rejection):
                if (rejection_news := self._reject(found)) is not None:
                    rejected.append(found)
                    events.append(rejection_news)
            elif (news := self._accept(found)) is not None:
                accepted.append(news[0])
                events.append(news[1])
        removed = self._drop(gone, is_something_there=is_something_there)
        if not events and not removed:
            return self._catalog
        catalog = self._catalog.accept(*accepted) if accepted else self._catalog
        catalog = catalog.reject(*rejected) if rejected else catalog
        self._catalog = catalog.drop(*removed) if removed else catalog
        for event in (*events, *(DescriptorRemoved(rd_id=rd_id) for rd_id in removed)):
            self._publish(event)
        return self._catalog

    def _look_at(self, path: str) -> ResourceDescriptor | Rejection | None:
        """What is at a path now; None where there is no file, or none that is wanted."""
        rd_id = rd_id_for(path, self._inputs_dir)
        if self._only and rd_id not in self._only:
            return None
        parts: tuple[str, ...] = ()
        try:
            # Reading anything but a plain file might never end.
            if not stat.S_ISREG(os.stat(path).st_mode):
                return None
            return self._read(path, inputs_dir=self._inputs_dir)
        except DescriptorError as error:
            if not os.path.exists(path):
                return None
            diagnostics = error.diagnostics
            parts = (*error.sources, *error.absent)
        except OSError as fault:
            if isinstance(fault, FileNotFoundError | NotADirectoryError) or fault.errno == errno.ELOOP:
                return None
            diagnostics = (_unreadable(path, fault.strerror or str(fault)),)
        except Exception as fault:
            _log.exception("the reader failed on %s, which is refused", path)
            diagnostics = (_unreadable(path, f"the reader failed: {type(fault).__name__}: {fault}"),)
        self._note_parts_of_bad(path, diagnostics, parts)
        return Rejection(
            rd_id=rd_id,
            path=path,
            digest=_digest(path),
            rejected_at=self._clock.now(),
            diagnostics=diagnostics,
        )

    def _accept(self, rd: ResourceDescriptor) -> tuple[ResourceDescriptor, DescriptorAccepted] | None:
        """The version to go by and the news of it; None where it is in force already."""
        self._note_parts(rd.path, (*rd.sources, *rd.absent))
        known = self._catalog.accepted.get(rd.rd_id)
        is_recovered = rd.rd_id in self._catalog.rejected or rd.rd_id in self._remembered
        self._remembered.discard(rd.rd_id)
        if rd == known:
            if not is_recovered:
                return None
            # What did not change stays the very same, so that its jobs go on as if nothing had been.
            rd = known
        event = DescriptorAccepted(
            rd_id=rd.rd_id,
            path=rd.path,
            executes=len(rd.executes),
            warnings=rd.warnings,
            recovered=is_recovered,
            digest=rd.digest,
        )
        return rd, event

    def _reject(self, rejection: Rejection) -> DescriptorRejected | None:
        """The news of a rejection; None where this version was rejected already."""
        good = self._catalog.accepted.get(rejection.rd_id)
        self._remembered.discard(rejection.rd_id)
        known = self._catalog.rejected.get(rejection.rd_id)
        if known is not None and (known.digest, known.diagnostics) == (rejection.digest, rejection.diagnostics):
            return None
        return DescriptorRejected(rejection=rejection, held_back=_held_back(good), mail_to=_mail_to(good))

    def _drop(self, rd_ids: list[str], *, is_something_there: bool) -> list[str]:
        """Those of these RDs, whose files are not there, that are to be dropped."""
        known = (self._catalog.accepted, self._catalog.rejected, self._remembered)
        dropped = [rd_id for rd_id in rd_ids if any(rd_id in ids for ids in known)]
        if self._is_away(is_something_there=is_something_there):
            if dropped:
                _log.error("%s is away: what was read from it stays in force", self._inputs_dir)
            return []
        for rd_id in dropped:
            self._remembered.discard(rd_id)
            self._note_parts(self._path_of(rd_id), ())
        return dropped

    def _is_away(self, *, is_something_there: bool) -> bool:
        """Whether the whole tree is away: its folder, or all there was with the file system it was on."""
        try:
            device = os.stat(self._inputs_dir).st_dev
        except OSError:
            return True
        if not is_something_there and self._device not in (None, device):
            paths = (rd.path for rd in self._catalog.accepted.values())
            if not any(map(os.path.exists, paths)):
                return True
        self._device = device
        return False

    def _note_parts_of_bad(self, path: str, diagnostics: Iterable[Diagnostic], parts: Iterable[str]) -> None:
        """Note which other files have a part in a bad RD: those of its last good version count as well."""
        places = [diagnostic.position for diagnostic in diagnostics]
        parts = {*parts, *(place.path for position in places for place in (position, *position.via))}
        good = self._catalog.accepted.get(rd_id_for(path, self._inputs_dir))
        self._note_parts(path, parts.union((*good.sources, *good.absent) if good is not None else ()))

    def _note_parts(self, path: str, parts: Iterable[str]) -> None:
        """Note which other files have a part in the RD at a path; a change may come by another path to them."""
        given = frozenset(parts) - {path, ""}
        now = given.union(map(os.path.realpath, given)) - {path}
        before = self._parts.pop(path, frozenset())
        for part in before - now:
            self._users[part].discard(path)
            if not self._users[part]:
                del self._users[part]
                if part not in self._shared:
                    self._beside.pop(part, None)
        for part in now - before:
            if part in given and part not in self._beside and not is_rd_file(part, self._inputs_dir):
                self._beside[part] = _signature(part)
            self._users.setdefault(part, set()).add(path)
        if now:
            self._parts[path] = now


def _signature(path: str) -> Signature | None:
    """How a file looks at present; None where there is none to be seen."""
    try:
        return signature_of(os.stat(path))
    except OSError:
        return None


def _unreadable(path: str, why: str) -> Diagnostic:
    return Diagnostic(code="E101", message=f"the file cannot be read: {why}", position=Position(path=path))


def _digest(path: str) -> str:
    """What tells versions of a refused file apart: the digest of its content; '' where it cannot be read.

    Of what is larger than any RD, the beginning, the size and the time of modification stand for the rest.
    """
    try:
        # By now it may be a FIFO, and waiting for somebody to write into it would hold up all other RDs.
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            content = hashlib.sha256(file.read(_MOST_DIGESTED_BYTES) or b"")
            status = os.fstat(file.fileno())
    except OSError:
        return ""
    if status.st_size > _MOST_DIGESTED_BYTES:
        content.update(f"{status.st_size} {status.st_mtime_ns}".encode())
    return content.hexdigest()


def _held_back(rd: ResourceDescriptor | None) -> tuple[HeldBack, ...]:
    """The jobs of a last good version, as operators know them from the RD."""
    return tuple(map(HeldBack.of, rd.executes)) if rd is not None else ()


def _mail_to(rd: ResourceDescriptor | None) -> tuple[str, ...]:
    """Who is told when a last good version's jobs go wrong."""
    executes = rd.executes if rd is not None else ()
    return tuple(dict.fromkeys(address for execute in executes for address in execute.policy.mail_to))
