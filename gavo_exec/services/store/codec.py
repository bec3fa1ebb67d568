"""The values of the domain as rows of the state file, and back; columns stand as in ``queries.sql``."""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec

from gavo_exec.control import Pause
from gavo_exec.incidents import Incident, Name, Pace
from gavo_exec.model import Channel, LastStart, Outcome, QueuedMail, Reason, Run

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_REASONS: Final = {reason.value: reason for reason in Reason}
_CHANNELS: Final = {channel.value: channel for channel in Channel}
_OUTCOMES: Final[dict[str | None, Outcome | None]] = {None: None, **{outcome.value: outcome for outcome in Outcome}}

Row = tuple[Any, ...]

# SQLite takes neither lone surrogates nor, gladly, NULs; but paths may have the former and output the latter.
_ESCAPE: Final = "\x10"
_TO_ESCAPE: Final = re.compile("[\x00\x10\ud800-\udfff]")
_ESCAPED: Final = re.compile("\x10([0-9a-f]{4})")


def stored(*texts: str) -> tuple[str, ...]:
    """Texts as the file has them: NULs, lone surrogates and the escape itself as DLE and four hexadecimal digits."""
    joined = "".join(texts)
    if joined.isascii() and "\0" not in joined and _ESCAPE not in joined:
        return texts
    return tuple(_TO_ESCAPE.sub(lambda match: f"{_ESCAPE}{ord(match[0]):04x}", text) for text in texts)


def loaded(text: str) -> str:
    """A text as it was before ``stored``."""
    return _ESCAPED.sub(lambda match: chr(int(match[1], 16)), text) if _ESCAPE in text else text


def as_json(values: tuple[msgspec.Struct, ...]) -> str:
    """The values as JSON in ASCII, which may name lone surrogates as UTF-8 may not."""
    return json.dumps(msgspec.to_builtins(values))


def microseconds(at: datetime) -> int:
    """The instant as the file has it."""
    since = at - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def microseconds_or_none(at: datetime | None) -> int | None:
    """The instant as the file has it, if there is one."""
    return None if at is None else microseconds(at)


def instant(since_epoch: int) -> datetime:
    """The instant as it was before ``microseconds``."""
    return _EPOCH + timedelta(microseconds=since_epoch)


def instant_or_none(since_epoch: int | None) -> datetime | None:
    """The instant as it was before ``microseconds``, if there was one."""
    return None if since_epoch is None else instant(since_epoch)


def process_of(holder: str) -> str:
    """A holder, as stored, for people."""
    host, _, rest = loaded(holder).partition(" ")
    pid = rest.partition(" ")[0]
    return f"process {pid} on {host}" if pid.isdecimal() else f"process {loaded(holder)}"


def row_of_start(key: str, start: LastStart) -> Row:
    """A last start as a row of last_starts."""
    key, schedule = stored(key, start.schedule)
    return key, microseconds(start.at), schedule


def row_of_run(run: Run) -> Row:
    """A run as a row of runs."""
    run_id, key, title, host, digest, error, output = stored(
        run.run_id, run.key, run.title, run.host, run.digest, run.error, run.output
    )
    return (
        run_id,
        key,
        title,
        microseconds(run.due),
        run.reason.value,
        run.attempt,
        microseconds_or_none(run.started_at),
        microseconds_or_none(run.finished_at),
        None if run.outcome is None else run.outcome.value,
        run.returncode,
        host,
        digest,
        run.instants,
        error,
        output,
    )


def run_of(row: Row) -> Run:
    """A row of runs as a run."""
    return Run(
        run_id=loaded(row[0]),
        key=loaded(row[1]),
        title=loaded(row[2]),
        due=instant(row[3]),
        reason=_REASONS[row[4]],
        attempt=row[5],
        started_at=instant_or_none(row[6]),
        finished_at=instant_or_none(row[7]),
        outcome=_OUTCOMES[row[8]],
        returncode=row[9],
        host=loaded(row[10]),
        digest=loaded(row[11]),
        instants=row[12],
        error=loaded(row[13]),
        output=loaded(row[14]),
    )


def claimed_run_of(row: Row) -> Run:
    """A row of claims as a run that goes on."""
    return Run(
        run_id=loaded(row[1]),
        key=loaded(row[2]),
        title=loaded(row[3]),
        due=instant(row[4]),
        reason=_REASONS[row[5]],
        attempt=row[6],
        started_at=instant(row[7]),
        host=loaded(row[0]).partition(" ")[0],
        digest=loaded(row[8]),
    )


def row_of_incident(incident: Incident) -> Row:
    """An incident as a row of incidents."""
    return (*row_of_name(incident.name), json.dumps(msgspec.to_builtins(incident)))


def row_of_name(name: Name) -> Row:
    """What tells incidents apart, as the first columns of incidents."""
    kind, about, place = name
    return (kind.value, *stored(about, place))


def incident_of(row: Row) -> Incident:
    """A row of incidents as an incident."""
    return msgspec.convert(json.loads(row[0]), Incident)


def row_of_pace(recipients: tuple[str, ...], pace: Pace) -> Row:
    """A pace as a row of paces."""
    return json.dumps(recipients), json.dumps(msgspec.to_builtins(pace))


def pace_of(row: Row) -> tuple[tuple[str, ...], Pace]:
    """A row of paces as a pace, and whose that is."""
    return tuple(json.loads(row[0])), msgspec.convert(json.loads(row[1]), Pace)


def row_of_pause(pause: Pause) -> Row:
    """A pause as a row of pauses."""
    key, note, who = stored(pause.key, pause.note, pause.who)
    return key, microseconds(pause.since), microseconds_or_none(pause.until), note, who


def pause_of(row: Row) -> Pause:
    """A row of pauses as a pause."""
    key, since, until, note, who = row
    return Pause(
        key=loaded(key), since=instant(since), until=instant_or_none(until), note=loaded(note), who=loaded(who)
    )


def mail_of(row: Row) -> QueuedMail:
    """A row of outbox as a mail."""
    return QueuedMail(
        mail_id=row[0],
        subject=loaded(row[1]),
        content=row[2],
        queued_at=instant(row[3]),
        attempts=row[4],
        next_attempt_at=instant_or_none(row[5]),
        delivered_at=instant_or_none(row[6]),
        failed_at=instant_or_none(row[7]),
        error=loaded(row[8]),
        channel=_CHANNELS[row[9]],
        about=loaded(row[10]),
        target=loaded(row[11]),
    )
