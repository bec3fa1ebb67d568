"""What fits a pattern of files, and how each folder is looked into."""

import os
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from gavo_exec.runtime.patterns import Scan, base_of

TREE = (
    "a.fits",
    "b.fits",
    "c.txt",
    ".hidden.fits",
    "[x].fits",
    "lost+found/a.fits",
    "sub/d.fits",
    "sub/deep/e.fits",
    "sub/.cache/f.fits",
    "other/raw/g.fits",
    "other/raw/h.txt",
    "third/raw/i.fits",
    "third/ready",
)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in TREE:
        path = tmp_path / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return tmp_path / "data"


def fitting(tree: Path, pattern: str) -> list[str]:
    """The files below the tree that fit, without what is above it."""
    found = [path for path, _ in Scan(f"{tree}/{pattern}").files()]
    assert len(set(found)) == len(found)
    return sorted(path.removeprefix(f"{tree}/") for path in found)


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("*.fits", ["[x].fits", "a.fits", "b.fits"]),
        ("?.fits", ["a.fits", "b.fits"]),
        ("[ab].*", ["a.fits", "b.fits"]),
        ("[!a].fits", ["b.fits"]),
        ("[[]x].fits", ["[x].fits"]),
        (".*.fits", [".hidden.fits"]),
        ("a.fits", ["a.fits"]),
        ("a.fit", []),
        ("A.fits", []),
        ("*", ["[x].fits", "a.fits", "b.fits", "c.txt"]),
        ("*/*.fits", ["sub/d.fits"]),
        ("*/raw/*.fits", ["other/raw/g.fits", "third/raw/i.fits"]),
        ("*/ready", ["third/ready"]),
        ("third/ready", ["third/ready"]),
        (
            "**/*.fits",
            [
                "[x].fits",
                "a.fits",
                "b.fits",
                "other/raw/g.fits",
                "sub/d.fits",
                "sub/deep/e.fits",
                "third/raw/i.fits",
            ],
        ),
        (
            "**/**/?.fits",
            ["a.fits", "b.fits", *(f"{d}.fits" for d in ("other/raw/g", "sub/d", "sub/deep/e")), "third/raw/i.fits"],
        ),
        ("**/raw/*", ["other/raw/g.fits", "other/raw/h.txt", "third/raw/i.fits"]),
        ("o*/**/*.txt", ["other/raw/h.txt"]),
        ("**/r*/**/g.fits", ["other/raw/g.fits"]),
        ("sub/**", ["sub/d.fits", "sub/deep/e.fits"]),
        ("**/.cache/*.fits", ["sub/.cache/f.fits"]),
        ("lost+found/*", ["lost+found/a.fits"]),
        ("sub**/d.fits", ["sub/d.fits"]),
        ("nowhere/*.fits", []),
        ("a.fits/*", []),
    ],
)
def test_what_fits_a_pattern(tree: Path, pattern: str, names: list[str]) -> None:
    assert fitting(tree, pattern) == names


@pytest.mark.parametrize(
    ("pattern", "base"),
    [
        ("/data/*.fits", "/data"),
        ("/data/x.fits", "/data"),
        ("/data/*/raw/*.fits", "/data"),
        ("/data/**/x", "/data"),
        ("/srv/[[]x]/[*]/*.fits", "/srv/[x]/*"),
        ("/*.fits", "/"),
        ("/x", "/"),
        ("/", "/"),
    ],
)
def test_a_look_begins_in_the_last_folder_that_is_named(pattern: str, base: str) -> None:
    assert base_of(pattern) == base


def test_only_plain_files_fit_and_links_to_such(tree: Path) -> None:
    for path in tree.rglob("*.fits"):
        path.unlink()
    os.mkfifo(tree / "pipe.fits")
    (tree / "folder.fits").mkdir()
    (tree / "to_a_file.fits").symlink_to("c.txt")
    (tree / "to_a_folder.fits").symlink_to("folder.fits")
    (tree / "to_nothing.fits").symlink_to("nowhere")
    (tree / "to_itself.fits").symlink_to("to_itself.fits")
    assert fitting(tree, "*.fits") == ["to_a_file.fits"]
    assert fitting(tree, "**/*.fits") == ["to_a_file.fits"]
    assert fitting(tree, "to*/*") == []


def test_a_pattern_that_is_a_name_looks_at_nothing_else(tree: Path) -> None:
    scan = Scan(f"{tree}/third/ready")
    assert [path for path, _ in scan.files()] == [f"{tree}/third/ready"]
    assert not scan.listed


@pytest.mark.parametrize("kind", [os.mkfifo, os.mkdir], ids=["pipe", "folder"])
def test_what_is_named_must_be_a_file_too(tree: Path, kind: object) -> None:
    assert callable(kind)
    kind(tree / "thing")
    assert fitting(tree, "thing") == []


def test_links_to_folders_are_followed_where_they_are_meant_and_not_by_two_stars(tree: Path) -> None:
    (tree / "linked").symlink_to("sub")
    (tree / "sub" / "up").symlink_to("..")
    assert fitting(tree, "linked/*.fits") == ["linked/d.fits"]
    assert fitting(tree, "l*/*.fits") == ["linked/d.fits"]
    assert fitting(tree, "**/d.fits") == ["sub/d.fits"]
    assert fitting(tree, "**/l*d/d.fits") == ["linked/d.fits"]
    assert fitting(tree, "**/l*/l*/d.fits") == []


def test_names_may_have_anything_in_them(tree: Path) -> None:
    names = [
        b"line\nend.fits",
        b"\xff\xfe.fits",
        b" .fits",
        "ä\N{SNOWMAN}.fits".encode(),
        b"a\\b.fits",
        b"\x1b[2J.fits",
    ]
    (tree / "odd\n").mkdir()
    folder = os.fsencode(tree / "odd\n")
    for name in names:
        Path(os.fsdecode(folder + b"/" + name)).touch()
    found = [os.fsencode(path) for path, _ in Scan(f"{tree}/odd\n/*.fits").files()]
    assert sorted(found) == sorted(folder + b"/" + name for name in names)


def test_each_folder_is_read_once(tree: Path) -> None:
    scan = Scan(f"{tree}/**/**/*/**/*.fits")
    found = [path for path, _ in scan.files()]
    assert len(found) == len(set(found))
    assert scan.fruitful < scan.listed
    assert f"{tree}/sub/.cache" not in scan.listed


def test_what_was_found_where_is_known_afterwards(tree: Path) -> None:
    scan = Scan(f"{tree}/*/raw/*.fits")
    list(scan.files())
    assert scan.listed == {f"{tree}", f"{tree}/other/raw", f"{tree}/third/raw"}
    assert scan.fruitful == {f"{tree}/other/raw", f"{tree}/third/raw"}
    assert not scan.is_base_missing


@pytest.mark.parametrize("name", ["nowhere/*.fits", "nowhere/deeper/**/x", "a.fits/*"])
def test_a_missing_folder_is_told(tree: Path, name: str) -> None:
    scan = Scan(f"{tree}/{name}")
    assert list(scan.files()) == []
    assert scan.is_base_missing


@pytest.fixture
def locked() -> Iterator[str]:
    """A folder with files and with a folder ``sub`` that may not be read: not by us, whoever we are."""
    with TemporaryDirectory() as name:
        tree = Path(name)
        (tree / "sub").mkdir()
        (tree / "a.fits").touch()
        (tree / "sub" / "b.fits").touch()
        (tree / "sub").chmod(0)
        tree.chmod(0o755)
        was = os.geteuid()
        if was == 0:
            os.seteuid(65534)
        try:
            yield name
        finally:
            os.seteuid(was)
            (tree / "sub").chmod(0o755)


@pytest.mark.parametrize("pattern", ["*/*.fits", "sub/*.fits", "sub/**/*.fits"])
def test_a_folder_that_may_not_be_read_is_a_fault(locked: str, pattern: str) -> None:
    with pytest.raises(PermissionError) as caught:
        list(Scan(f"{locked}/{pattern}").files())
    assert caught.value.filename == f"{locked}/sub"


def test_two_stars_pass_over_what_may_not_be_read(locked: str) -> None:
    scan = Scan(f"{locked}/**/*.fits")
    assert [path for path, _ in scan.files()] == [f"{locked}/a.fits"]
    assert scan.passed_over == {f"{locked}/sub": "Permission denied"}


def test_a_name_that_is_too_long_is_a_fault(tree: Path) -> None:
    with pytest.raises(OSError, match="too long"):
        list(Scan(f"{tree}/{'x' * 300}/*.fits").files())
