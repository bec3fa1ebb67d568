"""Which files changed and stand still, and what is in a tree."""

import os
from collections.abc import Collection
from pathlib import Path

import pytest

from gavo_exec.rdfiles import Signature, is_rd_file
from gavo_exec.services.watch import Settling, scan
from gavo_exec.services.watch.beside import Beside

DEADLINE_SECONDS = 10.0
A, B, C = (1, 1, 1), (2, 1, 1), (3, 1, 1)


# What stands still


@pytest.mark.parametrize(
    ("looks", "told"),
    [
        # looks: (instant, signature of the file, None: gone); it is known as A, and has to stand still for 1 s
        ([(0, A), (5, A)], []),
        ([(0, B), (1, B)], [1]),
        ([(0, B), (0.9, B), (1, B), (2, B)], [1]),
        ([(0, B), (0.9, B)], []),
        ([(0, B), (0.5, C), (1.2, C), (1.5, C)], [1.5]),
        ([(0, B), (1, C), (2, B), (3, C), (4, B)], []),
        ([(0, B), (0.5, A), (2, A)], []),
        ([(0, None), (1, None), (2, None)], [1]),
        ([(0, None), (0.5, B), (1, B), (1.5, B)], [1.5]),
        ([(0, None), (0.5, A), (2, A)], []),
        ([(0, None), (1, None), (2, B), (3, B), (4, None), (5, None)], [1, 3, 5]),
        ([(0, B), (100, B)], [100]),
    ],
)
def test_a_change_is_told_once_the_file_stands_still(
    looks: list[tuple[float, Signature | None]], told: list[float]
) -> None:
    settling = Settling(1.0)
    assert settling.start({"q.rd": A}) == {"q.rd"}
    found = [now for now, signature in looks if settling.look({"q.rd": signature}, now) == {"q.rd"}]
    assert found == told


def test_a_new_file_that_goes_before_it_settles_is_nothing() -> None:
    settling = Settling(1.0)
    assert settling.look({"q.rd": A}, 0.0) == frozenset()
    assert list(settling.moving) == ["q.rd"]
    assert settling.look({"q.rd": None}, 0.5) == frozenset()
    assert list(settling.moving) == []


def test_a_file_written_all_the_time_holds_up_no_other() -> None:
    settling = Settling(1.0)
    told = [settling.look({"busy.rd": (tenth, 1, 1), "q.rd": A}, tenth / 10) for tenth in range(30)]
    assert frozenset().union(*told) == {"q.rd"}
    assert told[10] == {"q.rd"}


def test_the_next_look_is_when_the_first_can_stand_still() -> None:
    settling = Settling(1.0)
    looks = [("a.rd", 5.0), ("b.rd", 5.5), ("a.rd", 6.0), ("b.rd", 6.5)]
    found = [settling.next_look_at]
    for path, now in looks:
        settling.look({path: A}, now)
        found.append(settling.next_look_at)
    assert found == [None, 6.0, 6.0, 6.5, None]


def test_files_beside_the_tree_are_known_as_they_were_given() -> None:
    beside = Beside(1.0)
    beside.offer({"x": A, "y": None, "z": A})
    beside.take()
    assert set(beside.paths) == {"x", "y", "z"}
    assert beside.look({"x": A, "y": None, "z": B}, 0.0) == frozenset()
    assert list(beside.moving) == ["z"]
    assert beside.next_look_at == 1.0
    assert beside.look({"x": B, "y": A, "z": B}, 1.0) == {"z"}
    assert beside.look({"x": B, "y": A}, 2.0) == {"x", "y"}
    beside.offer({"x": A, "y": None, "w": None})
    beside.take()
    assert beside.look({"x": B, "y": A, "w": None}, 3.0) == frozenset()
    assert beside.look({"x": None}, 4.0) == beside.look({"y": None}, 5.0) == frozenset()
    beside.offer({"x": A})
    beside.take()
    assert list(beside.moving) == ["x"]
    assert beside.look({"x": None}, 5.0) == {"x"}


# What is in a tree


@pytest.mark.parametrize(
    ("path", "is_rd"),
    [
        ("/in/q.rd", True),
        ("/in/a/b.c/q.rd", True),
        ("/in/__system__/procs.rd", True),
        ("/in/q.xml", False),
        ("/in/q.RD", False),
        ("/in", False),
        ("/inner/q.rd", False),
        ("/out/q.rd", False),
        ("/in/.q.rd", False),
        ("/in/.#q.rd", False),
        ("/in/#q.rd#", False),
        ("/in/#q.rd", False),
        ("/in/~$q.rd", False),
        ("/in/q.rd~", False),
        ("/in/.git/q.rd", False),
        ("/in/a~/q.rd", False),
    ],
)
def test_hidden_files_backups_and_files_elsewhere_are_no_rds(path: str, *, is_rd: bool) -> None:
    assert is_rd_file(path, "/in") == is_rd
    assert is_rd_file(path.replace("/in", "/"), "/") == is_rd or not path.startswith("/in/")


def write(path: Path, text: str = "x") -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return str(path)


def names(folder: Path, paths: Collection[str]) -> set[str]:
    return {os.path.relpath(path, folder) for path in paths}


def test_only_plain_visible_rds_are_found(tmp_path: Path) -> None:
    for name in ("q.rd", "a/b/c.rd", "a/x.rd/deep.rd", "ä ö\n.rd", "__system__/procs.rd"):
        write(tmp_path / name)
    for name in (
        *(".q.rd", "#q.rd#", "#q.rd", "~$q.rd", "q.rd~", ".#q.rd", ".q.rd.swp", "4913", "q.RD", "q.rd.bak", "q.xml"),
        *(".git/q.rd", "a/.hidden/q.rd", "a~/q.rd"),
    ):
        write(tmp_path / name)
    os.mkfifo(tmp_path / "pipe.rd")
    (tmp_path / "dangling.rd").symlink_to("nowhere")
    (tmp_path / "loop.rd").symlink_to("loop.rd")
    found = scan(str(tmp_path), ".rd")
    assert names(tmp_path, found.files) == {"q.rd", "a/b/c.rd", "a/x.rd/deep.rd", "ä ö\n.rd", "__system__/procs.rd"}
    assert all(is_rd_file(path, str(tmp_path)) for path in found.files)
    assert found.unreadable == {}


def test_each_real_folder_is_looked_into_once_by_its_plain_path(tmp_path: Path) -> None:
    write(tmp_path / "in" / "real" / "q.rd")
    write(tmp_path / "out" / "r.rd")
    for name, target in (
        ("in/again", "real"),
        ("in/loop", "."),
        ("in/real/up", "../.."),
        ("in/a-link", "../out"),
        ("in/z-link", "../out"),
        ("in/file.rd", "../out/r.rd"),
    ):
        (tmp_path / name).symlink_to(target)
    found = scan(str(tmp_path / "in"), ".rd")
    assert names(tmp_path / "in", found.files) == {"real/q.rd", "a-link/r.rd", "file.rd"}
    assert names(tmp_path / "in", found.linked_files) == {"file.rd"}
    assert "in/a-link" in names(tmp_path, found.linked_folders)


def test_what_is_unreadable_hides_what_is_below_it(tmp_path: Path) -> None:
    write(tmp_path / "q.rd")
    (tmp_path / "long").symlink_to("/" + "x" * 300)
    found = scan(str(tmp_path), ".rd")
    assert names(tmp_path, found.files) == {"q.rd"}
    assert found.unreadable == {str(tmp_path / "long"): "File name too long"}
    assert found.hides(str(tmp_path / "long"))
    assert found.hides(str(tmp_path / "long" / "deep" / "q.rd"))
    assert not found.hides(str(tmp_path / "longer.rd"))


def test_a_tree_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        scan(str(tmp_path / "none"), ".rd")
