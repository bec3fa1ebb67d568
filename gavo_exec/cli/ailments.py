"""What the doctor looks at, one function for each; nothing is changed by any of them."""

import os
import resource
import shutil
import stat
import sys
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from gavo_exec import __version__
from gavo_exec.cli.output import clean, counted, instant, length
from gavo_exec.control import NoDaemonError, RefusedError
from gavo_exec.errors import DeliveryError, Severity
from gavo_exec.settings import Settings

_LEAST_FREE_BYTES = 200 << 20
_LEAST_FREE_FILES = 1000
_LEAST_DESCRIPTORS = 1024
_NETWORK = ("nfs", "cifs", "smb", "fuse.sshfs", "9p", "afs", "ceph", "gluster")
_BUILT = datetime(2026, 11, 1, tzinfo=UTC)
"""Before this program was written no clock is right."""


def _says(description: str) -> Meta:
    return Meta(description=description)


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What the doctor has found."""

    subject: Annotated[str, _says("What it is about, in a word or two.")]
    verdict: Annotated[
        Literal["good", "note", "bad"],
        _says("`good`, all is well; `note`, that may be meant, or not; `bad`, something is to be done."),
    ]
    message: Annotated[str, _says("What is so; the wording may change.")]
    advice: Annotated[str, _says("What to do about it; empty where there is nothing to do.")] = ""


Check = Callable[[Settings], Iterable[Finding]]


def name_of(check: Check) -> str:
    """What a check is about."""
    return getattr(check, "__name__", "check").removeprefix("look_at_").replace("_", " ")


def look_at_version(_: Settings) -> Iterator[Finding]:
    """What runs here."""
    python = ".".join(map(str, sys.version_info[:3]))
    yield Finding(subject="version", verdict="good", message=f"gavo-exec {__version__}, Python {python}")


def look_at_daemon(settings: Settings) -> Iterator[Finding]:
    """Whether a daemon runs and answers."""
    from gavo_exec.cli.asking import client_of
    from gavo_exec.parts import is_running

    try:
        status = client_of(settings).status()
    except NoDaemonError as fault:
        if is_running(settings.state_dir):
            advice = "wait until it says that it is ready; then look into its log for the control socket"
            yield Finding(subject="daemon", verdict="bad", message=f"one runs, but: {fault}", advice=advice)
        else:
            message = f"none runs on {settings.state_dir}"
            advice = "start it: gavo-exec serve, or systemctl start gavo-exec"
            yield Finding(subject="daemon", verdict="note", message=message, advice=advice)
    except RefusedError as fault:
        advice = "look into its log; if it does not come round, restart it"
        yield Finding(subject="daemon", verdict="bad", message=str(fault), advice=advice)
    else:
        up = length(status.now - status.started_at)
        message = f"process {status.pid}, up {up}, {counted(status.jobs, 'job')}"
        yield Finding(subject="daemon", verdict="good", message=message)
        if status.version != __version__:
            message = f"the daemon is of version {status.version}, this command of {__version__}"
            yield Finding(subject="daemon", verdict="note", message=message, advice="restart the daemon")


def look_at_user(settings: Settings) -> Iterator[Finding]:
    """Whether jobs run as somebody who may do anything."""
    if os.geteuid() == 0 and not settings.user:
        message = "jobs of a daemon that is started like this run as root"
        advice = "give it a user of its own: User= in the unit, or the setting user"
        yield Finding(subject="user", verdict="note", message=message, advice=advice)


def look_at_state_directory(settings: Settings) -> Iterator[Finding]:
    """Whether the state is where it may be, and nobody else's business."""
    from gavo_exec.runtime.mounts import read_mounts

    path, subject = settings.state_dir, "state directory"
    try:
        status = os.stat(path)  # noqa: PTH116 -- paths are strings in this house
    except FileNotFoundError:
        yield Finding(subject=subject, verdict="good", message=f"{path} is not there yet; the daemon makes it")
        return
    if status.st_uid != os.geteuid() and os.geteuid() != 0:
        advice = "run gavo-exec as its owner, or name another as state_dir"
        yield Finding(subject=subject, verdict="bad", message=f"{path} is another user's", advice=advice)
        return
    if not os.access(path, os.W_OK | os.X_OK):
        message = f"{path} cannot be written to"
        yield Finding(subject=subject, verdict="bad", message=message, advice=f"chmod u+rwx {path}")
    if (mode := stat.S_IMODE(status.st_mode)) & 0o077:
        message = f"{path} is open to others ({mode:04o}); mails and output may be confidential"
        yield Finding(subject=subject, verdict="bad", message=message, advice=f"chmod 700 {path}")
    kind = read_mounts().kind_of(os.path.realpath(path))
    if kind.startswith(_NETWORK):
        message = f"{path} is on a network file system ({kind}), where SQLite is not safe"
        advice = "put it on a local disk: state_dir in the settings file"
        yield Finding(subject=subject, verdict="bad", message=message, advice=advice)
    else:
        yield Finding(subject=subject, verdict="good", message=f"{path}{f', on {kind}' if kind else ''}")


def look_at_state_file(settings: Settings) -> Iterator[Finding]:
    """Whether the state can be read, and how much is in it."""
    from gavo_exec.cli.state import opened_store

    with opened_store(settings) as store:
        runs = store.runs(limit=1)
        size = os.path.getsize(settings.state_file) if os.path.exists(settings.state_file) else 0  # noqa: PTH202, PTH110
        last = f", the last run ended {instant(runs[0].finished_at)} UTC" if runs and runs[0].finished_at else ""
        yield Finding(subject="state file", verdict="good", message=f"{size / (1 << 20):.1f} MB{last}")
        for channel, (_, given_up) in store.undelivered().items():
            if given_up:
                message = f"{given_up} could not be delivered by {channel.value}, and are given up"
                advice = "see why: gavo-exec mail list; try again: gavo-exec mail flush ID"
                yield Finding(subject="mail", verdict="bad", message=message, advice=advice)


def look_at_disk(settings: Settings) -> Iterator[Finding]:
    """Whether there is room for what is to come."""
    path = settings.state_dir
    while not os.path.isdir(path):  # noqa: PTH112 -- a string
        path = os.path.dirname(path)  # noqa: PTH120
    found = os.statvfs(path)
    free, files = found.f_bavail * found.f_frsize, found.f_favail
    message = f"{free / (1 << 30):.1f} GB free where the state is"
    if free < _LEAST_FREE_BYTES:
        advice = "make room: without it no run is recorded and no mail is kept"
        yield Finding(subject="disk", verdict="bad", message=message, advice=advice)
    elif found.f_files and files < _LEAST_FREE_FILES:
        message = f"room for {files} more files where the state is"
        yield Finding(subject="disk", verdict="bad", message=message, advice="remove files there")
    else:
        yield Finding(subject="disk", verdict="good", message=message)


def look_at_mail(settings: Settings) -> Iterator[Finding]:
    """Whether mails would leave."""
    from gavo_exec.parts import mail_policy, make_mailer
    from gavo_exec.runtime.process import ProcessRunner
    from gavo_exec.services.mail.envelope import unusable_addresses
    from gavo_exec.services.postman import SMTPMailer

    for address in unusable_addresses(mail_policy(settings)):
        advice = "write jo@example.org, or Jo Doe <jo@example.org>"
        yield Finding(subject="mail", verdict="bad", message=f"{address!r} is no mail address", advice=advice)
    match settings.transport:
        case "smtp":
            mailer = make_mailer(settings, ProcessRunner(output_limit_bytes=1024))
            assert isinstance(mailer, SMTPMailer)  # noqa: S101 -- by its transport
            try:
                yield Finding(subject="mail", verdict="good", message=mailer.greet())
            except DeliveryError as fault:
                advice = "when it is mended: gavo-exec mail test"
                yield Finding(subject="mail", verdict="bad", message=str(fault), advice=advice)
        case "sendmail":
            program = settings.sendmail_argv[0] if settings.sendmail_argv else ""
            if shutil.which(program):
                yield Finding(subject="mail", verdict="good", message=f"by {settings.sendmail}")
            else:
                message = f"{program}: there is no such program"
                advice = "install what brings it (an MTA), or set smtp_host"
                yield Finding(subject="mail", verdict="bad", message=message, advice=advice)
        case _:
            message = f"no mail server is set up: mails go to {settings.maildir}"
            advice = "set smtp_host (or sendmail) and mail_to, unless somebody reads them there"
            yield Finding(subject="mail", verdict="note", message=message, advice=advice)


def look_at_clock(settings: Settings) -> Iterator[Finding]:
    """Whether the clock can be right."""
    from gavo_exec.cli.state import opened_store
    from gavo_exec.runtime.clock import SystemClock

    now = SystemClock().now()
    with opened_store(settings) as store:
        runs = store.runs(limit=1)
    last = runs[0].finished_at if runs else None
    advice = "set it, and have it kept: timedatectl set-ntp true"
    if now < _BUILT:
        message = f"it says {instant(now)} UTC, before this program was written"
        yield Finding(subject="clock", verdict="bad", message=message, advice=advice)
    elif last is not None and last > now + timedelta(minutes=5):
        message = f"it says {instant(now)} UTC, but a run is recorded that ended {instant(last)} UTC"
        yield Finding(subject="clock", verdict="bad", message=message, advice=advice)
    elif _is_synchronised() is False:
        message = f"{instant(now)} UTC; the system does not know it to be right"
        yield Finding(subject="clock", verdict="note", message=message, advice="timedatectl set-ntp true")
    else:
        yield Finding(subject="clock", verdict="good", message=f"{instant(now)} UTC")


def _is_synchronised() -> bool | None:
    """Whether the kernel's clock is kept by somebody, as systemd knows it; None where there is no telling."""
    if not Path("/run/systemd/timesync").is_dir():
        return None
    return Path("/run/systemd/timesync/synchronized").exists()


def look_at_zones(_: Settings) -> Iterator[Finding]:
    """Whether time zones are known, and from when."""
    import zoneinfo
    from importlib.metadata import version

    zone = zoneinfo.ZoneInfo("Europe/Berlin")
    offset = zone.utcoffset(datetime(2026, 7, 1, tzinfo=zone))
    count = len(zoneinfo.available_timezones())
    if offset != timedelta(hours=2):
        message = f"Europe/Berlin is at {offset} in summer, which is wrong"
        advice = "install tzdata anew: apt install --reinstall tzdata, or pip install --upgrade tzdata"
        yield Finding(subject="zones", verdict="bad", message=message, advice=advice)
    else:
        message = f"{count} known, tzdata {version('tzdata')} beside the system's"
        yield Finding(subject="zones", verdict="good", message=message)


def look_at_limits(settings: Settings) -> Iterator[Finding]:
    """Whether there are descriptors and processes enough."""
    descriptors, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    processes, _ = resource.getrlimit(resource.RLIMIT_NPROC)
    wanted = max(_LEAST_DESCRIPTORS, 64 + 8 * settings.workers)
    if descriptors != resource.RLIM_INFINITY and descriptors < wanted:
        message = f"a process may have {descriptors} files open; {wanted} are advisable"
        advice = "LimitNOFILE= in the unit, or ulimit -n"
        yield Finding(subject="limits", verdict="bad", message=message, advice=advice)
    elif processes != resource.RLIM_INFINITY and processes < 4 * settings.workers and os.geteuid() != 0:
        message = f"this user may have {processes} processes and threads; {4 * settings.workers} are advisable"
        advice = "LimitNPROC= in the unit, or ulimit -u"
        yield Finding(subject="limits", verdict="bad", message=message, advice=advice)
    else:
        shown = "any number of" if descriptors == resource.RLIM_INFINITY else str(descriptors)
        yield Finding(subject="limits", verdict="good", message=f"{shown} open files")


def look_at_rds(settings: Settings) -> Iterator[Finding]:
    """Whether the RDs can be read, and are good."""
    from gavo_exec.cli.tree import read_tree
    from gavo_exec.cli.views import broken_rds

    if not settings.inputs_dir:
        advice = "set inputs_dir in the settings file, or give --inputs-dir"
        yield Finding(subject="RDs", verdict="bad", message="no resource directory is set", advice=advice)
        return
    catalog = read_tree(settings)
    jobs = sum(1 for _ in catalog.executes())
    message = f"{counted(len(catalog.accepted), 'RD')} in {settings.inputs_dir}, {counted(jobs, 'job')}"
    if jobs:
        yield Finding(subject="RDs", verdict="good", message=message)
    else:
        advice = "write one: docs/tutorial/first-job.md; or look whether inputs_dir is right"
        yield Finding(subject="RDs", verdict="note", message=message, advice=advice)
    for line in broken_rds(catalog):
        advice = "see all faults: gavo-exec check"
        yield Finding(subject="RDs", verdict="bad", message=line, advice=advice)
    warnings = [found for rd in catalog.accepted.values() for found in rd.warnings]
    for found in [each for each in warnings if each.severity is Severity.WARNING][:5]:
        yield Finding(subject="RDs", verdict="note", message=str(found), advice=clean(found.hint))


def look_at_web(settings: Settings) -> Iterator[Finding]:
    """Whether the daemon can show itself, and to whom."""
    from gavo_exec.display import missing_libraries
    from gavo_exec.services.tokens import TokenFile
    from gavo_exec.settings import is_loopback

    if not settings.web:
        return
    if missing := missing_libraries():
        advice = "pip install 'gavo-exec[web]'"
        yield Finding(subject="web", verdict="bad", message=f"not installed: {', '.join(missing)}", advice=advice)
    tokens = TokenFile(settings.state_dir).all()
    where = f"{settings.web_host} port {settings.web_port}"
    message = f"on {where}, for {settings.web_reading} to look; {counted(len(tokens), 'token')}"
    if settings.web_reading == "anyone" and not is_loopback(settings.web_host):
        advice = "set web_reading = token, or see to it that nobody else reaches it"
        yield Finding(subject="web", verdict="note", message=f"whoever reaches {where} may look", advice=advice)
    else:
        yield Finding(subject="web", verdict="good", message=message)


def look_at_dachs(settings: Settings) -> Iterator[Finding]:
    """Whether there is a DaCHS, and what is taken from it."""
    from gavo_exec.cli.tree import has_dachs
    from gavo_exec.settings import find_site

    site = find_site(settings, os.environ)
    for warning in site.warnings:
        yield Finding(subject="DaCHS", verdict="note", message=warning)
    if site.files:
        yield Finding(subject="DaCHS", verdict="good", message=f"its configuration: {', '.join(site.files)}")
    if settings.job_namespace == "dachs" and not has_dachs():
        message = "job_namespace is dachs, but DaCHS cannot be imported here, so that every run fails"
        advice = "run gavo-exec with the Python that has it, or set job_namespace = auto"
        yield Finding(subject="DaCHS", verdict="bad", message=message, advice=advice)


CHECKS: tuple[Check, ...] = (
    look_at_version,
    look_at_daemon,
    look_at_user,
    look_at_state_directory,
    look_at_state_file,
    look_at_disk,
    look_at_mail,
    look_at_clock,
    look_at_zones,
    look_at_limits,
    look_at_rds,
    look_at_web,
    look_at_dachs,
)
