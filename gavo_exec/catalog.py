"""The RDs as last understood: the accepted versions that run, and the rejected ones beside them."""

from collections.abc import Iterator, Mapping

import msgspec

from gavo_exec.model import Execute, Rejection, ResourceDescriptor


class Catalog(msgspec.Struct, frozen=True, kw_only=True):
    """A value: every RD's last good version, and the rejections of those whose present version is broken."""

    accepted: Mapping[str, ResourceDescriptor] = msgspec.field(default_factory=dict)
    rejected: Mapping[str, Rejection] = msgspec.field(default_factory=dict)

    def accept(self, *rds: ResourceDescriptor) -> "Catalog":
        """The catalog with these versions, their RDs no longer rejected."""
        ids = {rd.rd_id for rd in rds}
        return Catalog(
            accepted={**self.accepted, **{rd.rd_id: rd for rd in rds}},
            rejected={rd_id: rejection for rd_id, rejection in self.rejected.items() if rd_id not in ids},
        )

    def reject(self, *rejections: Rejection) -> "Catalog":
        """The catalog with these rejections; last good versions stay."""
        rejected = {**self.rejected, **{rejection.rd_id: rejection for rejection in rejections}}
        return Catalog(accepted=self.accepted, rejected=rejected)

    def drop(self, *rd_ids: str) -> "Catalog":
        """The catalog without these RDs."""
        gone = set(rd_ids)
        return Catalog(
            accepted={rd_id: rd for rd_id, rd in self.accepted.items() if rd_id not in gone},
            rejected={rd_id: rejection for rd_id, rejection in self.rejected.items() if rd_id not in gone},
        )

    def differences(self, old: "Catalog") -> tuple[list[str], list[str]]:
        """The ids of RDs accepted here that are not in the old catalog as they are here, and of those only there."""
        before = old.accepted
        # The identity of a version spares looking into it: there are thousands of RDs, and one was edited.
        renewed = [rd_id for rd_id, rd in self.accepted.items() if before.get(rd_id) is not rd]
        added = sum(rd_id not in before for rd_id in renewed)
        if len(before) == len(self.accepted) - added:
            return renewed, []
        return renewed, [rd_id for rd_id in before if rd_id not in self.accepted]

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
