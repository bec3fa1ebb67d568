"""Mends on bytes: what they change, and what they leave as it was."""

from pathlib import Path

import pytest

from gavo_exec.cli.fixes import decoded, difference, lines_of, mended, replace
from gavo_exec.errors import Diagnostic, Position, Severity

PATH = "/rds/x/q.rd"


def mend(line: int, column: int, length: int, fix: str | None, *, excerpt: str, path: str = PATH) -> Diagnostic:
    return Diagnostic(
        code="W608",
        message="m",
        severity=Severity.WARNING,
        position=Position(path=path, line=line, column=column),
        length=length,
        excerpt=excerpt,
        fix=fix,
    )


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize(
    ("mark", "encoding", "declaration"),
    [
        (b"", "utf-8", ""),
        (b"\xef\xbb\xbf", "utf-8", ""),
        (b"\xff\xfe", "utf-16-le", ""),
        (b"\xfe\xff", "utf-16-be", ""),
        (b"", "iso-8859-1", '<?xml version="1.0" encoding="iso-8859-1"?>'),
        (b"", "koi8-r", "<?xml version='1.0' encoding='koi8-r'?>"),
    ],
)
def test_all_but_the_mend_stays_byte_by_byte(ends: str, mark: bytes, encoding: str, declaration: str) -> None:
    letter = "ж" if encoding == "koi8-r" else "ä"
    lines = [declaration, f"{letter}: abc", "end", ""]
    data = mark + ends.join(lines).encode(encoding)
    after, count = mended(PATH, data, [mend(2, 4, 2, "XYZ", excerpt=lines[1])])
    assert (after, count) == (mark + ends.join([declaration, f"{letter}: XYZc", "end", ""]).encode(encoding), 1)


@pytest.mark.parametrize(
    ("diagnostics", "expected"),
    [
        ([], "one two\nthree"),
        ([mend(1, 1, 3, "1", excerpt="one two"), mend(1, 5, 3, "22222", excerpt="one two")], "1 22222\nthree"),
        ([mend(2, 1, 5, "3", excerpt="three"), mend(1, 1, 3, "1", excerpt="one two")], "1 two\n3"),
        ([mend(1, 1, 3, "1", excerpt="one two")] * 2, "1 two\nthree"),
        ([mend(1, 1, 5, "1", excerpt="one two"), mend(1, 4, 4, "2", excerpt="one two")], "1wo\nthree"),
        ([mend(1, 1, 4, "", excerpt="one two")], "two\nthree"),
        ([mend(1, 1, 3, None, excerpt="one two")], "one two\nthree"),
        ([mend(1, 1, 0, "1", excerpt="one two")], "one two\nthree"),
        ([mend(1, 1, 3, "1", excerpt="was another")], "one two\nthree"),
        ([mend(9, 1, 3, "1", excerpt="one two")], "one two\nthree"),
        ([mend(1, 1, 3, "1", excerpt="one two", path="/other.rd")], "one two\nthree"),
    ],
)
def test_mends_are_made_where_they_still_fit(diagnostics: list[Diagnostic], expected: str) -> None:
    assert mended(PATH, b"one two\nthree", diagnostics)[0] == expected.encode()


@pytest.mark.parametrize("data", [b"\xff\xff", b'<?xml version="1.0" encoding="utf-9"?>\n\xe4', b"\xc3"])
def test_what_cannot_be_decoded_is_left_alone(data: bytes) -> None:
    assert decoded(data) is None
    assert lines_of(PATH, data) == ()
    assert mended(PATH, data, [mend(1, 1, 1, "x", excerpt="x")]) == (data, 0)


def test_what_cannot_be_encoded_is_left_alone() -> None:
    data = b'<?xml version="1.0" encoding="iso-8859-1"?>\nabc'
    assert mended(PATH, data, [mend(2, 1, 1, "\N{SNOWMAN}", excerpt="abc")]) == (data, 0)


def test_a_difference_is_a_unified_diff() -> None:
    assert difference(PATH, b"a\nb\n", b"a\nc\n") == f"--- {PATH}\n+++ {PATH}\n@@ -1,3 +1,3 @@\n a\n-b\n+c\n \n"


def test_links_stay_links(tmp_path: Path) -> None:
    real, link = tmp_path / "real.rd", tmp_path / "link.rd"
    real.write_bytes(b"a")
    real.chmod(0o604)
    link.symlink_to(real)
    replace(str(link), b"b")
    assert link.is_symlink()
    assert real.read_bytes() == b"b"
    assert real.stat().st_mode & 0o7777 == 0o604


def test_the_file_is_another_one_so_that_readers_see_either_version(tmp_path: Path) -> None:
    path = tmp_path / "q.rd"
    path.write_bytes(b"a")
    with path.open("rb") as opened:
        replace(str(path), b"b")
        assert opened.read() == b"a"
    assert [found.name for found in tmp_path.iterdir()] == ["q.rd"]


def test_a_failure_leaves_the_file_and_nothing_beside_it(tmp_path: Path) -> None:
    folder = tmp_path / "q.rd"
    folder.mkdir()
    with pytest.raises(OSError, match="directory"):
        replace(str(folder), b"b")
    assert [found.name for found in tmp_path.iterdir()] == ["q.rd"]
