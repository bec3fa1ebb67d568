"""``check --fix``: what diagnostics say to write instead, brought into the files."""

import codecs
import difflib
import os
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from gavo_exec.descriptor.places import Lines
from gavo_exec.descriptor.source import declared_encoding
from gavo_exec.errors import Diagnostic

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


class FileText(NamedTuple):
    """A file's text, and how it becomes the file's bytes again."""

    text: str
    mark: bytes
    encoding: str

    def encoded(self, text: str) -> bytes:
        """Another text as this file would have it; raises UnicodeError."""
        return self.mark + text.encode(self.encoding)


def decoded(data: bytes) -> FileText | None:
    """The text of an RD's bytes; None where it would not come back as the same bytes."""
    marks = [(mark, encoding) for mark, encoding in _MARKS if data.startswith(mark)]
    for mark, encoding in (*marks, (b"", declared_encoding(data) or "utf-8")):
        with suppress(UnicodeError, LookupError):
            found = FileText(data[len(mark) :].decode(encoding), mark, encoding)
            if found.encoded(found.text) == data:
                return found
    return None


def lines_of(path: str, data: bytes) -> Sequence[str]:
    """The lines of an RD's bytes, as positions count them; none where they cannot be read."""
    found = decoded(data)
    return Lines(path, found.text).all if found is not None else ()


def mended(path: str, data: bytes, diagnostics: Iterable[Diagnostic]) -> tuple[bytes, int]:
    """The bytes with what the diagnostics say about this file written in, and how many mends that are.

    Of mends that overlap the first one is made; those for a text that is not there any more are left out.
    """
    before = decoded(data)
    if before is None:
        return data, 0
    lines = Lines(path, before.text)
    pieces: list[str] = []
    end = count = 0
    for start, stop, fix in sorted({_edit(lines, found) for found in diagnostics if _can_mend(path, lines, found)}):
        if start >= end:
            pieces += (before.text[end:start], fix)
            end = stop
            count += 1
    try:
        return before.encoded("".join([*pieces, before.text[end:]])), count
    except UnicodeError:
        return data, 0


def _can_mend(path: str, lines: Lines, found: Diagnostic) -> bool:
    """Whether a diagnostic has a mend, for this file as it is."""
    row = found.position.line - 1
    return (
        found.fix is not None
        and found.position.path == path
        and found.length > 0
        and row < len(lines.all)
        and lines.all[row] == found.excerpt
    )


def _edit(lines: Lines, found: Diagnostic) -> tuple[int, int, str]:
    """What is to be replaced, as offsets, and by what."""
    start = lines.offset(found.position.line, found.position.column)
    return start, start + found.length, found.fix or ""


def difference(path: str, before: bytes, after: bytes) -> str:
    """What changes, as a unified diff."""
    return "".join(
        f"{line}\n"
        for line in difflib.unified_diff(
            lines_of(path, before), lines_of(path, after), fromfile=path, tofile=path, lineterm=""
        )
    )


def replace(path: str, data: bytes) -> None:
    """Put these bytes into the file at once, or not at all; mode, owner and links stay as they are.

    Raises OSError.
    """
    real = Path(path).resolve()
    status = real.stat()
    # The name does not end in .rd, so that no daemon takes it for an RD.
    descriptor, name = tempfile.mkstemp(prefix=f".{real.name}.", suffix=".new", dir=real.parent)
    aside = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if (status.st_uid, status.st_gid) != (os.geteuid(), os.getegid()):
            with suppress(PermissionError):
                os.chown(aside, status.st_uid, status.st_gid)
        aside.chmod(status.st_mode & 0o7777)
        aside.replace(real)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise
