"""The listener that mails: decides which events somebody has to be told of, and composes what they are told.

Whatever comes from RDs and children (titles, keys, output) is hostile: headers are made of single, bounded, printable
lines only, bodies of bounded printable lines.
"""

import getpass
import hashlib
import logging
import re
import shlex
import socket
from collections.abc import Iterable
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy
from typing import Any

import msgspec

from gavo_exec.errors import Diagnostic, Severity
from gavo_exec.events import DescriptorAccepted, DescriptorRejected, DescriptorRemoved, Event, RunFinished
from gavo_exec.model import Outcome, Rejection, Run, rd_id_of
from gavo_exec.ports import Clock, Store

_LOG = logging.getLogger(__name__)

_WORDS = {
    Outcome.FAILED: "FAILED",
    Outcome.TIMED_OUT: "TIMED OUT",
    Outcome.INTERRUPTED: "INTERRUPTED",
}
"""What subjects call bad outcomes."""

_TAIL_LINES, _TAIL_CHARACTERS = 60, 16_384
_DEBUG_LINES, _DEBUG_CHARACTERS = 5_000, 262_144
_DETAIL_LINES, _DETAIL_CHARACTERS = 200, 32_768
_MOST_DIAGNOSTICS = 50
_LONGEST_LINE = 500
_ADDRESS = re.compile(r"(?:(?P<name>[^<>@]*)<)?(?P<user>[A-Za-z0-9_.+/=&*!%-]+)@(?P<domain>[A-Za-z0-9.-]+)(?(name)>)")
_PLAIN_WORD = re.compile(r"[\w./@%+=:,-][\w./@%+=:,#-]*", re.ASCII)
_LONGEST_ASCII_LINE = 900  # a line of a mail may have 998 bytes


def _user_name() -> str:
    """The user running the daemon."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # no such user in the system's list, as in some containers
        return "root"


class _UnbrokenStart(EmailPolicy):
    """Folds headers as ever, but never directly after the name: some readers then show a blank before the text."""

    def fold(self, name: str, value: Any) -> str:
        """The header as lines."""
        folded = super().fold(name, value)
        start = f"{name}:{self.linesep} "
        return f"{name}: {folded[len(start) :]}" if folded.startswith(start) else folded

    def fold_binary(self, name: str, value: Any) -> bytes:
        """The header as lines of bytes."""
        return self.fold(name, value).encode("ascii", "surrogateescape")


_POLICY = _UnbrokenStart(max_line_length=78, linesep="\r\n")


class MailPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """Who mails whom: ``host`` is this machine's name, ``user`` who runs the daemon here.

    Without a ``sender`` or ``recipients`` mail is from, or to, that user.
    """

    host: str = msgspec.field(default_factory=socket.gethostname)
    sender: str = ""
    recipients: tuple[str, ...] = ()
    user: str = msgspec.field(default_factory=_user_name)


class MailListener:
    """Puts a mail into the outbox for each bad run, each broken version of an RD, and each RD mended."""

    def __init__(self, store: Store, *, clock: Clock, policy: MailPolicy) -> None:
        self._store = store
        self._clock = clock
        self._policy = policy
        # What the store knows as broken has been mailed: the rejection and its mail were written together.
        self._mailed = {rd_id: {rejection.digest} for rd_id, (rejection, _) in store.rejections().items()}
        for text in unusable_addresses(policy):
            _LOG.warning("%.200r is no mail address that can be used; mend the settings for mail", text)

    def __call__(self, event: Event) -> None:
        """Mail about an event, if somebody has to know."""
        message = self._compose(event)
        if message is not None:
            self._store.put_mail(message, now=self._clock.now())

    def _compose(self, event: Event) -> EmailMessage | None:
        """The mail about an event, if there is to be one."""
        now = self._clock.now()
        match event:
            case RunFinished(run=run) if run.outcome is not None and run.outcome.is_bad:
                return compose_failure(event, policy=self._policy, now=now)
            case RunFinished(run=run, request=request) if (
                run.outcome is Outcome.SUCCEEDED and request is not None and request.execute.debug and run.output
            ):
                return compose_debug_output(event, policy=self._policy, now=now)
            case DescriptorRejected(rejection=rejection):
                digests = self._mailed.setdefault(rejection.rd_id, set())
                if rejection.digest in digests:
                    return None
                digests.add(rejection.digest)
                return compose_rejection(event, policy=self._policy, now=now)
            # The RD may have been mended while no daemon ran, so what was mailed counts, not event.recovered.
            case DescriptorAccepted(rd_id=rd_id) if self._mailed.pop(rd_id, None) is not None:
                return compose_recovery(event, policy=self._policy, now=now)
            case DescriptorRemoved(rd_id=rd_id):
                self._mailed.pop(rd_id, None)
        return None


# The mails


def compose_failure(event: RunFinished, *, policy: MailPolicy, now: datetime) -> EmailMessage:
    """The mail about a run that ended badly."""
    run = event.run
    cause, _, detail = run.error.partition("\n")
    word = _WORDS.get(run.outcome or Outcome.FAILED, "FAILED")
    cause = one_line(cause) or _cause_of(run)
    body = [
        f"{word}: {cause}",
        "",
        *_facts_of(event, policy=policy),
        *_section("Details", block(detail, lines=_DETAIL_LINES, characters=_DETAIL_CHARACTERS)),
        *_output_of(run, lines=_TAIL_LINES, characters=_TAIL_CHARACTERS),
        *_commands_for(run),
    ]
    return _message(word, cause, body, about=run.key, identity=("run", run.run_id), policy=policy, now=now)


def compose_debug_output(event: RunFinished, *, policy: MailPolicy, now: datetime) -> EmailMessage:
    """The mail with the output of a good run, for an execute with ``debug``."""
    run = event.run
    body = [
        "Debug output of a good run.",
        "",
        *_facts_of(event, policy=policy),
        *_output_of(run, lines=_DEBUG_LINES, characters=_DEBUG_CHARACTERS),
        *_commands_for(run),
        "",
        'This mail is sent because the execute has debug="True".',
    ]
    return _message(
        "DEBUG", "output of a good run", body, about=run.key, identity=("debug", run.run_id), policy=policy, now=now
    )


def compose_rejection(event: DescriptorRejected, *, policy: MailPolicy, now: datetime) -> EmailMessage:
    """The mail about a version of an RD that was refused."""
    rejection, diagnostics = event.rejection, event.rejection.diagnostics
    errors = [diagnostic for diagnostic in diagnostics if diagnostic.severity is Severity.ERROR]
    first = (errors or [*diagnostics])[:1]
    cause = one_line(" ".join(f"{_line_of(found, rejection)}: {found.code} {found.message}" for found in first))
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    body = [
        f"BROKEN RD: {cause or 'it cannot be read'}{more}",
        "",
        *_facts(
            ("RD", rejection.rd_id),
            ("File", rejection.path),
            ("Host", policy.host),
            ("Found", _instant(rejection.rejected_at)),
        ),
        "",
        *_held_back_of(event),
        *_section(
            "What is wrong",
            block("\n".join(found.render() for found in diagnostics[:_MOST_DIAGNOSTICS]), lines=500, characters=65_536),
        ),
    ]
    if len(diagnostics) > _MOST_DIAGNOSTICS:
        body += ["", f"    ... and {len(diagnostics) - _MOST_DIAGNOSTICS} more"]
    body += ["", *_table(("To check it", _command("check", rejection.path)))]
    identity = ("rejection", rejection.rd_id, rejection.digest, str(rejection.rejected_at))
    return _message(
        "BROKEN RD",
        cause or "it cannot be read",
        body,
        about=rejection.rd_id,
        identity=identity,
        policy=policy,
        now=now,
    )


def _line_of(diagnostic: Diagnostic, rejection: Rejection) -> str:
    """The line that is at fault, and the file where that is not the RD's own."""
    position = diagnostic.position
    if position.path == rejection.path:
        return f"line {position.line}"
    inputs_dir = rejection.path.removesuffix(f"{rejection.rd_id}.rd")
    return f"line {position.line} of {position.path.removeprefix(inputs_dir)}"


def _held_back_of(event: DescriptorRejected) -> list[str]:
    """What becomes of the jobs of a broken RD."""
    if not event.held_back:
        return ["There is no earlier good version: none of its jobs runs until it is mended."]
    keys = [f"{one_line(job.key)}  {one_line(job.title, limit=80)}".rstrip() for job in event.held_back]
    shown = block("\n".join(keys), lines=100, characters=16_384)
    return ["Its jobs run on as they were in the last good version:", "", *(f"    {line}" for line in shown)]


def compose_recovery(event: DescriptorAccepted, *, policy: MailPolicy, now: datetime) -> EmailMessage:
    """The mail about an RD that is good again."""
    jobs = "1 job" if event.executes == 1 else f"{event.executes} jobs"
    body = [
        f"RD GOOD AGAIN: {jobs} in force",
        "",
        *_facts(("RD", event.rd_id), ("File", event.path), ("Host", policy.host), ("Since", _instant(now))),
        *_section(
            "Warnings", block("\n".join(found.render() for found in event.warnings), lines=200, characters=32_768)
        ),
    ]
    identity = ("recovery", event.rd_id, str(now))
    return _message(
        "RD GOOD AGAIN", f"{jobs} in force", body, about=event.rd_id, identity=identity, policy=policy, now=now
    )


# Their parts


def _cause_of(run: Run) -> str:
    """What to say of a bad run that says nothing itself."""
    return "no cause is known" if run.returncode is None else f"exit {run.returncode}"


def _facts_of(event: RunFinished, *, policy: MailPolicy) -> list[str]:
    """What, where and when."""
    run, request = event.run, event.request
    rd = rd_id_of(run.key)
    if request is not None:
        position = request.execute.position
        rd = f"{position.path}, line {position.line}" if position.path else request.rd.path
    attempt = f", attempt {run.attempt}" if run.attempt > 1 else ""
    return _facts(
        ("Job", run.key),
        ("Title", run.title),
        ("Host", run.host or policy.host),
        ("Due", f"{_instant(run.due)} ({run.reason.value.replace('_', ' ')}{attempt})"),
        ("Started", _instant(run.started_at) if run.started_at else "not at all"),
        ("Ended", _ended(run)),
        ("Returned", "" if run.returncode is None else str(run.returncode)),
        ("RD", rd),
        ("Next due", _instant(event.next_due) if event.next_due else ""),
        ("Run", run.run_id),
    )


def _ended(run: Run) -> str:
    """When a run ended, and after how long."""
    if run.finished_at is None:
        return ""
    if run.duration_seconds is None:
        return _instant(run.finished_at)
    return f"{_instant(run.finished_at)}, after {duration(run.duration_seconds)}"


def _output_of(run: Run, *, lines: int, characters: int) -> list[str]:
    """The end of a run's output."""
    if not run.output:
        return ["", "There was no output."]
    return _section("Output", block(run.output, lines=lines, characters=characters))


def _commands_for(run: Run) -> list[str]:
    """How to look at a run, and how to run its job again."""
    return [
        "",
        *_table(
            ("To see all of it", _command("show", run.run_id)),
            ("To run it again", _command("execute", run.key)),
        ),
    ]


def _command(verb: str, text: str) -> str:
    """A command line that has the text as its one argument, whatever it is."""
    # A # within a word begins no comment in any shell, so that keys may stand as they are.
    word = one_line(text)
    word = word if _PLAIN_WORD.fullmatch(word) else shlex.quote(word)
    return f"gavo-exec {verb} -- {word}" if word.startswith(("-", "'-")) else f"gavo-exec {verb} {word}"


def _facts(*rows: tuple[str, str]) -> list[str]:
    """Names and values in two columns; rows without a value are left out."""
    return _table(*((name, one_line(value, limit=_LONGEST_LINE)) for name, value in rows if value))


def _table(*rows: tuple[str, str]) -> list[str]:
    """Names and values, which are clean, in two columns."""
    width = max(len(name) for name, _ in rows) + 2
    return [f"{name + ':':<{width}}{value}" for name, value in rows]


def _section(name: str, lines: list[str]) -> list[str]:
    """Lines indented below their name; nothing where there are none."""
    return ["", f"{name}:", *(f"    {line}".rstrip() for line in lines)] if lines else []


def _instant(instant: datetime) -> str:
    """An instant as operators read it."""
    return f"{instant:%Y-%m-%d %H:%M:%S} UTC"


def duration(seconds: float) -> str:
    """A duration for people: two units at most."""
    if round(seconds, 1) < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {minutes} min"
    return f"{hours // 24} d {hours % 24} h"


def one_line(text: str, *, limit: int = 200) -> str:
    """The text as a single printable line of at most ``limit`` characters.

    Control characters, line ends, lone surrogates and marks that turn the direction of writing become blanks.
    """
    begun = text[: 4 * limit]
    shown = " ".join("".join(char if char.isprintable() else " " for char in begun).split())
    if len(shown) > limit or len(begun) < len(text):
        shown = shown[: limit - 1] + "…"
    return shown


def block(text: str, *, lines: int, characters: int) -> list[str]:
    """The end of a text as printable, bounded lines; the first of them says how much was left out."""
    end = text[-characters:]
    if len(end) < len(text) and "\n" in end:
        end = end.partition("\n")[2]  # what is left of a line that was cut
    shown = end.expandtabs(8).splitlines()[-lines:]
    skipped = text.count("\n", 0, max(0, len(text) - len(end))) + max(0, len(end.splitlines()) - lines)
    printable = [_printable(line) for line in shown]
    if skipped or len(end) < len(text):
        what = f"{skipped:,} line{'s' if skipped > 1 else ''}" if skipped else f"{len(text) - len(end):,} characters"
        return [f"[{what} before this left out]", *printable]
    return printable


def _printable(line: str) -> str:
    """A line without what might confuse a terminal, and not too long."""
    shown = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in line[:_LONGEST_LINE])
    return shown + (f" [{len(line) - _LONGEST_LINE:,} characters more]" if len(line) > _LONGEST_LINE else "")


# Headers


def _message(
    word: str,
    cause: str,
    body: Iterable[str],
    *,
    about: str,
    identity: tuple[str, ...],
    policy: MailPolicy,
    now: datetime,
) -> EmailMessage:
    """A mail: ``about`` is the key or RD, ``identity`` what makes its Message-ID unlike any other."""
    host = domain_of(policy.host)
    local = Address(username=_plain(policy.user) or "root", domain=host)
    message = EmailMessage(policy=_POLICY)
    message["From"] = _address(policy.sender) or Address("gavo-exec", local.username, host)
    usable = [address for address in map(_address, policy.recipients) if address]
    message["To"] = usable or [local]
    message["Subject"] = header_text(
        f"[{one_line(policy.host, limit=60)}] {word} {one_line(about, limit=120)}: {cause}"
    )
    message["Date"] = now
    digest = hashlib.sha256("\0".join((policy.host, *identity)).encode("utf-8", "surrogatepass")).hexdigest()
    message["Message-ID"] = f"<{identity[0]}.{digest[:32]}@{host}>"
    message["Auto-Submitted"] = "auto-generated"
    message["X-Gavo-Exec-Key"] = header_text(one_line(about))
    text = "\n".join(body).rstrip() + "\n"
    is_plain = text.isascii() and max(map(len, text.split("\n"))) <= _LONGEST_ASCII_LINE
    message.set_content(text, charset="utf-8", cte="7bit" if is_plain else "quoted-printable")
    return message


def header_text(line: str) -> str:
    """A line as an unstructured header may have it: what looks encoded is not decoded by anybody, hence no surprise."""
    return line.replace("=?", "= ?").replace("?=", "? =")


def domain_of(host: str) -> str:
    """The host's name as far as it may stand in an address."""
    return re.sub(r"[^A-Za-z0-9.-]+", "-", host[:200]).strip(".-") or "localhost"


def _plain(user: str) -> str:
    """The user's name as far as it may stand in an address."""
    return re.sub(r"[^A-Za-z0-9_.+-]+", "", user[:60]).strip(".")


def _address(text: str) -> Address | None:
    """The mail address in a text, such as ``Jo <jo@example.org>``; None where there is none that can be used."""
    match = _ADDRESS.fullmatch(text.strip()) if text.isprintable() and len(text) <= 320 else None
    if match is None:
        return None
    name, user, domain = match["name"] or "", match["user"], match["domain"]
    return Address(header_text(name.strip(' "')), user, domain)


def unusable_addresses(policy: MailPolicy) -> list[str]:
    """Those of a policy's addresses that mails have to do without."""
    return [text for text in (policy.sender, *policy.recipients) if text and _address(text) is None]
