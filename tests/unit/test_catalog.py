from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from gavo_exec.catalog import Catalog, CatalogChange
from gavo_exec.errors import Position
from gavo_exec.model import Execute, Job, Rejection, ResourceDescriptor
from gavo_exec.schedule import Every


def execute(key: str, *, seconds: int = 60, line: int = 1) -> Execute:
    place = Position(path="/rds/q.rd", line=line)
    job = Job(source="print(1)", first_line=line, position=place)
    return Execute(key=key, title=key, schedule=Every(seconds=seconds), job=job, position=place)


def rd(rd_id: str, *executes: Execute, digest: str = "1") -> ResourceDescriptor:
    path = f"/rds/{rd_id}.rd"
    return ResourceDescriptor(
        rd_id=rd_id, path=path, inputs_dir="/rds", resdir="/rds", executes=executes, digest=digest
    )


def rejection(rd_id: str, digest: str = "1") -> Rejection:
    now = datetime(2026, 3, 1, tzinfo=UTC)
    return Rejection(rd_id=rd_id, path=f"/rds/{rd_id}.rd", digest=digest, rejected_at=now, diagnostics=())


A1, A2, B = rd("a", digest="1"), rd("a", digest="2"), rd("b")
X1, X2, Y = rejection("a", "1"), rejection("a", "2"), rejection("b")


@pytest.mark.parametrize(
    ("catalog", "accepted", "rejected"),
    [
        (Catalog(), [], []),
        (Catalog().accept(A1), [A1], []),
        (Catalog().accept(A1, B), [A1, B], []),
        (Catalog().accept(A1).accept(A2), [A2], []),
        (Catalog().accept(A1, A2), [A2], []),
        (Catalog().accept(A1).reject(X1), [A1], [X1]),
        (Catalog().reject(X1), [], [X1]),
        (Catalog().reject(X1).reject(X2), [], [X2]),
        (Catalog().reject(X1, Y), [], [X1, Y]),
        (Catalog().reject(X1).accept(A1), [A1], []),
        (Catalog().reject(X1, Y).accept(A1), [A1], [Y]),
        (Catalog().accept(A1, B).reject(X1).drop("a"), [B], []),
        (Catalog().accept(A1, B).reject(X1, Y).drop("a", "b"), [], []),
        (Catalog().accept(A1).drop("b"), [A1], []),
        (Catalog().accept(A1).drop(), [A1], []),
    ],
)
def test_a_catalog_has_last_good_versions_and_present_faults(
    catalog: Catalog, accepted: Sequence[ResourceDescriptor], rejected: Sequence[Rejection]
) -> None:
    assert dict(catalog.accepted) == {each.rd_id: each for each in accepted}
    assert dict(catalog.rejected) == {each.rd_id: each for each in rejected}


def test_a_catalog_in_hand_never_changes() -> None:
    catalog = Catalog().accept(A1).reject(Y)
    catalog.accept(B)
    catalog.reject(X1)
    catalog.drop("a", "b")
    assert catalog == Catalog(accepted={"a": A1}, rejected={"b": Y})


ONE, TWO, OTHER = execute("a#one"), execute("a#two"), execute("b#one")
FULL = Catalog().accept(rd("a", ONE, TWO), rd("b", OTHER), rd("empty"))


def test_all_executes_are_named_with_their_rds() -> None:
    assert [(found.rd_id, execute) for found, execute in FULL.executes()] == [("a", ONE), ("a", TWO), ("b", OTHER)]


@pytest.mark.parametrize("wanted", [ONE, TWO, OTHER])
def test_an_execute_is_found_by_its_key(wanted: Execute) -> None:
    found = FULL.find(wanted.key)
    assert found is not None
    assert (found[0].rd_id, found[1]) == (wanted.key.partition("#")[0], wanted)


@pytest.mark.parametrize("key", ["a#three", "c#one", "a", "a#", "#one", "", "empty#one", "A#one", "a#one "])
def test_what_is_not_there_is_not_found(key: str) -> None:
    assert FULL.find(key) is None


def test_the_executes_of_a_broken_rd_are_still_found() -> None:
    assert FULL.reject(X1).find("a#one") is not None


@pytest.mark.parametrize(
    ("old", "new", "added", "removed", "changed"),
    [
        ([], [], "", "", ""),
        ([], [rd("a", ONE, TWO)], "a#one a#two", "", ""),
        ([rd("a", TWO, ONE)], [], "", "a#one a#two", ""),
        ([rd("a", ONE)], [rd("a", TWO)], "a#two", "a#one", ""),
        ([rd("a", ONE)], [rd("a", execute("a#one", seconds=61))], "", "", "a#one"),
        ([rd("a", ONE)], [rd("a", execute("a#one", line=9), digest="2")], "", "", ""),
        ([rd("a", ONE, TWO)], [rd("a", TWO, ONE)], "", "", ""),
        ([rd("a", ONE), rd("b", OTHER)], [rd("b", OTHER), rd("a", TWO)], "a#two", "a#one", ""),
        (
            [rd("a", ONE, TWO), rd("b", OTHER)],
            [rd("a", execute("a#two", seconds=1)), rd("c", execute("c#x"))],
            "c#x",
            "a#one b#one",
            "a#two",
        ),
    ],
)
def test_a_change_names_the_keys_between_two_catalogs(
    old: Sequence[ResourceDescriptor], new: Sequence[ResourceDescriptor], added: str, removed: str, changed: str
) -> None:
    change = CatalogChange.between(Catalog().accept(*old), Catalog().accept(*new))
    assert (change.added, change.removed, change.changed) == (
        tuple(added.split()),
        tuple(removed.split()),
        tuple(changed.split()),
    )
    assert bool(change) is bool(added or removed or changed)


def test_a_rejection_changes_no_job() -> None:
    assert not CatalogChange.between(FULL, FULL.reject(X1, Y))
