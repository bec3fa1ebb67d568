import hashlib
import os
from collections.abc import Callable, Collection, Iterable
from pathlib import Path

import pytest

from gavo_exec.errors import DescriptorError, Diagnostic, Position
from gavo_exec.events import DescriptorAccepted, DescriptorRejected, DescriptorRemoved, Event
from gavo_exec.model import Execute, HeldBack, ResourceDescriptor
from gavo_exec.rdfiles import rd_id_for
from gavo_exec.reload import Reloader
from gavo_exec.schedule import Every, parse_at
from gavo_exec.testing import EPOCH, FakeClock, make_execute


class Reader:
    """Reads files of words: ``bad``, ``crash``, ``uses PATH``, ``needs PATH``, else the number of executes.

    What is used may be absent, without what is needed an RD is refused.
    """

    def __init__(self) -> None:
        self.seen: list[str] = []

    def __call__(self, path: str, *, inputs_dir: str) -> ResourceDescriptor:
        data = Path(path).read_bytes()
        self.seen.append(os.path.relpath(path, inputs_dir))
        word, _, more = data.decode().strip().partition(" ")
        if word == "crash":
            raise RecursionError("deep")
        if word == "bad":
            place = Position(path=f"{inputs_dir}/{more}" if more else path)
            raise DescriptorError([Diagnostic(code="E102", message="it is bad", position=place)])
        used = str(Path(inputs_dir, more)) if word in ("uses", "needs") else ""
        is_there = Path(used).is_file()
        sources = (path, used) if is_there else (path,)
        absent = (used,) if used and not is_there else ()
        if word == "needs" and not (is_there and Path(used).read_text() != "bad"):
            fault = Diagnostic(code="E503", message="it is not there", position=Position(path=path))
            raise DescriptorError([fault], sources=sources, absent=absent)
        content = data + (Path(used).read_bytes() if is_there else b"")
        rd_id = rd_id_for(path, inputs_dir)
        return ResourceDescriptor(
            rd_id=rd_id,
            path=path,
            inputs_dir=inputs_dir,
            resdir=inputs_dir,
            executes=tuple(make_execute(f"{rd_id}#{number}") for number in range(int(word) if word.isdigit() else 1)),
            sources=sources,
            absent=absent,
            digest=hashlib.sha256(content).hexdigest(),
        )


class Tree:
    """A resource directory with its reloader, and what was published."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.folder.mkdir(exist_ok=True)
        self.read = Reader()
        self.events: list[Event] = []
        self.reloader = self.started()

    def started(
        self,
        *,
        rejections: Iterable[str] = (),
        read: Reader | None = None,
        only: Collection[str] = (),
        shared: Collection[str] = (),
    ) -> Reloader:
        """A reloader as after a restart."""
        self.reloader = Reloader(
            str(self.folder),
            read=read or self.read,
            clock=FakeClock(),
            publish=self.events.append,
            rejections=rejections,
            only=only,
            shared=shared,
        )
        return self.reloader

    def path(self, name: str) -> str:
        return str(self.folder / f"{name}.rd")

    def write(self, name: str, text: str) -> None:
        path = Path(self.path(name))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def saved(self, **texts: str) -> list[Event]:
        """What is published after these files are saved."""
        for name, text in texts.items():
            self.write(name, text)
        return self.updated(*texts)

    def put(self, name: str, text: str) -> str:
        """Write a file that is no RD; answers its path."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return str(path)

    def reread(self, *paths: str) -> list[str]:
        """What is read after these files, by their paths, changed somehow."""
        self.read.seen.clear()
        self.reloader.update(paths)
        return self.read.seen

    def updated(self, *names: str) -> list[Event]:
        """What is published after these files changed somehow."""
        self.events.clear()
        self.reloader.update(self.path(name) for name in names)
        return self.events


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path / "inputs")


def accepted(tree: Tree, rd_id: str, executes: int, *, recovered: bool = False) -> DescriptorAccepted:
    digest = tree.reloader.catalog.accepted[rd_id].digest
    path = tree.path(rd_id)
    return DescriptorAccepted(rd_id=rd_id, path=path, executes=executes, recovered=recovered, digest=digest)


def test_new_rds_are_accepted(tree: Tree) -> None:
    assert tree.saved(b="2", a="0") == [accepted(tree, "a", 0), accepted(tree, "b", 2)]
    assert tree.reloader.catalog.accepted.keys() == {"a", "b"}


def test_the_catalog_is_answered_and_the_same_where_nothing_changed(tree: Tree) -> None:
    tree.saved(a="1", b="bad")
    catalog = tree.reloader.catalog
    assert tree.saved(a="1", b="bad") == []
    assert tree.reloader.update([]) is catalog
    assert tree.reloader.update([tree.path("a"), tree.path("b"), tree.path("never")]) is catalog
    assert tree.reloader.reread_all() is catalog


def test_a_changed_rd_replaces_its_version_alone(tree: Tree) -> None:
    tree.saved(a="1", b="1")
    other = tree.reloader.catalog.accepted["b"]
    assert tree.saved(a="2") == [accepted(tree, "a", 2)]
    assert len(tree.reloader.catalog.accepted["a"].executes) == 2
    assert tree.reloader.catalog.accepted["b"] is other


def test_a_broken_edit_keeps_the_last_good_version(tree: Tree) -> None:
    tree.saved(a="2")
    good = tree.reloader.catalog.accepted["a"]
    (event,) = tree.saved(a="bad")
    assert isinstance(event, DescriptorRejected)
    assert event.rejection == tree.reloader.catalog.rejected["a"]
    assert event.rejection.digest == hashlib.sha256(b"bad").hexdigest()
    assert event.rejection.rejected_at == EPOCH
    assert event.rejection.path == tree.path("a")
    assert [str(fault) for fault in event.rejection.diagnostics] == [f"{tree.path('a')}:1:1: E102 it is bad"]
    assert [job.key for job in event.held_back] == ["a#0", "a#1"]
    assert tree.reloader.catalog.accepted["a"] is good


def test_each_broken_version_is_published_once(tree: Tree) -> None:
    tree.saved(a="2")
    assert len(tree.saved(a="bad")) == 1
    assert tree.saved(a="bad") == []
    assert len(tree.saved(a="bad ")) == 1


def test_back_to_the_good_version_is_a_recovery_with_the_very_same_rd(tree: Tree) -> None:
    tree.saved(a="2")
    good = tree.reloader.catalog.accepted["a"]
    tree.saved(a="bad")
    assert tree.saved(a="2") == [accepted(tree, "a", 2, recovered=True)]
    assert tree.reloader.catalog.accepted["a"] is good
    assert tree.reloader.catalog.rejected == {}


def test_a_mended_version_is_a_recovery(tree: Tree) -> None:
    tree.saved(a="bad")
    assert tree.saved(a="3") == [accepted(tree, "a", 3, recovered=True)]
    assert tree.saved(a="4") == [accepted(tree, "a", 4)]


def test_a_file_that_is_gone_drops_its_rd(tree: Tree) -> None:
    tree.saved(a="1", b="bad", c="1")
    for name in "ab":
        Path(tree.path(name)).unlink()
    assert tree.updated("a", "b", "never") == [DescriptorRemoved(rd_id="a"), DescriptorRemoved(rd_id="b")]
    assert tree.reloader.catalog.accepted.keys() == {"c"}
    assert tree.reloader.catalog.rejected == {}


def test_a_fault_of_the_reader_is_that_rds_rejection_alone(tree: Tree) -> None:
    first, second = tree.saved(a="crash", b="1")
    assert isinstance(first, DescriptorRejected)
    assert [str(fault) for fault in first.rejection.diagnostics] == [
        f"{tree.path('a')}:1:1: E101 the file cannot be read: the reader failed: RecursionError: deep"
    ]
    assert second == accepted(tree, "b", 1)


def test_a_file_that_cannot_be_read_is_rejected(tree: Tree) -> None:
    class Refusing(Reader):
        def __call__(self, path: str, *, inputs_dir: str) -> ResourceDescriptor:
            raise PermissionError(13, "Permission denied", path)

    tree.started(read=Refusing())
    (event,) = tree.saved(a="1")
    assert isinstance(event, DescriptorRejected)
    assert event.rejection.diagnostics[0].message == "the file cannot be read: Permission denied"


def test_a_file_that_goes_while_it_is_read_is_gone(tree: Tree) -> None:
    class Late(Reader):
        def __call__(self, path: str, *, inputs_dir: str) -> ResourceDescriptor:
            is_bad = Path(path).read_text() == "bad"
            Path(path).unlink()
            if is_bad:
                raise DescriptorError([Diagnostic(code="E101", message="gone", position=Position(path=path))])
            return super().__call__(path, inputs_dir=inputs_dir)

    tree.saved(a="1", b="1")
    tree.reloader._read = Late()
    assert tree.saved(a="2", b="bad") == [DescriptorRemoved(rd_id="a"), DescriptorRemoved(rd_id="b")]


def test_what_is_no_plain_file_is_not_read(tree: Tree) -> None:
    os.mkfifo(tree.path("pipe"))
    Path(tree.path("folder")).mkdir()
    Path(tree.path("loop")).symlink_to(tree.path("loop"))
    assert tree.updated("pipe", "folder", "loop") == []
    assert tree.read.seen == []


def test_what_is_no_rd_below_the_tree_is_not_read(tree: Tree, tmp_path: Path) -> None:
    (tmp_path / "q.rd").write_text("1")
    (tree.folder / "q.xml").write_text("1")
    tree.reloader.update([str(tmp_path / "q.rd"), str(tree.folder / "q.xml"), f"{tree.folder}x/q.rd"])
    assert tree.read.seen == []


def test_an_rd_is_read_again_when_a_file_changes_that_has_a_part_in_it(tree: Tree) -> None:
    tree.saved(lib="0", user="uses lib.rd", other="1")
    user = tree.reloader.catalog.accepted["user"]
    tree.read.seen.clear()
    assert tree.saved(lib="0 ") == [accepted(tree, "lib", 0), accepted(tree, "user", 1)]
    assert tree.read.seen == ["lib.rd", "user.rd"]
    assert tree.reloader.catalog.accepted["user"] is not user


def test_a_file_without_a_part_any_more_does_not_count(tree: Tree) -> None:
    tree.saved(lib="0", user="uses lib.rd")
    tree.saved(user="1")
    tree.read.seen.clear()
    tree.saved(lib="1")
    assert tree.read.seen == ["lib.rd"]
    tree.saved(user="uses lib.rd")
    Path(tree.path("user")).unlink()
    tree.updated("user")
    assert tree.reloader._users == {}


def test_an_rd_that_is_broken_elsewhere_recovers_when_that_is_mended(tree: Tree) -> None:
    tree.saved(lib="0", user="bad lib.rd")
    tree.read.seen.clear()
    tree.saved(lib="1")
    assert tree.read.seen == ["lib.rd", "user.rd"]


@pytest.mark.parametrize("verb", ["uses", "needs"])
@pytest.mark.parametrize(
    "part", ["q.xml", "../etc/userconfig.rd", "../lib/procs.rd", ".hidden/q.rd", "__system__/x.rd"]
)
def test_an_rd_is_read_again_when_a_part_of_it_appears_changes_or_goes(tree: Tree, verb: str, part: str) -> None:
    path = os.path.normpath(f"{tree.folder}/{part}")
    tree.saved(user=f"{verb} {path}", other="1")
    itself = ["__system__/x.rd"] if part == "__system__/x.rd" else []
    tree.put(part, "1")
    assert tree.reread(path) == [*itself, "user.rd"]
    tree.put(part, "bad")
    assert tree.reread(path) == [*itself, "user.rd"]
    assert ("user" in tree.reloader.catalog.rejected) == (verb == "needs")
    tree.put(part, "2")
    assert tree.reread(path) == [*itself, "user.rd"]
    Path(path).unlink()
    assert tree.reread(path) == ["user.rd"]
    assert tree.reloader.catalog.accepted.keys() == {"user", "other"}
    assert ("user" in tree.reloader.catalog.rejected) == (verb == "needs")


def test_parts_that_no_scan_of_the_tree_sees_are_told_as_they_looked_first(tree: Tree) -> None:
    there, absent = tree.put("q.xml", "1"), tree.path("../absent")
    status = Path(there).stat()
    tree.saved(lib="1", a=f"uses {there}", b=f"needs {absent}", c="uses lib.rd", d="uses none.rd", e=f"uses {there}")
    seen = (status.st_mtime_ns, status.st_size, status.st_ino)
    assert tree.reloader.beside == {there: seen, absent: None}
    tree.put("q.xml", "changed")
    tree.reread(there)
    assert tree.reloader.beside[there] == seen  # whoever watches it knows better
    tree.saved(a="1", b="1")
    assert tree.reloader.beside.keys() == {there}
    Path(tree.path("e")).unlink()
    tree.updated("e")
    assert tree.reloader.beside == {}


@pytest.mark.parametrize("seen", ["real/lib.rd", "link/lib.rd"])
@pytest.mark.parametrize("used", ["real/lib.rd", "link/lib.rd"])
def test_by_whatever_path_a_part_is_seen_its_users_are_read_again(tree: Tree, seen: str, used: str) -> None:
    tree.put("real/lib.rd", "1")
    (tree.folder / "link").symlink_to("real")
    tree.saved(user=f"uses {used}")
    assert "user.rd" in tree.reread(str(tree.folder / seen))
    assert tree.reloader.beside == {}


def test_a_tree_that_is_reached_by_a_link_has_no_more_files_beside_it(tree: Tree) -> None:
    link = tree.folder.with_name("link")
    link.symlink_to(tree.folder)
    tree.folder = link
    tree.started()
    tree.saved(lib="1", user="uses lib.rd")
    assert tree.reloader.beside == {}
    assert tree.reread(tree.path("lib")) == ["lib.rd", "user.rd"]


def test_what_has_a_part_in_every_rd_is_told_and_has_all_read_again(tree: Tree) -> None:
    shared = str(tree.folder.parent / "defaultmeta.txt")
    tree.started(shared=[shared])
    assert tree.reloader.beside == {shared: None}
    tree.saved(a="1", b="bad", c=f"uses {shared}")
    assert tree.reread(shared) == ["a.rd", "b.rd", "c.rd"]
    tree.saved(c="1")
    assert tree.reloader.beside == {shared: None}


def test_only_the_rds_that_are_wanted_are_read(tree: Tree) -> None:
    tree.started(only=["a", "deep/b", "none"], rejections=["c"])
    assert tree.saved(a="1", c="1", lib="1", **{"deep/b": "uses lib.rd"}) == [
        accepted(tree, "a", 1),
        accepted(tree, "deep/b", 1),
        DescriptorRemoved(rd_id="c"),
    ]
    assert tree.read.seen == ["a.rd", "deep/b.rd"]
    assert tree.reread(tree.path("lib")) == ["deep/b.rd"]


def test_an_edit_of_one_file_among_thousands_has_it_and_its_users_read_and_nothing_else(tree: Tree) -> None:
    users = [f"d{number % 50}/u{number}" for number in range(0, 5000, 1000)]
    for number in range(5000):
        name = f"d{number % 50}/u{number}"
        tree.write(name, "uses lib/procs.rd" if name in users else "1")
    tree.write("lib/procs", "1")
    everything = [str(path) for path in tree.folder.rglob("*.rd")]
    tree.reloader.update(everything)
    assert len(tree.read.seen) == 5001
    tree.write("lib/procs", "2")
    assert sorted(tree.reread(tree.path("lib/procs"))) == sorted(f"{name}.rd" for name in ["lib/procs", *users])
    assert tree.reread(tree.path("d1/u1")) == ["d1/u1.rd"]
    tree.read.seen.clear()
    tree.reloader.reread_all()
    assert len(tree.read.seen) == 5001


def test_rereading_all_looks_at_good_and_broken_rds(tree: Tree) -> None:
    tree.saved(a="1", b="bad")
    tree.write("a", "2")
    tree.write("b", "1")
    tree.events.clear()
    tree.reloader.reread_all()
    assert tree.events == [accepted(tree, "a", 2), accepted(tree, "b", 1, recovered=True)]


def test_nothing_is_dropped_while_the_whole_tree_is_away(tree: Tree) -> None:
    tree.saved(a="1", b="bad")
    catalog = tree.reloader.catalog
    tree.folder.rename(tree.folder.with_name("elsewhere"))
    assert tree.updated("a", "b") == []
    assert tree.reloader.reread_all() is catalog
    tree.folder.with_name("elsewhere").rename(tree.folder)
    Path(tree.path("a")).unlink()
    assert tree.updated("a") == [DescriptorRemoved(rd_id="a")]


def test_nothing_is_dropped_while_another_file_system_shows_through(tree: Tree) -> None:
    tree.saved(a="1", b="1")
    catalog = tree.reloader.catalog
    tree.reloader._device = -1
    (hidden := tree.folder.with_name("hidden")).mkdir()
    for name in "ab":
        Path(tree.path(name)).rename(hidden / f"{name}.rd")
    assert tree.reloader.reread_all() is catalog
    (hidden / "b.rd").rename(tree.path("b"))
    assert tree.updated("a") == [DescriptorRemoved(rd_id="a")]


def test_a_broken_rd_is_published_again_after_a_restart(tree: Tree) -> None:
    tree.saved(a="bad")
    tree.started(rejections=["a"])
    (event,) = tree.updated("a")
    assert isinstance(event, DescriptorRejected)
    assert event.held_back == ()
    assert tree.saved(a="1") == [accepted(tree, "a", 1, recovered=True)]


def test_a_recovery_while_nobody_looked_is_published_at_the_start(tree: Tree) -> None:
    tree.write("a", "1")
    tree.started(rejections=["a"])
    assert tree.updated("a") == [accepted(tree, "a", 1, recovered=True)]
    assert tree.saved(a="2") == [accepted(tree, "a", 2)]


def test_a_broken_rd_that_went_while_nobody_looked_is_published_at_the_start(tree: Tree) -> None:
    tree.started(rejections=["gone", "deep/gone"])
    assert tree.updated() == [DescriptorRemoved(rd_id="deep/gone"), DescriptorRemoved(rd_id="gone")]
    assert tree.updated() == []


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda key: make_execute(key, schedule=Every(seconds=60)), HeldBack(key="a#x", title="a job", every=60)),
        (
            lambda key: make_execute(key, schedule=Every(seconds=60, immediately=True)),
            HeldBack(key="a#x", title="a job", every=-60),
        ),
        (
            lambda key: make_execute(key, schedule=parse_at("7:30, w1 8:00")),
            HeldBack(key="a#x", title="a job", at=("7:30", "w1 8:00")),
        ),
    ],
)
def test_jobs_held_back_have_the_schedule_as_their_rd_writes_it(
    tree: Tree, change: Callable[[str], Execute], expected: HeldBack
) -> None:
    class One(Reader):
        def __call__(self, path: str, *, inputs_dir: str) -> ResourceDescriptor:
            rd = super().__call__(path, inputs_dir=inputs_dir)
            return ResourceDescriptor(
                rd_id=rd.rd_id, path=path, inputs_dir=inputs_dir, resdir=inputs_dir, executes=(change("a#x"),)
            )

    tree.started(read=One())
    tree.saved(a="1")
    (event,) = tree.saved(a="bad")
    assert isinstance(event, DescriptorRejected)
    assert event.held_back == (expected,)


class Refusing(Reader):
    """Refuses all files, after something has been done to them."""

    def __init__(self, change: Callable[[Path], object] = lambda _: None) -> None:
        super().__init__()
        self.change = change

    def __call__(self, path: str, *, inputs_dir: str) -> ResourceDescriptor:
        self.change(Path(path))
        raise DescriptorError([Diagnostic(code="E103", message="it is too large", position=Position(path=path))])


def test_an_enormous_file_is_not_read_through_to_tell_its_versions_apart(tree: Tree) -> None:
    """It would take minutes, in which no other RD could be taken up."""
    tree.started(read=Refusing())
    digests = set()
    for size in (1 << 40, 1 << 41):
        with Path(tree.path("a")).open("wb") as file:
            file.truncate(size)
        (event,) = tree.updated("a")
        assert isinstance(event, DescriptorRejected)
        digests.add(event.rejection.digest)
        assert tree.updated("a") == []
    assert len(digests) == 2


def test_a_file_that_becomes_a_pipe_while_it_is_read_is_waited_for_by_nobody(tree: Tree) -> None:
    def swap(path: Path) -> None:
        path.unlink()
        os.mkfifo(path)

    tree.started(read=Refusing(swap))
    (event,) = tree.saved(a="1")
    assert isinstance(event, DescriptorRejected)
