"""What is known of what was: who did what, and the code of executes as it was in the version that ran; pure values."""

import zlib
from datetime import datetime

import msgspec

from gavo_exec.errors import spelt_out
from gavo_exec.model import Code, Execute, Outcome, ResourceDescriptor


class Deed(msgspec.Struct, frozen=True, kw_only=True):
    """That somebody (``who``, '' where that is not known) did something.

    ``what`` is a verb: added, edited, removed (of an RD), triggered, cancelled, paused, resumed (of an execute, or all
    where ``about`` is ''), reloaded, started, stopped.  ``detail`` is what there is to add.
    """

    at: datetime
    who: str
    what: str
    about: str = ""
    detail: str = ""


class DayOfRuns(msgspec.Struct, frozen=True, kw_only=True):
    """How a day went for a job: how its last run ended, and how many went wrong."""

    outcome: Outcome
    bad: int


class Lines(msgspec.Struct, frozen=True, kw_only=True):
    """Consecutive code of an execute: the file it stood in, and its lines with their numbers there."""

    path: str
    lines: tuple[tuple[int, str], ...]


class PastExecute(msgspec.Struct, frozen=True, kw_only=True):
    """An execute as it was: its schedule in words, and its code, setup code first."""

    title: str
    schedule: str
    code: tuple[Lines, ...]

    @classmethod
    def of(cls, execute: Execute) -> "PastExecute":
        """The execute as it is now."""
        parts: tuple[Code, ...] = (*execute.job.setup, execute.job)
        code = tuple(
            Lines(path=part.position.path or execute.job.position.path, lines=tuple(part.numbered()))
            for part in parts
            if part.source.strip()
        )
        return cls(title=execute.title, schedule=execute.schedule.describe(), code=code)


def packed_version(rd: ResourceDescriptor) -> bytes:
    """The executes of an RD as bytes, for keeping."""
    version = {execute.key: PastExecute.of(execute) for execute in rd.executes}
    try:
        content = msgspec.json.encode(version)
    except UnicodeEncodeError:
        content = msgspec.json.encode(spelt_out(msgspec.to_builtins(version)))
    # Quickly rather than tightly: it is done while runs wait to be recorded.
    return zlib.compress(content, 1)


def unpacked_version(content: bytes) -> dict[str, PastExecute]:
    """The executes of an RD, by key, as they were; none where the bytes are damaged."""
    try:
        return msgspec.json.decode(zlib.decompress(content), type=dict[str, PastExecute])
    except (zlib.error, msgspec.MsgspecError, UnicodeDecodeError):
        return {}
