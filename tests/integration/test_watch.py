"""The watcher at work on a real tree: with real file events, and by looking alone."""

import logging
import os
import queue
import shutil
import threading
import time
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

import pytest

from gavo_exec.services.watch import TreeWatcher
from gavo_exec.services.watch.events import IsWanted

DEADLINE_SECONDS = 10.0


def write(path: Path, text: str = "x") -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return str(path)


def names(folder: Path, paths: Collection[str]) -> set[str]:
    return {os.path.relpath(path, folder) for path in paths}


def no_events(folder: str, *, is_wanted: IsWanted, is_stopped: Callable[[], bool]) -> Iterator[Collection[str]]:
    raise OSError(28, "inotify limit reached")


class Told:
    """A watcher at work on a thread of its own, and what it told."""

    def __init__(self, watcher: TreeWatcher, folder: Path) -> None:
        self.watcher = watcher
        self.folder = folder
        self.sets: queue.SimpleQueue[frozenset[str] | None] = queue.SimpleQueue()
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self) -> None:
        for paths in self.watcher:
            self.sets.put(paths)
        self.sets.put(None)

    def next(self, timeout: float = DEADLINE_SECONDS) -> set[str]:
        """The next set, relative to the folder."""
        paths = self.sets.get(timeout=timeout)
        assert paths is not None
        return names(self.folder, paths)

    def until(self, *wanted: str) -> list[str]:
        """All that is told until these were."""
        told: list[str] = []
        while not set(wanted) <= set(told):
            told += sorted(self.next())
        return told

    def stop(self) -> None:
        self.watcher.stop()
        self.thread.join(DEADLINE_SECONDS)
        assert not self.thread.is_alive()


Start = Callable[..., Told]


@pytest.fixture
def inputs(tmp_path: Path) -> Path:
    write(tmp_path / "inputs" / "a" / "q.rd")
    return tmp_path / "inputs"


@pytest.fixture
def start(inputs: Path) -> Iterator[Start]:
    running: list[Told] = []

    def make(**options: object) -> Told:
        options = {"settle_seconds": 0.02, "rescan_seconds": 0.01, "events": no_events, **options}
        running.append(Told(TreeWatcher(str(inputs), **options), inputs))  # type: ignore[arg-type]
        return running[-1]

    yield make
    for told in running:
        told.stop()


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    pause = threading.Event()
    while not condition():
        assert time.monotonic() < deadline
        pause.wait(0.005)


class Messages(logging.Handler):
    """What the watcher logs."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(record.getMessage())


@pytest.fixture
def said() -> Iterator[list[str]]:
    handler = Messages()
    log = logging.getLogger("gavo_exec.services.watch")
    log.addHandler(handler)
    yield handler.said
    log.removeHandler(handler)


def test_first_all_files_are_told_at_once(start: Start, inputs: Path) -> None:
    write(inputs / "b.rd")
    assert start(settle_seconds=1000.0).next() == {"a/q.rd", "b.rd"}


def test_an_empty_tree_is_told_as_well(start: Start, inputs: Path) -> None:
    shutil.rmtree(inputs / "a")
    assert start().next() == set()


def test_new_changed_and_gone_files_are_told_by_looking_alone(start: Start, inputs: Path) -> None:
    told = start()
    assert told.next() == {"a/q.rd"}
    write(inputs / "new" / "deep" / "n.rd")
    assert told.next() == {"new/deep/n.rd"}
    write(inputs / "a" / "q.rd", "changed")
    assert told.next() == {"a/q.rd"}
    (inputs / "a" / "q.rd").unlink()
    assert told.next() == {"a/q.rd"}
    (inputs / "new").rename(inputs / "renamed")
    assert sorted(told.until("new/deep/n.rd", "renamed/deep/n.rd")) == ["new/deep/n.rd", "renamed/deep/n.rd"]


def test_events_are_hints_and_lack_of_them_is_logged_once(start: Start, inputs: Path, said: list[str]) -> None:
    told = start()
    told.next()
    for text in ("one", "three"):
        write(inputs / "a" / "q.rd", text)
        told.next()
    assert said == [
        f"there are no file events below {inputs} ([Errno 28] inotify limit reached): changes take longer to be seen"
    ]


def save_in_place(path: Path) -> None:
    path.write_text("edited")


def save_by_renaming(path: Path) -> None:
    path.with_name("4913").write_text("")
    path.with_name(".q.rd.swp").write_text("edited")
    path.with_name("4913").unlink()
    path.with_name(".q.rd.swp").rename(path)


def save_with_a_backup(path: Path) -> None:
    path.rename(path.with_name("q.rd~"))
    path.write_text("edited")


def save_by_deleting(path: Path) -> None:
    path.unlink()
    path.write_text("edited")


@pytest.mark.parametrize(
    ("save", "has_events"),
    [
        (save_in_place, False),
        (save_by_renaming, False),
        (save_with_a_backup, False),
        (save_by_deleting, False),
        (save_by_renaming, True),
    ],
)
def test_however_an_editor_saves_it_is_one_change(
    start: Start, inputs: Path, save: Callable[[Path], None], *, has_events: bool
) -> None:
    if has_events:
        told = start_with_events(start, inputs)
    else:
        told = start()
        told.next()
    save(inputs / "a" / "q.rd")
    write(inputs / "after.rd")
    assert sorted(told.until("a/q.rd", "after.rd")) == ["a/q.rd", "after.rd"]


def start_with_events(start: Start, inputs: Path) -> Told:
    """A watcher that would not look again for a long time, once it is sure to hear events."""
    from gavo_exec.services.watch.events import file_events

    heard = threading.Event()

    def events(folder: str, *, is_wanted: IsWanted, is_stopped: Callable[[], bool]) -> Iterator[Collection[str]]:
        def is_now_stopped() -> bool:
            heard.set()
            return is_stopped()

        return file_events(folder, is_wanted=is_wanted, is_stopped=is_now_stopped)

    told = start(rescan_seconds=1000.0, events=events)
    told.next()
    assert heard.wait(DEADLINE_SECONDS)
    return told


def test_with_events_a_change_is_told_within_a_second(start: Start, inputs: Path) -> None:
    told = start_with_events(start, inputs)
    for change in (
        lambda: write(inputs / "a" / "q.rd", "changed"),
        lambda: write(inputs / "new" / "deeper" / "q.rd"),
        lambda: shutil.rmtree(inputs / "new"),
    ):
        change()
        told.next(timeout=1.0)


def test_with_events_a_folder_behind_a_new_link_is_watched(start: Start, inputs: Path, tmp_path: Path) -> None:
    told = start_with_events(start, inputs)
    write(tmp_path / "out" / "q.rd")
    (inputs / "link").symlink_to(tmp_path / "out")
    assert told.next() == {"link/q.rd"}
    write(tmp_path / "out" / "q.rd", "changed")
    assert told.next() == {"link/q.rd"}


def test_a_linked_file_is_told_though_it_has_no_events(start: Start, inputs: Path, tmp_path: Path) -> None:
    target = Path(write(tmp_path / "elsewhere" / "real.rd"))
    (inputs / "linked.rd").symlink_to(target)
    told = start_with_events(start, inputs)
    target.write_text("changed")
    assert told.next() == {"linked.rd"}


def test_one_folder_by_two_paths_is_told_by_one(start: Start, inputs: Path) -> None:
    (inputs / "z").symlink_to("a")
    told = start_with_events(start, inputs)
    write(inputs / "z" / "q.rd", "changed")
    assert told.next() == {"a/q.rd"}


@pytest.mark.parametrize("rescan_seconds", [0.01, 1000.0])
def test_files_beside_the_tree_are_told_when_they_appear_change_or_go(
    start: Start, inputs: Path, tmp_path: Path, rescan_seconds: float
) -> None:
    waiting = threading.Event()

    def silent(folder: str, *, is_wanted: IsWanted, is_stopped: Callable[[], bool]) -> Iterator[Collection[str]]:
        while not is_stopped():
            waiting.wait(0.01)
        yield ()

    told = start(rescan_seconds=rescan_seconds, events=silent)
    told.next()
    here = Path(write(tmp_path / "etc" / "userconfig.rd"))
    status = here.stat()
    absent = tmp_path / "lib" / "procs.rd"
    known = {str(here): (status.st_mtime_ns, status.st_size, status.st_ino), str(absent): None}
    told.watcher.watch_also(known)
    write(absent)
    assert told.next() == {"../lib/procs.rd"}
    write(here, "changed")
    assert told.next() == {"../etc/userconfig.rd"}
    here.unlink()
    assert told.next() == {"../etc/userconfig.rd"}
    told.watcher.watch_also({str(here): None})
    write(absent, "changed")
    write(here)
    assert told.next() == {"../etc/userconfig.rd"}


def test_what_changed_before_it_was_watched_is_told_as_well(start: Start, inputs: Path, tmp_path: Path) -> None:
    told = start()
    told.next()
    for name in ("appeared", "changed"):
        write(tmp_path / name)
    told.watcher.watch_also(
        {str(tmp_path / "appeared"): None, str(tmp_path / "changed"): (1, 1, 1), str(tmp_path / "gone"): (1, 1, 1)}
    )
    assert set(told.until("../appeared", "../changed", "../gone")) == {"../appeared", "../changed", "../gone"}


def test_many_files_beside_the_tree_are_looked_at_with_it(start: Start, inputs: Path, tmp_path: Path) -> None:
    told = start()
    told.next()
    told.watcher.watch_also({str(tmp_path / "many" / str(number)): None for number in range(1000)})
    write(tmp_path / "many" / "7")
    assert told.next() == {"../many/7"}


def test_while_the_tree_is_away_nothing_beside_it_is_looked_at(start: Start, inputs: Path) -> None:
    told = start()
    told.next()
    beside = Path(write(inputs / "q.xml"))
    status = beside.stat()
    told.watcher.watch_also({str(beside): (status.st_mtime_ns, status.st_size, status.st_ino)})
    inputs.rename(inputs.with_name("away"))
    write(inputs.with_name("away") / "new.rd")
    inputs.with_name("away").rename(inputs)
    assert told.next() == {"new.rd"}
    beside.unlink()
    assert told.next() == {"q.xml"}


def test_a_look_can_be_asked_for(start: Start, inputs: Path) -> None:
    waiting = threading.Event()

    def silent(folder: str, *, is_wanted: IsWanted, is_stopped: Callable[[], bool]) -> Iterator[Collection[str]]:
        while not is_stopped():
            waiting.wait(0.01)
        yield ()

    told = start(rescan_seconds=1000.0, events=silent)
    told.next()
    write(inputs / "a" / "q.rd", "changed")
    told.watcher.look()
    assert told.next() == {"a/q.rd"}


def test_a_tree_that_is_away_is_kept_and_looked_at_when_it_is_back(start: Start, inputs: Path, said: list[str]) -> None:
    told = start()
    told.next()
    away = inputs.with_name("away")
    inputs.rename(away)
    wait_for(lambda: any("is away" in message for message in said))
    write(away / "a" / "new.rd")
    away.rename(inputs)
    assert told.next() == {"a/new.rd"}
    assert [message for message in said if "events" not in message] == [
        f"{inputs} is away (No such file or directory): its RDs stay as they are until it is back",
        f"{inputs} is back",
    ]


def test_a_tree_may_come_later(start: Start, inputs: Path) -> None:
    inputs.rename(inputs.with_name("away"))
    told = start()
    assert told.next() == set()
    inputs.with_name("away").rename(inputs)
    assert told.next() == {"a/q.rd"}


def test_events_are_heard_again_in_a_tree_that_was_made_anew(start: Start, inputs: Path) -> None:
    told = start_with_events(start, inputs)
    shutil.rmtree(inputs)
    told.watcher.look()
    write(inputs / "b.rd")
    told.until("b.rd")
    write(inputs / "b.rd", "changed")
    told.until("b.rd")


def test_what_becomes_unreadable_is_kept_and_logged_once(start: Start, inputs: Path, said: list[str]) -> None:
    told = start()
    told.next()
    moved = inputs.with_name("moved")
    (inputs / "a").rename(moved)
    (inputs / "a").symlink_to("/" + "x" * 300)
    wait_for(lambda: any("cannot be read" in message for message in said))
    write(inputs / "b.rd")
    assert told.next() == {"b.rd"}
    (inputs / "a").unlink()
    assert told.next() == {"a/q.rd"}
    assert [message for message in said if "events" not in message] == [
        f"{inputs / 'a'} cannot be read and is left as it is: File name too long"
    ]


def test_a_folder_of_another_device_without_rds_is_taken_for_an_unmounted_tree(inputs: Path, said: list[str]) -> None:
    watcher = TreeWatcher(str(inputs), rescan_seconds=0.02, settle_seconds=0.05, events=no_events)
    changes = iter(watcher)
    assert len(next(changes)) == 1
    assert watcher._tree is not None
    on_another_device = (watcher._tree.root[0] + 1, watcher._tree.root[1])
    watcher._tree = type(watcher._tree)(
        root=on_another_device,
        files=watcher._tree.files,
        linked_files=frozenset(),
        folders={},
        linked_folders=(),
        unreadable={},
    )
    (inputs / "a" / "q.rd").rename(inputs / "a" / "hidden")
    assert watcher._look_at([str(inputs / "a" / "q.rd")]) == frozenset()
    assert watcher._look_at_tree() == frozenset()
    assert "it is empty, and on another file system than before" in said[-1]
    write(inputs / "b.rd")
    told: set[str] = set()
    while told != {"a/q.rd", "b.rd"}:
        told |= names(inputs, next(changes))
    watcher.stop()
    assert list(changes) == []


def test_stopping_ends_the_iteration_soon(start: Start) -> None:
    told = start(rescan_seconds=1000.0)
    told.next()
    told.stop()
    assert told.sets.get(timeout=DEADLINE_SECONDS) is None


def test_stopping_before_it_began_leaves_nothing_to_iterate(inputs: Path) -> None:
    watcher = TreeWatcher(str(inputs))
    watcher.stop()
    assert list(watcher) == []


def test_leaving_the_iteration_ends_its_thread(inputs: Path) -> None:
    before = set(threading.enumerate())
    changes = iter(TreeWatcher(str(inputs)))
    next(changes)
    changes.close()  # type: ignore[attr-defined]
    assert set(threading.enumerate()) <= before


@pytest.mark.parametrize(
    ("below", "is_new", "is_wanted"),
    [
        ("a/q.rd", False, True),
        ("a/unknown.rd", True, True),
        ("a", False, True),
        ("a", True, True),
        ("a/data", True, True),
        ("a/data", False, False),
        ("a/image.fits", True, False),
        ("a/image.fits", False, False),
        ("a/.q.rd", True, False),
        (".git/q.rd", False, False),
        ("", True, True),
    ],
)
def test_only_events_of_rds_and_folders_are_wanted(inputs: Path, below: str, *, is_new: bool, is_wanted: bool) -> None:
    watcher = TreeWatcher(str(inputs), events=no_events)
    changes = iter(watcher)
    next(changes)
    (inputs / "a" / "data").mkdir()
    write(inputs / "a" / "image.fits")
    assert watcher._is_wanted(str(inputs / below) if below else str(inputs), is_new=is_new) is is_wanted
    changes.close()  # type: ignore[attr-defined]
