"""What ``mail test``, ``mail flush`` and ``mail preview`` do: try what the daemon does by itself."""

import logging
import os
import sys
import threading
from collections.abc import Iterable, Sequence
from contextlib import closing, suppress
from datetime import timedelta
from email.message import EmailMessage
from time import monotonic

from gavo_exec.cli.asking import client_of
from gavo_exec.cli.exits import DONE, FAILED
from gavo_exec.cli.keys import UnknownError
from gavo_exec.cli.output import clean
from gavo_exec.cli.state import opened_store
from gavo_exec.cli.tree import find_execute
from gavo_exec.cli.views import mail_state
from gavo_exec.control import NoDaemonError
from gavo_exec.errors import DeliveryError
from gavo_exec.events import RunFinished
from gavo_exec.incidents import STATES, Incident, Kind, State
from gavo_exec.model import Channel, Execute, Outcome, QueuedMail, Reason, Run, RunRequest
from gavo_exec.parts import (
    CHILD_OUTPUT_BYTES,
    is_running,
    mail_policy,
    make_carriers,
    make_heartbeat,
    make_mailer,
    make_masker,
    open_store,
    other_channels,
)
from gavo_exec.ports import Store
from gavo_exec.runtime.clock import SystemClock
from gavo_exec.runtime.process import ProcessRunner
from gavo_exec.services.mail import MailPolicy, secrets_in
from gavo_exec.services.mail.items import Item
from gavo_exec.services.mail.letters import compose, compose_trial
from gavo_exec.services.mail.payload import payload
from gavo_exec.services.mail.scenes import circumstances_of
from gavo_exec.services.mail.texts import one_line
from gavo_exec.services.postman import Postmen
from gavo_exec.settings import Settings

_DAEMONS_TURN_SECONDS = 60.0
"""How long a daemon may take to deliver what it is asked to; it looks twice a minute."""


def try_channels(settings: Settings, to: Sequence[str]) -> int:
    """Send a mail now, and tell all other channels; say what came of each, and answer the exit code."""
    now = SystemClock().now()
    policy = mail_policy(settings)
    message = compose_trial(policy=policy, now=now, to=tuple(to))
    subject = str(message["Subject"])
    contents = {Channel.MAIL: message.as_bytes(policy=message.policy.clone(linesep="\n"))}
    item = Item(incident=Incident(kind=Kind.JOB, about="", state=State.RECOVERED, since=now, at=now, cause=subject))
    mask = make_masker(settings, os.environ)
    for channel in other_channels(settings):
        contents[channel] = payload([item], policy=policy, now=now, mask=mask, subject=subject)
    runner = ProcessRunner(output_limit_bytes=CHILD_OUTPUT_BYTES)
    carriers = make_carriers(settings, runner, mailer=make_mailer(settings, runner), clock=SystemClock())
    code = DONE
    for channel, content in contents.items():
        parcel = QueuedMail(mail_id=0, subject=subject, content=content, queued_at=now, channel=channel)
        try:
            print(f"{channel.value}: {clean(carriers[channel](parcel))}")
        except DeliveryError as fault:
            print(f"gavo-exec: {channel.value}: {clean(str(fault))}", file=sys.stderr)
            code = FAILED
    if (heartbeat := make_heartbeat(settings, is_well=lambda: True)) is not None:
        try:
            print(f"heartbeat: {clean(heartbeat.beat())}")
        except DeliveryError as fault:
            print(f"gavo-exec: heartbeat: {clean(str(fault))}", file=sys.stderr)
            code = FAILED
    return code


def deliver_now(settings: Settings, mail_ids: Sequence[int]) -> int:
    """Deliver what waits, or these, now; say what came of each, and answer the exit code."""
    clock = SystemClock()
    with closing(open_store(settings)) as store:
        for mail_id in mail_ids:
            if store.mail(mail_id) is None:
                raise UnknownError(f"there is no mail {mail_id} (gavo-exec mail list has them)")
        wanted = list(mail_ids) or [mail.mail_id for mail in store.mails(limit=1_000_000) if mail.next_attempt_at]
        before = {mail_id: mail.attempts for mail_id in wanted if (mail := store.mail(mail_id)) is not None}
        now = clock.now()
        for mail_id in mail_ids:
            store.hasten_mail(mail_id, now=now)
        if not mail_ids:
            store.hasten_mails(now=now)
        if is_running(settings.state_dir):
            _wait_for_daemon(settings, store, before)
        else:
            logging.getLogger("gavo_exec").addHandler(logging.NullHandler())  # what came of it is told below
            runner = ProcessRunner(output_limit_bytes=CHILD_OUTPUT_BYTES)
            carriers = make_carriers(settings, runner, mailer=make_mailer(settings, runner), clock=clock)
            Postmen(store, carriers=carriers, clock=clock).deliver_due()
        return _tell(store, sorted(before))


def _wait_for_daemon(settings: Settings, store: Store, before: dict[int, int]) -> None:
    """Wait until the daemon has tried all of these once more, or all but it should have."""
    with suppress(NoDaemonError):  # it looks by itself before long
        client_of(settings).deliver()
    until = monotonic() + _DAEMONS_TURN_SECONDS
    pause = threading.Event()
    left = dict(before)
    while left and monotonic() < until:
        for mail_id, attempts in list(left.items()):
            mail = store.mail(mail_id)
            # Of pings nothing is left when they are delivered.
            if mail is None or mail.delivered_at is not None or mail.attempts > attempts:
                del left[mail_id]
        pause.wait(0.2 if left else 0)


def _tell(store: Store, mail_ids: Iterable[int]) -> int:
    """Say what became of these; answers the exit code."""
    code, is_any = DONE, False
    for mail_id in mail_ids:
        is_any = True
        mail = store.mail(mail_id)
        if mail is None or mail.delivered_at is not None:
            print(f"{mail_id}: delivered")
            continue
        code = FAILED
        reason = f": {clean(mail.error)}" if mail.error else ""
        print(f"gavo-exec: {mail_id}: {mail_state(mail)}{reason}", file=sys.stderr)
    if not is_any:
        print("nothing waits to be delivered")
    return code


def preview(settings: Settings, key: str) -> EmailMessage:
    """The mail that would be sent if this job failed now; raises UnknownError where there is no such job."""
    rd, execute = find_execute(settings, key)
    now = SystemClock().now()
    with opened_store(settings) as store:
        failed = next(iter(store.runs(key, limit=1, failed=True)), None)
        run = store.run(failed.run_id) if failed is not None else None
        last_success_at = store.last_success_at(key)
    policy = mail_policy(settings)
    run = run or _invented(execute, policy=policy)
    request = RunRequest(run_id=run.run_id, rd=rd, execute=execute, due=run.due, counts_from=run.due, reason=run.reason)
    incident = Incident(
        kind=Kind.JOB,
        about=key,
        state=STATES[run.outcome or Outcome.FAILED],
        since=run.finished_at or now,
        at=run.finished_at or now,
        cause=one_line(run.error.partition("\n")[0]) or f"exit {run.returncode}",
        to=execute.policy.mail_to,
        after=execute.policy.mail_after,
        reminders=execute.policy.reminders,
        run_id=run.run_id,
        last_success_at=last_success_at,
        circumstances=circumstances_of(RunFinished(run=run, request=request)),
    )
    mask = make_masker(settings, os.environ)
    mask.learn(secrets_in(dict(execute.policy.env), settings.secret_names))
    return compose([Item(incident=incident, run=run)], policy=policy, now=now, mask=mask)


def _invented(execute: Execute, *, policy: MailPolicy) -> Run:
    """A run of a job that never failed, as if it had."""
    now = SystemClock().now()
    code = execute.job
    line = code.first_line if not code.lines else code.lines[0]
    return Run(
        run_id="preview",
        key=execute.key,
        title=execute.title,
        due=now,
        reason=Reason.SCHEDULED,
        started_at=now - timedelta(seconds=1),
        finished_at=now,
        outcome=Outcome.FAILED,
        output="what the job prints stands here\n",
        error=(
            "RuntimeError: this run was invented for a preview\n\n"
            "Traceback (most recent call last):\n"
            f'  File "{code.position.path}", line {line}, in job\n'
            "RuntimeError: this run was invented for a preview"
        ),
        host=policy.host,
    )
