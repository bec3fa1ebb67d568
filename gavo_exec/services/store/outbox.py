"""What goes wrong, and what is told of it: incidents, paces, and the outbox."""

from datetime import datetime
from email.message import EmailMessage

from gavo_exec.incidents import Incident, Name, Pace
from gavo_exec.model import Channel, QueuedMail
from gavo_exec.services.store import codec
from gavo_exec.services.store.file import QUERIES
from gavo_exec.services.store.notes import Notes


class Outbox(Notes):
    """The part of the store that mails are about."""

    def put_mail(self, message: EmailMessage, *, now: datetime, about: str = "") -> None:
        """Put a mail, as it is now, into the outbox with the next flush."""
        content = message.as_bytes(policy=message.policy.clone(linesep="\n"))
        self._put(Channel.MAIL, str(message.get("Subject", "")), content, about=about, target="", now=now)

    def put_call(
        self, channel: Channel, subject: str, content: bytes, *, now: datetime, about: str = "", target: str = ""
    ) -> None:
        """Put what goes by another channel into the outbox with the next flush; a ping replaces those that wait."""
        if channel is Channel.PING:
            self._pending.append(("drop_pings", codec.stored(about)))
        self._put(channel, subject, content, about=about, target=target, now=now)

    def _put(self, channel: Channel, subject: str, content: bytes, *, about: str, target: str, now: datetime) -> None:
        at = codec.microseconds(now)
        self._pending.append(("put_mail", (channel.value, *codec.stored(about, target, subject), content, at, at)))

    def mails(self, *, limit: int = 100) -> list[QueuedMail]:
        """The latest mails, newest first, delivered ones among them."""
        return [codec.mail_of(row) for row in self._read("mails", (limit,))]

    def mail(self, mail_id: int) -> QueuedMail | None:
        """One mail."""
        return next((codec.mail_of(row) for row in self._read("mail", (mail_id,))), None)

    def due_mail(self, now: datetime, channel: Channel = Channel.MAIL) -> QueuedMail | None:
        """What has waited longest for its next try by a channel, if anything is due."""
        rows = self._read("due_mail", (channel.value, codec.microseconds(now)))
        return next((codec.mail_of(row) for row in rows), None)

    def next_mail_at(self, channel: Channel = Channel.MAIL) -> datetime | None:
        """When the next mail is to be tried by a channel; None where none waits."""
        [(at,)] = self._read("next_mail_at", (channel.value,))
        return codec.instant_or_none(at)

    def undelivered(self) -> dict[Channel, tuple[int, int]]:
        """By channel how many wait to be delivered, and how many were given up."""
        return {Channel(channel): (waiting, given_up) for channel, waiting, given_up in self._read("undelivered")}

    def oldest_undelivered_at(self) -> datetime | None:
        """Since when what waits longest to be delivered does; None where nothing waits."""
        [(at,)] = self._read("oldest_undelivered")
        return codec.instant_or_none(at)

    def hasten_mails(self, *, now: datetime) -> None:
        """Let all mails that wait for their next try be due."""
        with self._writing() as db:
            db.execute(QUERIES["hasten_mails"], (codec.microseconds(now),))

    def hasten_mail(self, mail_id: int, *, now: datetime) -> None:
        """Let a mail be due that waits or was given up."""
        with self._writing() as db:
            db.execute(QUERIES["hasten_mail"], (codec.microseconds(now), mail_id))

    def mail_delivered(self, mail_id: int, *, now: datetime) -> None:
        """Note that a mail was taken; of pings nothing is kept."""
        with self._writing() as db:
            db.execute(QUERIES["mail_delivered"], (codec.microseconds(now), mail_id))
            db.execute(QUERIES["drop_delivered_ping"], (mail_id,))

    def mail_failed(self, mail_id: int, *, error: str, retry_at: datetime | None, now: datetime) -> None:
        """Note that a mail was not taken, and when to try again (None: never)."""
        failed_at = codec.microseconds(now) if retry_at is None else None
        with self._writing() as db:
            row = (codec.microseconds_or_none(retry_at), failed_at, *codec.stored(error), mail_id)
            db.execute(QUERIES["mail_failed"], row)

    # Incidents

    def incidents(self) -> list[Incident]:
        """What goes wrong at present, in the order in which it began."""
        return [codec.incident_of(row) for row in self._read("incidents")]

    def put_incident(self, incident: Incident) -> None:
        """Remember, with the next flush, how an incident stands."""
        self._pending.append(("put_incident", codec.row_of_incident(incident)))

    def clear_incident(self, name: Name) -> None:
        """Forget, with the next flush, an incident."""
        self._pending.append(("clear_incident", codec.row_of_name(name)))

    def paces(self) -> dict[tuple[str, ...], Pace]:
        """How fast mails go, by recipients."""
        return dict(map(codec.pace_of, self._read("paces")))

    def put_pace(self, recipients: tuple[str, ...], pace: Pace) -> None:
        """Remember, with the next flush, how fast mails go to these."""
        self._pending.append(("put_pace", codec.row_of_pace(recipients, pace)))
