"""What the daemon and single runs are made of, by the settings: state directory, store, mailer and guard."""

import fcntl
import itertools
import logging
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, timedelta
from pathlib import Path

from gavo_exec import __version__
from gavo_exec.catalog import Catalog
from gavo_exec.elements.portable import parse_property
from gavo_exec.errors import DamagedStateError, GavoExecError, StoreError
from gavo_exec.incidents import Incident, Kind
from gavo_exec.model import REMINDERS, Channel, Execute, rd_id_of
from gavo_exec.ports import Clock, Listener, Mailer, Runner
from gavo_exec.runtime.bus import Bus
from gavo_exec.runtime.deadlines import Deadlines
from gavo_exec.runtime.executing import JobLoader
from gavo_exec.runtime.guard import Guard
from gavo_exec.runtime.process import is_alive, process_holder
from gavo_exec.services.mail import MailPolicy, Masker, secrets_in
from gavo_exec.services.postman import (
    Carry,
    CommandCarrier,
    Heartbeat,
    MaildirMailer,
    PingCarrier,
    SendmailMailer,
    SMTPMailer,
    WebhookCarrier,
    by_mail,
)
from gavo_exec.services.store import SQLiteStore
from gavo_exec.services.store.damage import mend
from gavo_exec.services.store.retention import Retention
from gavo_exec.services.store.upkeep import Upkeep
from gavo_exec.settings import Settings

STATE_FILE = "state.sqlite"
LOCK_FILE = "daemon.lock"

_log = logging.getLogger("gavo_exec")

CHILD_OUTPUT_BYTES = 64 * 1024
"""How much of one child's output is kept for what is said about that child; the run's output has all of it anyway."""


def make_guard(settings: Settings, loader: JobLoader, *, clock: Clock, bus: Bus, deadlines: Deadlines) -> Guard:
    """The guard of these settings' runs."""
    return Guard(
        loader.prepare,
        clock=clock,
        publish=bus.publish,
        host=settings.host,
        output_limit_bytes=settings.output_limit_bytes,
        deadlines=deadlines,
    )


def open_store(settings: Settings) -> SQLiteStore:
    """The state file of these settings, made where it is not there yet; raises StoreError."""
    make_state_dir(settings.state_dir)
    return SQLiteStore(Path(settings.state_dir, STATE_FILE), holder=process_holder(), is_alive=is_alive)


def open_own_store(settings: Settings, clock: Clock, *, was_cut_off: bool) -> tuple[SQLiteStore, str]:
    """The same for the daemon, which has the state for itself: what is damaged is kept aside, and a fresh one begun.

    Where the process before it ``was_cut_off``, the file is looked at as a whole.  Answers, too, what is to be said, if
    it was damaged; raises StoreError.
    """
    path = f"{settings.state_dir}/{STATE_FILE}"
    said = ""
    try:
        store = open_store(settings)
        if was_cut_off:
            try:
                store.check()
            except DamagedStateError:
                store.close()
                raise
    except DamagedStateError:
        said = mend(path, now=clock.now())
        store = open_store(settings)
    store.on_damage = lambda damaged: mend(damaged, now=clock.now())
    return store, said


def make_mailer(settings: Settings, runner: Runner) -> Mailer:
    """What delivers mail by these settings: an SMTP server, a sendmail command, or a Maildir."""
    match settings.transport:
        case "smtp":
            return SMTPMailer(
                host=settings.smtp_host,
                port=settings.smtp_port,
                security=settings.smtp_security,
                user=settings.smtp_user,
                password=settings.read_smtp_password(),
                timeout=timedelta(seconds=settings.smtp_timeout_seconds),
            )
        case "sendmail":
            return SendmailMailer(settings.sendmail_argv, runner)
        case _:
            return MaildirMailer(settings.maildir)


def make_carriers(settings: Settings, runner: Runner, *, mailer: Mailer, clock: Clock) -> dict[Channel, Carry]:
    """What delivers by each of the channels that these settings have."""
    carriers: dict[Channel, Carry] = {Channel.MAIL: by_mail(mailer), Channel.PING: PingCarrier(clock)}
    if settings.webhook_url:
        secret = settings.read_webhook_secret()
        carriers[Channel.WEBHOOK] = WebhookCarrier(settings.webhook_url, secret, host=settings.host, clock=clock)
    if settings.notify_command:
        carriers[Channel.COMMAND] = CommandCarrier(settings.notify_argv, runner)
    return carriers


def mail_policy(settings: Settings) -> MailPolicy:
    """Whom to write to, as whom, and how."""
    reminders = settings.defaults.get("mail.remind")
    return MailPolicy(
        host=settings.host,
        sender=settings.mail_from,
        recipients=tuple(settings.mail_to),
        per_hour=settings.mail_per_hour,
        dashboard_url=settings.dashboard_url,
        secret_names=settings.secret_names,
        reminders=REMINDERS if reminders is None else parse_property("mail.remind", reminders),
    )


def make_masker(settings: Settings, environ: Mapping[str, str]) -> Masker:
    """What hides the secrets of these settings and of the environment."""
    own = (settings.read_smtp_password(), settings.read_webhook_secret())
    return Masker((*own, *secrets_in(environ, settings.secret_names)))


def other_channels(settings: Settings) -> list[Channel]:
    """The channels by which all that is mailed is told, too."""
    wanted = {Channel.WEBHOOK: settings.webhook_url, Channel.COMMAND: settings.notify_command}
    return [channel for channel, target in wanted.items() if target]


def make_heartbeat(settings: Settings, *, is_well: Callable[[], bool]) -> Heartbeat | None:
    """What lets somebody else know that the daemon is well, if that is wanted."""
    if not settings.heartbeat_url:
        return None
    return Heartbeat(settings.heartbeat_url, every=timedelta(seconds=settings.heartbeat_seconds), is_well=is_well)


def make_traces(settings: Settings) -> Listener | None:
    """What sends a trace of each run, if that is wanted; raises GavoExecError where what it needs is not installed."""
    if not settings.otlp_endpoint:
        return None
    try:
        from gavo_exec.services.traces import TraceListener
    except ModuleNotFoundError as fault:
        raise GavoExecError(
            f"otlp_endpoint needs what is not installed ({fault.name}): pip install 'gavo-exec[otel]'"
        ) from None
    return TraceListener(settings.otlp_endpoint, host=settings.host, version=__version__)


def find_execute(catalog: Catalog, key: str) -> Execute | None:
    """The execute that has this key now."""
    found = catalog.find(key)
    return found[1] if found is not None else None


def is_there(incident: Incident, catalog: Catalog) -> bool:
    """Whether what an incident is about is there still; nothing is known of that while no RD has been read."""
    rd_id = rd_id_of(incident.about)
    if rd_id in catalog.rejected or not (catalog.accepted or catalog.rejected):
        return True
    return incident.kind is not Kind.RD and catalog.find(incident.about) is not None


def make_upkeep(settings: Settings, *, clock: Clock, is_busy: Callable[[], bool]) -> Upkeep:
    """What keeps the state file in bounds."""
    retention = Retention(
        good_for=timedelta(days=settings.history_days),
        bad_for=timedelta(days=settings.history_failed_days),
        most_runs=settings.history_runs,
        most_bytes=settings.history_bytes,
    )
    return Upkeep(f"{settings.state_dir}/{STATE_FILE}", retention=retention, clock=clock, is_busy=is_busy)


def make_run_ids(clock: Clock) -> Iterator[str]:
    """Ids for the runs of this process: short, never the same twice, in order of time."""
    stamp = f"{clock.now().astimezone(UTC):%y%m%d%H%M%S}-{os.getpid():x}"
    return map(f"{stamp}-{{}}".format, itertools.count(1))


def is_running(state_dir: str) -> bool:
    """Whether a daemon is at work on this state directory."""
    # The lock itself is not tried: a daemon that starts at this moment would find it taken.
    try:
        return is_alive(Path(state_dir, LOCK_FILE).read_text(encoding="ascii"))
    except (OSError, UnicodeDecodeError):
        return False


@contextmanager
def lock(state_dir: str) -> Iterator[bool]:
    """Hold the state directory for this process; answers whether the one before it was cut off.

    Raises GavoExecError where another has it.
    """
    make_state_dir(state_dir)
    with open(Path(state_dir, LOCK_FILE), "a+", encoding="ascii", opener=_private) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.seek(0)
            raise GavoExecError(
                f"{state_dir}: another daemon uses this state directory ({file.read().strip() or 'unknown'}); "
                "stop it, or name another as state_dir"
            ) from None
        file.seek(0)
        was_cut_off = bool(file.read())
        file.truncate(0)
        file.write(process_holder())
        file.flush()
        try:
            yield was_cut_off
        finally:
            file.truncate(0)


def _private(path: str, flags: int) -> int:
    """Open a file that, if it is new, is its owner's alone."""
    return os.open(path, flags, 0o600)


def make_state_dir(state_dir: str) -> None:
    """Make the state directory, for this user alone, where it is not there; raises StoreError."""
    try:
        Path(state_dir).mkdir(mode=0o700, parents=True, exist_ok=True)
        status = os.stat(state_dir)  # noqa: PTH116 -- paths are strings in this house
        if status.st_uid == os.geteuid() and status.st_mode & 0o077:
            Path(state_dir).chmod(0o700)
            _log.warning("%s was open to others, and is not any more: mails and output may be confidential", state_dir)
    except OSError as fault:
        raise StoreError(
            f"{state_dir}: the state directory cannot be made: {fault.strerror}; name another as state_dir"
        ) from None
