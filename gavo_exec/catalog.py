"""The RDs as last understood: the accepted versions that run, and the rejected ones beside them."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

import msgspec

from gavo_exec.model import Execute, Rejection, ResourceDescriptor

_MOST_TOUCHED = 256


class Catalog(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """A value: every RD's last good version, and the rejections of those whose present version is broken."""

    accepted: Mapping[str, ResourceDescriptor] = msgspec.field(default_factory=dict)
    rejected: Mapping[str, Rejection] = msgspec.field(default_factory=dict)
    # Those of one origin have the same versions but of what either has touched, which spares looking at thousands.
    _origin: object = msgspec.field(default_factory=object)
    _touched: frozenset[str] = frozenset()

    def __eq__(self, other: object) -> bool:
        """Whether both have the same, wherever it came from."""
        if not isinstance(other, Catalog):
            return NotImplemented
        return (self.accepted, self.rejected) == (other.accepted, other.rejected)

    __hash__ = None  # type: ignore[assignment] # its mappings have none

    def _with(
        self,
        accepted: Mapping[str, ResourceDescriptor],
        rejected: Mapping[str, Rejection],
        *,
        touched: Collection[str] = (),
    ) -> "Catalog":
        """The catalog that comes of this one by touching the accepted versions of these RDs."""
        ids = self._touched.union(touched)
        if len(ids) > _MOST_TOUCHED:
            return Catalog(accepted=accepted, rejected=rejected)
        return Catalog(accepted=accepted, rejected=rejected, _origin=self._origin, _touched=ids)

    def accept(self, *rds: ResourceDescriptor) -> "Catalog":
        """The catalog with these versions, their RDs no longer rejected."""
        ids = {rd.rd_id for rd in rds}
        return self._with(
            {**self.accepted, **{rd.rd_id: rd for rd in rds}},
            {rd_id: rejection for rd_id, rejection in self.rejected.items() if rd_id not in ids},
            touched=ids,
        )

    def reject(self, *rejections: Rejection) -> "Catalog":
        """The catalog with these rejections; last good versions stay."""
        rejected = {**self.rejected, **{rejection.rd_id: rejection for rejection in rejections}}
        return self._with(self.accepted, rejected)

    def drop(self, *rd_ids: str) -> "Catalog":
        """The catalog without these RDs."""
        gone = set(rd_ids)
        return self._with(
            {rd_id: rd for rd_id, rd in self.accepted.items() if rd_id not in gone},
            {rd_id: rejection for rd_id, rejection in self.rejected.items() if rd_id not in gone},
            touched=gone,
        )

    def differences(self, old: "Catalog") -> tuple[list[str], list[str]]:
        """The ids of RDs accepted here that are not in the old catalog as they are here, and of those only there."""
        before, now = old.accepted, self.accepted
        here: Iterable[str] = now
        there: Iterable[str] = before
        if self._origin is old._origin:  # noqa: SLF001 -- of this class
            touched = self._touched | old._touched  # noqa: SLF001 -- same
            here, there = touched & now.keys(), touched & before.keys()
        # The identity of a version spares looking into it.
        renewed = sorted(rd_id for rd_id in here if before.get(rd_id) is not now[rd_id])
        return renewed, sorted(rd_id for rd_id in there if rd_id not in now)

    def executes(self) -> Iterator[tuple[ResourceDescriptor, Execute]]:
        """All executes of the accepted RDs, each with its RD."""
        for rd in self.accepted.values():
            for execute in rd.executes:
                yield rd, execute

    def find(self, key: str) -> tuple[ResourceDescriptor, Execute] | None:
        """The execute with this key and its RD, or None."""
        rd = self.accepted.get(key.partition("#")[0])
        for execute in rd.executes if rd is not None else ():
            if execute.key == key and rd is not None:
                return rd, execute
        return None


class CatalogChange(msgspec.Struct, frozen=True, kw_only=True):
    """What lies between two catalogs, as keys of executes."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()

    @classmethod
    def between(cls, old: Catalog, new: Catalog) -> "CatalogChange":
        """The change from old to new; only RDs whose versions differ are looked into."""
        renewed, gone = new.differences(old)
        return cls.of(old, new, renewed=renewed, gone=gone)

    @classmethod
    def of(cls, old: Catalog, new: Catalog, *, renewed: Sequence[str], gone: Sequence[str]) -> "CatalogChange":
        """The same where their differences are known."""
        before = {
            execute.key: execute
            for rd_id in (*renewed, *gone)
            if (rd := old.accepted.get(rd_id)) is not None
            for execute in rd.executes
        }
        after = {execute.key: execute for rd_id in renewed for execute in new.accepted[rd_id].executes}
        return cls(
            added=tuple(sorted(after.keys() - before.keys())),
            removed=tuple(sorted(before.keys() - after.keys())),
            changed=tuple(sorted(key for key in after.keys() & before.keys() if not after[key].is_same(before[key]))),
        )

    def __bool__(self) -> bool:
        """Whether anything changed."""
        return bool(self.added or self.removed or self.changed)
