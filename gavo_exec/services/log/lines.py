"""How log lines are written: for people, for the journal, or as JSON; no reader of them holds anybody up."""

import atexit
import logging
import os
import sys
import threading
import time
import traceback
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from queue import Empty, SimpleQueue
from typing import IO, Final, Literal

import msgspec

from gavo_exec.events import Event
from gavo_exec.services.log.fields import fields_of
from gavo_exec.services.log.texts import LINE_LIMIT, one_line

_MOST_WAITING: Final = 10_000
"""How many lines may wait for whoever reads them; more are lost, and counted."""

_log = logging.getLogger("gavo_exec")

_PRIORITIES = ((logging.CRITICAL, 2), (logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6))
"""The journal's priorities, as sd-daemon(3) has them; 7 for what is below."""


def configure(
    format: Literal["plain", "json"] = "plain",
    stream: IO[str] | None = None,
    *,
    level: int = logging.INFO,
    to_journal: bool = False,
    apart: bool = False,
) -> None:
    """Write what this program logs to a stream (standard error unless given), in place of where it went before.

    A line is ``2026-11-23 07:30:00Z INFO message``, in UTC, or a JSON object; for the journal, a priority and either
    the message or that object.  With ``apart`` a thread writes them, so that nobody waits for the reader.
    """
    close()
    writer = _Writer(stream if stream is not None else sys.stderr, is_apart=apart)
    handler = _LineHandler(writer, has_priorities=to_journal)
    if format == "json":
        handler.setFormatter(JSONFormatter())
    else:
        handler.setFormatter(JournalFormatter() if to_journal else PlainFormatter())
    _log.addHandler(handler)
    _log.setLevel(level)
    _log.propagate = False
    if apart:
        atexit.register(close)


def close(seconds: float = 2.0) -> None:
    """Let what was logged be written, as far as somebody reads it within that time, and log nowhere any more."""
    for handler in _log.handlers[:]:
        if isinstance(handler, _LineHandler):
            _log.removeHandler(handler)
            handler.writer.stop(seconds)


def is_journal(stream: IO[str], environ: Mapping[str, str]) -> bool:
    """Whether a stream is the journal's, as systemd.exec(5) says of $JOURNAL_STREAM."""
    try:
        found = os.fstat(stream.fileno())
    except (OSError, ValueError):
        return False
    return environ.get("JOURNAL_STREAM") == f"{found.st_dev}:{found.st_ino}"


class PlainFormatter(logging.Formatter):
    """``2026-11-23 07:30:00Z INFO message``; tracebacks follow, indented, so that no line of one looks like another."""

    def __init__(self) -> None:
        super().__init__()
        self._second, self._stamp = -1, ""

    def format(self, record: logging.LogRecord) -> str:
        """The line for a record."""
        second = int(record.created)
        if second != self._second:
            self._stamp = time.strftime("%Y-%m-%d %H:%M:%SZ", time.gmtime(second))
            self._second = second
        line = f"{self._stamp} {record.levelname} {_message(record)}"
        return "\n    ".join([line, *_traceback(record)]) if record.exc_info else line


class JSONFormatter(logging.Formatter):
    """A JSON object a line: ``at``, ``level``, ``message``, and what there is to say of the event."""

    def format(self, record: logging.LogRecord) -> str:
        """The line for a record."""
        fields = {
            "at": datetime.fromtimestamp(record.created, UTC),
            "level": record.levelname.lower(),
            "message": _message(record),
        }
        event: Event | None = getattr(record, "event", None)
        if event is not None:
            fields |= {"event": type(event).__name__, **fields_of(event)}
        elif record.exc_info:
            fields["traceback"] = _traceback(record)
        return msgspec.json.encode(fields).decode()


def _message(record: logging.LogRecord) -> str:
    try:
        return one_line(record.getMessage(), LINE_LIMIT)
    except Exception:
        return one_line(f"{record.msg!r} {record.args!r}", LINE_LIMIT)


def _traceback(record: logging.LogRecord) -> list[str]:
    if not record.exc_info or record.exc_info[0] is None:
        return []
    lines = "".join(traceback.format_exception(*record.exc_info)).splitlines()
    return [one_line(line) for line in lines[-200:]]


class JournalFormatter(logging.Formatter):
    """The message and a traceback's lines; the handler gives each its priority, and the journal has the time."""

    def format(self, record: logging.LogRecord) -> str:
        """The lines for a record."""
        return "\n    ".join([_message(record), *_traceback(record)])


class _Writer:
    """Writes lines as long as somebody reads them; a log that is gone is no reason to stop, or to complain into it."""

    def __init__(self, stream: IO[str], *, is_apart: bool) -> None:
        self._stream = stream
        self._lines: SimpleQueue[str | None] = SimpleQueue()
        self._lost = 0
        self._thread: threading.Thread | None = None
        self._descriptor: int | None = None
        if is_apart:
            # Past the stream, whose lock must not be held by a thread that waits for a reader while Python ends.
            with suppress(OSError, ValueError):
                self._descriptor = stream.fileno()
            thread = threading.Thread(target=self._work, name="log", daemon=True)
            with suppress(RuntimeError):  # where no thread can be made, whoever logs writes
                thread.start()
                self._thread = thread

    def write(self, text: str) -> None:
        """Write a text that ends in a line feed, now or soon."""
        if self._thread is None:
            self._write(text)
        elif self._lines.qsize() < _MOST_WAITING:
            self._lines.put(text)
        else:
            self._lost += 1

    def stop(self, seconds: float) -> None:
        """Write what waits, for at most so long."""
        if self._thread is not None:
            self._lines.put(None)
            self._thread.join(seconds)

    def _work(self) -> None:
        batch: list[str | None] = [""]
        while batch[-1] is not None:
            batch = [self._lines.get()]
            with suppress(Empty):  # what waits already is written in one go
                while batch[-1] is not None and len(batch) < 100:
                    batch.append(self._lines.get_nowait())
            self._write("".join(filter(None, batch)))
            if self._lost and self._lines.empty():
                lost, self._lost = self._lost, 0
                self._write(f"{lost} lines of the log were lost, since nobody read them in time\n")

    def _write(self, text: str) -> None:
        try:
            if self._descriptor is not None:
                data = text.encode("utf-8", "backslashreplace")
                while data:
                    data = data[os.write(self._descriptor, data) :]
                return
            try:
                self._stream.write(text)
            except UnicodeEncodeError:
                self._stream.write(text.encode("ascii", "backslashreplace").decode())
            self._stream.flush()
        except Exception:  # noqa: S110 -- there is nowhere left to say so
            pass


class _LineHandler(logging.Handler):
    """Gives lines to a writer."""

    def __init__(self, writer: _Writer, *, has_priorities: bool) -> None:
        super().__init__()
        self.writer = writer
        self._has_priorities = has_priorities

    def emit(self, record: logging.LogRecord) -> None:
        """Write the line for a record."""
        try:
            text = f"{self.format(record)}\n"
            if self._has_priorities:
                priority = next((number for level, number in _PRIORITIES if record.levelno >= level), 7)
                text = "".join(f"<{priority}>{line}" for line in text.splitlines(keepends=True))
            self.writer.write(text)
        except Exception:
            self.handleError(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 -- logging's name
        """Nothing: there is nowhere left to say so."""
