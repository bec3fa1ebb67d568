"""What is new for a run: real files, a clock that is told."""

import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gavo_exec.model import NewFile, Policy, RunRequest
from gavo_exec.runtime.mounts import Mounts
from gavo_exec.runtime.newfiles import Outlook, Question, look_up
from gavo_exec.runtime.stillness import Stillness
from gavo_exec.services.store import SQLiteStore
from gavo_exec.testing import make_execute, make_request

LOCAL, REMOTE = (Mounts(f"1 0 0:1 / / rw - {kind} x rw") for kind in ("ext4", "nfs4"))
KEY = "test/q#job"


@pytest.fixture
def store() -> Iterator[SQLiteStore]:
    store = SQLiteStore(":memory:", holder="here 1 1", is_alive=lambda _: False)
    yield store
    store.close()


class Site:
    """A folder of files, and an execute that waits for some; ``later`` is how far our clock is past the files'."""

    def __init__(self, folder: Path, store: SQLiteStore) -> None:
        self.folder = folder
        self.store = store
        self.pattern = "**/*.fits"
        self.settle = timedelta(seconds=60)
        self.later = timedelta(hours=1)
        self.mounts = LOCAL
        self.agreed_seconds = float("inf")
        self.still = Stillness()
        self.most = 10_000
        self.taken: frozenset[NewFile] = frozenset()

    def save(self, *names: str, text: str = "") -> None:
        for name in names:
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def request(self) -> RunRequest:
        policy = Policy(files=f"{self.folder}/{self.pattern}", settle=self.settle)
        return make_request(make_execute(KEY, policy=policy))

    def look(self) -> Outlook:
        question = Question(
            request=self.request(),
            still=self.still,
            now=datetime.fromtimestamp(self.clock().stat().st_ctime, UTC) + self.later,
            taken=self.taken,
            mounts=self.mounts,
            agreed_seconds=self.agreed_seconds,
        )
        return look_up(question, self.store, most=self.most)

    def clock(self) -> Path:
        """A file that was changed just now."""
        path = self.folder.parent / "clock"
        path.touch()
        return path

    def names(self) -> list[str]:
        """The names of what a look finds."""
        return [os.path.relpath(file.path, self.folder) for file in self.look().files]

    def process(self) -> list[str]:
        """Let a run with what a look finds be a good one; answers the names."""
        files = self.look().files
        self.store.put_seen(KEY, files)
        self.store.flush()
        return [os.path.relpath(file.path, self.folder) for file in files]

    def remembered(self) -> list[str]:
        return sorted(os.path.relpath(file.path, self.folder) for file in self.store.seen(KEY))


@pytest.fixture
def site(tmp_path: Path, store: SQLiteStore) -> Site:
    (tmp_path / "data").mkdir()
    return Site(tmp_path / "data", store)


# What is new


def test_files_are_new_until_a_run_with_them_was_a_good_one(site: Site) -> None:
    site.save("b.fits", "a.fits", "c.txt")
    assert site.names() == ["a.fits", "b.fits"]
    assert site.names() == ["a.fits", "b.fits"]  # a failed run gets the same ones again
    assert site.process() == ["a.fits", "b.fits"]
    assert site.names() == []
    site.save("c.fits")
    assert site.names() == ["c.fits"]


def test_files_are_told_with_size_and_time(site: Site) -> None:
    site.save("a.fits", text="12345")
    os.utime(site.folder / "a.fits", ns=(0, 1_500_000_000_123_456_789))
    assert site.look().files == (NewFile(path=f"{site.folder}/a.fits", size=5, mtime_ns=1_500_000_000_123_456_789),)


@pytest.mark.parametrize("change", ["size", "time"])
def test_a_file_that_changed_is_new_again(site: Site, change: str) -> None:
    site.save("a.fits", "b.fits", text="1")
    status = (site.folder / "a.fits").stat()
    site.process()
    if change == "size":
        site.save("a.fits", text="22")
        os.utime(site.folder / "a.fits", ns=(status.st_atime_ns, status.st_mtime_ns))
    else:
        os.utime(site.folder / "a.fits", ns=(0, 0))
    assert site.process() == ["a.fits"]
    assert site.process() == []


def test_what_changes_nothing_about_a_file_makes_it_no_new_one(site: Site) -> None:
    site.save("a.fits")
    site.process()
    (site.folder / "a.fits").chmod(0o600)
    assert site.names() == []


def test_what_other_runs_have_at_present_is_left_to_them(site: Site) -> None:
    site.save("a.fits", "b.fits")
    site.taken = frozenset(site.look().files[:1])
    assert site.names() == ["b.fits"]


def test_very_many_files_are_for_several_runs_the_oldest_first(site: Site) -> None:
    names = [f"{number}.fits" for number in range(7)]
    site.save(*names)
    for number, name in enumerate(reversed(names)):
        os.utime(site.folder / name, (number, number))
    site.most = 3
    outlook = site.look()
    assert outlook.more == 4
    assert site.process() == ["4.fits", "5.fits", "6.fits"]
    assert site.process() == ["1.fits", "2.fits", "3.fits"]
    assert site.process() == ["0.fits"]
    assert site.look() == Outlook()


@pytest.mark.parametrize("name", [b"line\nend.fits", b"\xff\xfe.fits", b"\x10.fits", "ä\N{SNOWMAN}.fits".encode()])
def test_hostile_names_are_kept_as_they_are(site: Site, name: bytes) -> None:
    path = os.fsencode(site.folder) + b"/" + name
    Path(os.fsdecode(path)).touch()
    [file] = site.look().files
    assert os.fsencode(file.path) == path
    site.process()
    assert site.names() == []


@pytest.mark.parametrize("year", [1902, 1960, 2262, 2263, 2400])
def test_any_time_that_a_file_may_have_can_be_remembered(site: Site, year: int) -> None:
    site.save("a.fits")
    at = int((datetime(year, 6, 1, tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds())
    os.utime(site.folder / "a.fits", (at, at))
    assert site.process() == ["a.fits"]
    assert site.names() == []


def test_a_missing_folder_has_nothing_new_and_is_named(site: Site) -> None:
    site.pattern = "nowhere/*.fits"
    assert site.look() == Outlook(missing=f"{site.folder}/nowhere")


# What has settled


@pytest.mark.parametrize(("later", "names"), [(1, []), (59, []), (61, ["a.fits"]), (86_400, ["a.fits"])], ids=str)
def test_on_our_own_clock_a_file_has_settled_when_its_last_change_was_long_enough_ago(
    site: Site, later: int, names: list[str]
) -> None:
    site.save("a.fits")
    site.later = timedelta(seconds=later)
    outlook = site.look()
    assert [os.path.basename(file.path) for file in outlook.files] == names  # noqa: PTH119 -- a string
    assert not outlook.is_unsure


@pytest.mark.parametrize("year", [2000, 2100])
def test_the_time_that_a_file_claims_to_be_from_counts_for_nothing(site: Site, year: int) -> None:
    """As with rsync -a, which gives a copy its old time while the next one still grows, and clocks that are wrong."""
    site.save("a.fits")
    at = datetime(year, 1, 1, tzinfo=UTC).timestamp()
    os.utime(site.folder / "a.fits", (at, at))
    site.later = timedelta(seconds=10)
    assert site.names() == []
    site.later = timedelta(seconds=70)
    assert site.names() == ["a.fits"]


@pytest.mark.parametrize(
    "doubt",
    [
        {"mounts": REMOTE},
        {"mounts": Mounts()},
        {"agreed_seconds": 59.0},  # our clock was set, or the machine slept
        {"later": timedelta(hours=-1)},  # our clock was wrong then, or is now
    ],
    ids=["remote", "unknown", "set", "future"],
)
def test_where_no_clock_can_be_believed_a_file_has_to_be_seen_standing_still(
    site: Site, doubt: dict[str, object]
) -> None:
    site.save("a.fits")
    for name, value in doubt.items():
        setattr(site, name, value)
    assert site.look() == Outlook(is_unsure=True)
    site.settle = timedelta(microseconds=1)
    if "agreed_seconds" in doubt:
        site.agreed_seconds = 0.0
    outlook = site.look()
    assert len(outlook.files) == 1
    assert not outlook.is_unsure


def test_a_file_that_grows_where_no_clock_can_be_believed_has_not_settled(site: Site) -> None:
    site.mounts, site.settle = REMOTE, timedelta(microseconds=1)
    for number in range(3):
        site.save("a.fits", text="x" * number)
        os.utime(site.folder / "a.fits", (0, 0))
        assert site.look() == Outlook(is_unsure=True)
    assert site.names() == ["a.fits"]


def test_no_settling_is_waited_for_where_none_is_asked_for(site: Site) -> None:
    site.settle, site.later = timedelta(0), timedelta(hours=-1)
    site.mounts = REMOTE
    site.save("a.fits")
    assert site.names() == ["a.fits"]
    assert not site.look().is_unsure


# What is gone


def test_files_that_are_gone_are_forgotten(site: Site) -> None:
    site.save("a.fits", "b.fits", "sub/c.fits", "sub/d.fits")
    site.process()
    (site.folder / "a.fits").unlink()
    (site.folder / "sub" / "c.fits").unlink()
    site.look()
    assert site.remembered() == ["b.fits", "sub/d.fits"]
    site.save("a.fits")
    assert site.names() == ["a.fits"]


def test_a_folder_that_is_gone_is_forgotten_where_others_are_there_still(site: Site) -> None:
    site.save("2024/01/a.fits", "2024/02/b.fits", "2025/01/c.fits")
    site.process()
    shutil.rmtree(site.folder / "2024" / "01")
    site.look()
    assert site.remembered() == ["2024/02/b.fits", "2025/01/c.fits"]
    shutil.rmtree(site.folder / "2024")
    site.look()
    assert site.remembered() == ["2025/01/c.fits"]


@pytest.mark.parametrize("away", ["the folder", "what is in it", "what is in one below"])
def test_what_is_away_with_all_that_was_there_is_not_forgotten(site: Site, away: str) -> None:
    """As when a disk is not mounted."""
    site.save("disk1/a.fits", "disk2/b.fits", "disk2/sub/c.fits")
    site.process()
    aside = site.folder.parent / "aside"
    there = site.folder / "disk2" if away == "what is in one below" else site.folder
    there.rename(aside)
    if away != "the folder":
        there.mkdir()
    assert site.names() == []
    assert site.remembered() == ["disk1/a.fits", "disk2/b.fits", "disk2/sub/c.fits"]
    if away != "the folder":
        there.rmdir()
    aside.rename(there)
    assert site.names() == []


def test_what_an_edited_pattern_does_not_fit_any_more_is_not_forgotten(site: Site) -> None:
    site.save("a.fits", "b.fits", "sub/c.fits")
    site.process()
    for site.pattern in ("a*.fits", "*.fits", "sub/*.fits", "**/c.fits"):
        assert site.names() == []
        assert site.remembered() == ["a.fits", "b.fits", "sub/c.fits"]


def test_a_link_whose_file_is_away_is_not_forgotten(site: Site) -> None:
    site.save("a.fits", "../aside/b")
    (site.folder / "b.fits").symlink_to("../aside/b")
    assert site.process() == ["a.fits", "b.fits"]
    (site.folder.parent / "aside" / "b").unlink()
    assert site.names() == []
    assert site.remembered() == ["a.fits", "b.fits"]


def test_what_one_execute_has_seen_is_new_to_others(site: Site) -> None:
    site.save("a.fits")
    site.store.put_seen("test/q#other", site.look().files)
    site.store.flush()
    assert site.names() == ["a.fits"]
