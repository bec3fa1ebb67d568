"""Laws of catalogs: any history of good, broken and deleted versions, against plain dictionaries."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from gavo_exec.catalog import Catalog, CatalogChange
from gavo_exec.model import Execute, Job, Rejection, ResourceDescriptor
from gavo_exec.schedule import Every

RD_IDS = ["a", "b", "c/d"]
NOW = datetime(2026, 3, 1, tzinfo=UTC)


@st.composite
def rds(draw: st.DrawFn) -> ResourceDescriptor:
    rd_id = draw(st.sampled_from(RD_IDS))
    chosen = draw(st.dictionaries(st.sampled_from("xyz"), st.integers(1, 3)))
    return ResourceDescriptor(
        rd_id=rd_id,
        path=f"/rds/{rd_id}.rd",
        inputs_dir="/rds",
        resdir="/rds",
        executes=tuple(
            Execute(key=f"{rd_id}#{name}", title=name, schedule=Every(seconds=seconds), job=Job(source=""))
            for name, seconds in chosen.items()
        ),
    )


rejections = st.builds(
    lambda rd_id, digest: Rejection(rd_id=rd_id, path=rd_id, digest=digest, rejected_at=NOW, diagnostics=()),
    st.sampled_from(RD_IDS),
    st.sampled_from("12"),
)
steps = st.lists(rds() | rejections | st.sampled_from(RD_IDS), max_size=12)
Step = ResourceDescriptor | Rejection | str


def after(history: list[Step]) -> Catalog:
    catalog = Catalog()
    for step in history:
        if isinstance(step, ResourceDescriptor):
            catalog = catalog.accept(step)
        elif isinstance(step, Rejection):
            catalog = catalog.reject(step)
        else:
            catalog = catalog.drop(step)
    return catalog


def schedules(catalog: Catalog) -> dict[str, object]:
    return {execute.key: execute.schedule for _, execute in catalog.executes()}


@given(history=steps)
def test_a_catalog_is_what_a_plain_account_of_its_history_says(history: list[Step]) -> None:
    accepted: dict[str, ResourceDescriptor] = {}
    rejected: dict[str, Rejection] = {}
    for step in history:
        rd_id = step if isinstance(step, str) else step.rd_id
        if not isinstance(step, Rejection):
            accepted.pop(rd_id, None)
        rejected.pop(rd_id, None)
        if isinstance(step, ResourceDescriptor):
            accepted[rd_id] = step
        elif isinstance(step, Rejection):
            rejected[rd_id] = step
    assert after(history) == Catalog(accepted=accepted, rejected=rejected)


@given(history=steps)
def test_every_execute_is_found_under_its_key(history: list[Step]) -> None:
    catalog = after(history)
    for rd, execute in catalog.executes():
        assert catalog.find(execute.key) == (rd, execute)


@given(old=steps, new=steps)
def test_old_keys_with_the_change_applied_are_the_new_keys(old: list[Step], new: list[Step]) -> None:
    before, now = after(old), after(new)
    change = CatalogChange.between(before, now)
    old_keys, new_keys = set(schedules(before)), set(schedules(now))
    assert old_keys - set(change.removed) | set(change.added) == new_keys
    assert set(change.removed) <= old_keys
    assert not set(change.added) & old_keys
    assert set(change.changed) == {key for key in old_keys & new_keys if schedules(before)[key] != schedules(now)[key]}


@given(old=steps, new=steps)
def test_the_way_back_is_the_change_turned_round(old: list[Step], new: list[Step]) -> None:
    there, back = CatalogChange.between(after(old), after(new)), CatalogChange.between(after(new), after(old))
    assert (there.added, there.removed, there.changed) == (back.removed, back.added, back.changed)


@given(history=steps)
def test_nothing_lies_between_a_catalog_and_itself(history: list[Step]) -> None:
    assert not CatalogChange.between(after(history), after(history))


@given(common=steps, old=steps, new=steps)
def test_catalogs_of_one_origin_differ_as_those_do_that_know_of_none(
    common: list[Step], old: list[Step], new: list[Step]
) -> None:
    def on(catalog: Catalog, history: list[Step]) -> Catalog:
        for step in history:
            if isinstance(step, ResourceDescriptor):
                catalog = catalog.accept(step)
            else:
                catalog = catalog.reject(step) if isinstance(step, Rejection) else catalog.drop(step)
        return catalog

    def without_origin(catalog: Catalog) -> Catalog:
        return Catalog(accepted=catalog.accepted, rejected=catalog.rejected)

    root = after(common)
    one, other = on(root, old), on(root, new)
    expected = without_origin(other).differences(without_origin(one))
    assert tuple(map(sorted, other.differences(one))) == tuple(map(sorted, expected))
