"""How log lines are written: on a thread of their own, for the journal, for readers that are slow or gone."""

import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from gavo_exec.services.log import lines

_log = logging.getLogger("gavo_exec")


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    before = _log.propagate, _log.level
    yield
    lines.close()
    _log.propagate, level = before
    _log.setLevel(level)


def test_a_thread_writes_all_before_the_end(tmp_path: Path) -> None:
    path = tmp_path / "log"
    with path.open("w") as stream:
        lines.configure(stream=stream, apart=True)
        for number in range(5000):
            _log.info("line %d", number)
        lines.close()
    written = path.read_text().splitlines()
    assert len(written) == 5000
    assert written[-1].endswith("INFO line 4999")


def test_what_nobody_reads_is_lost_in_the_end_and_counted() -> None:
    read_end, write_end = os.pipe()
    with os.fdopen(write_end, "w") as stream, os.fdopen(read_end, "rb") as reader:
        lines.configure(stream=stream, apart=True)
        for number in range(30_000):  # a pipe holds 64 kB, the queue ten thousand lines
            _log.info("line %d", number)
        os.set_blocking(read_end, True)
        read = b""
        while b"were lost" not in read:
            read += os.read(reader.fileno(), 65_536)
        kept = read.count(b"INFO line")
        assert f"\n{30_000 - kept} lines of the log were lost, since nobody read them in time\n".encode() in read
        assert 10_000 <= kept < 30_000


def test_a_reader_that_is_gone_is_no_fault() -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)
    with os.fdopen(write_end, "w") as stream:
        lines.configure(stream=stream, apart=True)
        _log.error("nobody hears this")
        lines.close()


@pytest.mark.parametrize(
    ("level", "priority"),
    [
        (logging.CRITICAL, 2),
        (logging.ERROR, 3),
        (logging.WARNING, 4),
        (logging.INFO, 6),
        (logging.DEBUG, 7),
    ],
)
def test_the_journal_gets_a_priority_for_each_line(tmp_path: Path, level: int, priority: int) -> None:
    path = tmp_path / "log"
    with path.open("w") as stream:
        lines.configure(stream=stream, level=logging.DEBUG, to_journal=True)
        _log.log(level, "it failed", exc_info=ValueError("why"))
        lines.close()
    first, *more = path.read_text().splitlines()
    assert first == f"<{priority}>it failed"
    assert more == [f"<{priority}>    ValueError: why"]


def test_json_for_the_journal_is_an_object_after_the_priority(tmp_path: Path) -> None:
    path = tmp_path / "log"
    with path.open("w") as stream:
        lines.configure("json", stream, to_journal=True)
        _log.warning("so it is")
        lines.close()
    assert path.read_text().startswith('<4>{"at":"20')


def test_the_journal_is_known_by_what_systemd_says_of_it(tmp_path: Path) -> None:
    with (tmp_path / "log").open("w") as stream:
        status = os.fstat(stream.fileno())
        assert lines.is_journal(stream, {"JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino}"})
        assert not lines.is_journal(stream, {"JOURNAL_STREAM": f"{status.st_dev}:1"})
        assert not lines.is_journal(stream, {})
