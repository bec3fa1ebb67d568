import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from gavo_exec.catalog import Catalog
from gavo_exec.errors import DescriptorError, Diagnostic, Position
from gavo_exec.events import DescriptorAccepted, DescriptorRejected, DescriptorRemoved, Event
from gavo_exec.model import ResourceDescriptor
from gavo_exec.rdfiles import Signature, rd_id_for
from gavo_exec.reload import Reloader
from gavo_exec.services.watch.settling import Settling
from gavo_exec.testing import FakeClock, make_execute

NAMES = ("a", "b", "c")
SETTLE_SECONDS = 4

# Edits: a file's new content, None to remove it, "touch" to save it unchanged.
contents = st.sampled_from(["1", "2", "bad", "bad in another way", "crash", "touch", None])
edits = st.lists(st.tuples(st.sampled_from(NAMES), contents), max_size=5)
histories = st.lists(edits, min_size=1, max_size=12)


def read(path: str, *, inputs_dir: str) -> ResourceDescriptor:
    """Read a file that says how many executes there are."""
    text = Path(path).read_text()
    if text == "crash":
        raise RuntimeError("a fault of our own")
    if text.startswith("bad"):
        raise DescriptorError([Diagnostic(code="E102", message=text, position=Position(path=path))])
    rd_id = rd_id_for(path, inputs_dir)
    return ResourceDescriptor(
        rd_id=rd_id,
        path=path,
        inputs_dir=inputs_dir,
        resdir=inputs_dir,
        executes=tuple(make_execute(f"{rd_id}#{number}") for number in range(int(text))),
        sources=(path,),
        digest=hashlib.sha256(text.encode()).hexdigest(),
    )


class World:
    """A tree of RDs, the reloader that looks at it, and a plain account of what has to come of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.events: list[Event] = []
        self.good: dict[str, str] = {}
        self.bad: dict[str, str] = {}
        self.start()

    def start(self) -> None:
        """Begin, or begin anew remembering what was broken."""
        self.reloader = Reloader(
            str(self.folder), read=read, clock=FakeClock(), publish=self.events.append, rejections=tuple(self.bad)
        )

    def edit(self, name: str, content: str | None) -> None:
        path = self.folder / f"{name}.rd"
        if content is None:
            path.unlink(missing_ok=True)
        elif content != "touch":
            path.write_text(content)

    def update(self, *names: str) -> Catalog:
        self.events.clear()
        return self.reloader.update(str(self.folder / f"{name}.rd") for name in names)

    def account(self, name: str) -> None:
        path = self.folder / f"{name}.rd"
        text = path.read_text() if path.exists() else ""
        if not text:
            self.good.pop(name, None)
            self.bad.pop(name, None)
        elif text.isdigit():
            self.good[name] = text
            self.bad.pop(name, None)
        else:
            self.bad[name] = text


@contextmanager
def world() -> Iterator[World]:
    with tempfile.TemporaryDirectory() as folder:
        yield World(Path(folder))


@given(histories)
def test_the_catalog_has_each_last_good_version_and_each_present_fault(
    history: list[list[tuple[str, str | None]]],
) -> None:
    with world() as it:
        for edits_now in history:
            names = {name for name, _ in edits_now}
            for name, content in edits_now:
                it.edit(name, content)
            catalog = it.update(*names)
            for name in names:
                it.account(name)
            assert {name: str(len(rd.executes)) for name, rd in catalog.accepted.items()} == it.good
            digests = {name: hashlib.sha256(text.encode()).hexdigest() for name, text in it.bad.items()}
            assert {name: rejection.digest for name, rejection in catalog.rejected.items()} == digests


@given(histories)
def test_events_tell_all_that_changed_and_nothing_else(history: list[list[tuple[str, str | None]]]) -> None:
    with world() as it:
        before = it.reloader.catalog
        for edits_now in history:
            for name, content in edits_now:
                it.edit(name, content)
            after = it.update(*{name for name, _ in edits_now})
            told: dict[str, type[Event]] = {}
            for event in it.events:
                rd_id = event.rejection.rd_id if isinstance(event, DescriptorRejected) else getattr(event, "rd_id", "")
                assert rd_id not in told
                told[rd_id] = type(event)
                if isinstance(event, DescriptorAccepted):
                    assert event.recovered is (rd_id in before.rejected)
                if isinstance(event, DescriptorRejected):
                    good = after.accepted.get(rd_id)
                    assert len(event.held_back) == (len(good.executes) if good is not None else 0)
            for name in NAMES:
                is_new = after.accepted.get(name) is not before.accepted.get(name)
                is_other_fault = after.rejected.get(name) is not before.rejected.get(name)
                assert (name in told) is (is_new or is_other_fault)
                if told.get(name) is DescriptorRemoved:
                    assert name not in after.accepted
                    assert name not in after.rejected
            assert (after is before) is (not told)
            before = after


@given(histories)
def test_a_restart_publishes_what_is_broken_and_what_recovered(history: list[list[tuple[str, str | None]]]) -> None:
    with world() as it:
        for edits_now in history:
            broken = set(it.bad)
            it.start()
            for name, content in edits_now:
                it.edit(name, content)
            it.update(*NAMES)
            for name in NAMES:
                it.account(name)
            recovered = {
                event.rd_id for event in it.events if isinstance(event, DescriptorAccepted) and event.recovered
            }
            rejected = {event.rejection.rd_id for event in it.events if isinstance(event, DescriptorRejected)}
            removed = {event.rd_id for event in it.events if isinstance(event, DescriptorRemoved)}
            assert recovered == broken & set(it.good) - set(it.bad)
            assert rejected == set(it.bad)
            assert removed == broken - set(it.good) - set(it.bad)
            # What a restart forgets is the last good version of what is broken.
            it.good = {name: text for name, text in it.good.items() if name not in it.bad}


signatures = st.one_of(st.none(), st.tuples(st.integers(1, 3), st.just(1), st.just(1)))
looks = st.lists(st.tuples(st.integers(0, 3), st.sampled_from(NAMES), signatures), max_size=60)


@given(looks)
def test_what_is_told_has_looked_the_same_for_long_enough(looked: list[tuple[int, str, Signature | None]]) -> None:
    settling = Settling(SETTLE_SECONDS)
    last_told: dict[str, Signature | None] = dict.fromkeys(NAMES)
    seen: dict[str, list[tuple[int, Signature | None]]] = {name: [] for name in NAMES}
    now = 0
    for pause, name, signature in looked:
        now += pause
        seen[name].append((now, signature))
        told = settling.look({name: signature}, now)
        unchanging = now
        for instant, other in reversed(seen[name]):
            if other != signature:
                break
            unchanging = instant
        is_due = signature != last_told[name] and now - unchanging >= SETTLE_SECONDS and len(seen[name]) > 1
        assert told == ({name} if is_due and unchanging < now else frozenset())
        if told:
            last_told[name] = signature
    assert set(settling.known) == {name for name, signature in last_told.items() if signature is not None}


@given(looks)
def test_once_all_stand_still_all_that_differs_has_been_told(looked: list[tuple[int, str, Signature | None]]) -> None:
    settling = Settling(SETTLE_SECONDS)
    view: dict[str, Signature | None] = dict.fromkeys(NAMES)
    present: dict[str, Signature | None] = dict.fromkeys(NAMES)
    now = 0
    for pause, name, signature in looked:
        now += pause
        present[name] = signature
        for told in settling.look({name: signature}, now):
            view[told] = present[told]
    for instant in (now, now + SETTLE_SECONDS):
        for told in settling.look(present, instant):
            view[told] = present[told]
    assert view == present
    assert not settling.moving
    assert settling.next_look_at is None
