import hashlib
import os
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from gavo_exec.errors import DescriptorError, Diagnostic, Position
from gavo_exec.events import DescriptorAccepted, DescriptorRejected, DescriptorRemoved, Event
from gavo_exec.model import Execute, HeldBack, ResourceDescriptor, rd_id_for
from gavo_exec.reload import Reloader
from gavo_exec.schedule import Every, parse_at
from gavo_exec.testing import EPOCH, FakeClock, make_execute


class Reader:
    """Reads files of words: ``bad``, ``crash``, ``uses PATH``, else the number of executes."""

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
        used = f"{inputs_dir}/{more}" if word == "uses" else ""
        content = data + (Path(used).read_bytes() if used else b"")
        rd_id = rd_id_for(path, inputs_dir)
        return ResourceDescriptor(
            rd_id=rd_id,
            path=path,
            inputs_dir=inputs_dir,
            resdir=inputs_dir,
            executes=tuple(make_execute(f"{rd_id}#{number}") for number in range(int(word) if word.isdigit() else 1)),
            sources=(path, used) if used else (path,),
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

    def started(self, *, rejections: Iterable[str] = (), read: Reader | None = None) -> Reloader:
        """A reloader as after a restart."""
        self.reloader = Reloader(
            str(self.folder),
            read=read or self.read,
            clock=FakeClock(),
            publish=self.events.append,
            rejections=rejections,
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

    def updated(self, *names: str) -> list[Event]:
        """What is published after these files changed somehow."""
        self.events.clear()
        self.reloader.update(self.path(name) for name in names)
        return self.events


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path / "inputs")


def accepted(tree: Tree, rd_id: str, executes: int, *, recovered: bool = False) -> DescriptorAccepted:
    return DescriptorAccepted(rd_id=rd_id, path=tree.path(rd_id), executes=executes, recovered=recovered)


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
