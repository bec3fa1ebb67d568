"""The listener that mails: what goes wrong becomes incidents, and what is told of them goes into the outbox.

Whatever comes from RDs and children (titles, keys, output) is hostile: headers are made of single, bounded, printable
lines only, bodies of bounded printable lines.
"""

import logging
from collections.abc import Callable, Collection
from contextlib import suppress
from datetime import datetime

from msgspec.structs import replace

from gavo_exec.errors import Diagnostic, Severity, StoreError
from gavo_exec.events import (
    ClockStepped,
    DaemonStarted,
    DescriptorAccepted,
    DescriptorRejected,
    DescriptorRemoved,
    Event,
    JobsReconciled,
    RunFinished,
    RunOverdue,
    Stalled,
    TellingDue,
    Trouble,
)
from gavo_exec.incidents import STATES, Circumstances, Incident, Kind, Name, State, ended, joined, removed
from gavo_exec.model import DEFAULT_POLICY, Channel, Execute, Outcome, Rejection, Run
from gavo_exec.ports import Clock, Store
from gavo_exec.services.mail.desk import Batch, Desk
from gavo_exec.services.mail.envelope import MailPolicy, unusable_addresses
from gavo_exec.services.mail.items import Item
from gavo_exec.services.mail.letters import compose, compose_bare, compose_debug_output
from gavo_exec.services.mail.masking import Masker, secrets_in
from gavo_exec.services.mail.payload import payload
from gavo_exec.services.mail.scenes import circumstances_of
from gavo_exec.services.mail.texts import duration, one_line

__all__ = ["MailListener", "MailPolicy", "Masker", "secrets_in"]

DETAILED = 10
"""Up to how many incidents are told with all that is known of their runs, where one mail tells of several."""

_LOG = logging.getLogger(__name__)


class MailListener:
    """Makes incidents of what goes wrong, and puts mails about them into the outbox when they are to be told.

    ``alarm`` is to publish a TellingDue after so many seconds; a later call takes the place of an earlier one.
    ``find`` tells of a key the execute that has it now, ``exists`` whether what an incident is about is there still.
    ``channels`` are told all that is mailed, too.  One that ``is_guest`` is in a process beside that of the daemon.
    """

    hears = frozenset(
        {
            RunFinished,
            RunOverdue,
            Stalled,
            Trouble,
            DescriptorAccepted,
            DescriptorRejected,
            DescriptorRemoved,
            JobsReconciled,
            ClockStepped,
            DaemonStarted,
            TellingDue,
        }
    )

    def __init__(
        self,
        store: Store,
        *,
        clock: Clock,
        policy: MailPolicy,
        alarm: Callable[[float], object] = lambda _: None,
        find: Callable[[str], Execute | None] = lambda _: None,
        exists: Callable[[Incident], bool] = lambda _: True,
        mask: Masker | None = None,
        channels: Collection[Channel] = (),
        is_guest: bool = False,
    ) -> None:
        self._store = store
        self._clock = clock
        self._policy = policy
        self._alarm = alarm
        self._find = find
        self._exists = exists
        self._mask = mask or Masker()
        self._channels = tuple(channels)
        self._desk = Desk(store, per_hour=policy.per_hour, is_guest=is_guest)
        self._alarm_at: datetime | None = None
        self._accepted: dict[str, DescriptorAccepted] = {}  # of the RDs whose recovery is to be told
        self._is_closed = False
        for text in unusable_addresses(policy):
            _LOG.warning("%.200r is no mail address that can be used; mend the settings for mail", text)

    def __call__(self, event: Event) -> None:
        """Note what an event means for incidents, and tell what is to be told."""
        now = self._clock.now()
        match event:
            case RunFinished():
                self._hear_of_run(event, now)
            case RunOverdue() | Stalled():
                self._hear_of_trouble(event, min(event.at, now))
            case DescriptorRejected() | DescriptorAccepted() | DescriptorRemoved() | Trouble():
                self._hear_of_others(event, now)
            case JobsReconciled(removed=keys):
                for key in keys:
                    for kind in (Kind.JOB, Kind.MISSED):
                        self._change((kind, key, ""), removed, now)
            case TellingDue(is_last=is_last):
                self._tell(now, is_last=is_last)
            case ClockStepped() | DaemonStarted():
                self._set_alarm(now)
            case _:
                pass

    # What happens

    def _hear_of_run(self, event: RunFinished, now: datetime) -> None:
        """Note what a run's end means."""
        run, request = event.run, event.request
        outcome = run.outcome
        # Of what is tried again the last attempt is told; that it was not the first stands in its mail.
        if outcome is None or event.retry is not None:
            return
        if outcome is Outcome.SUCCEEDED:
            self._desk.look(now)
            if self._desk.is_busy:
                self._change((Kind.JOB, run.key, ""), ended, run.finished_at or now)
                self._change((Kind.MISSED, run.key, ""), ended, run.finished_at or now)
            if request is not None and request.execute.debug and run.output:
                message = compose_debug_output(run, request, policy=self._policy, now=now, mask=self._mask)
                self._store.put_mail(message, now=now, about=run.key)
        elif (state := STATES.get(outcome)) is not None:
            self._desk.look(now)
            execute = self._find(run.key) if request is None else request.execute
            at = min(run.finished_at or run.due, now)
            self._join(
                Incident(
                    kind=Kind.MISSED if outcome is Outcome.MISSED else Kind.JOB,
                    about=run.key,
                    state=state,
                    since=at,
                    at=at,
                    count=run.instants,
                    cause=self._cause_of(run),
                    run_id=run.run_id,
                    circumstances=circumstances_of(event),
                ),
                execute,
            )

    def _cause_of(self, run: Run) -> str:
        """What to say of a bad run in one line."""
        cause = one_line(self._mask(run.error.partition("\n")[0]))
        return cause or ("no cause is known" if run.returncode is None else f"exit {run.returncode}")

    def _hear_of_trouble(self, event: RunOverdue | Stalled, at: datetime) -> None:
        """Note a run that does not end, or a stall."""
        if isinstance(event, RunOverdue):
            key, run_id = event.request.execute.key, event.request.run_id
            known = self._desk.known((Kind.JOB, key, ""))
            incident = Incident(
                kind=Kind.JOB,
                about=key,
                state=State.OVERDUE,
                since=at,
                at=at,
                count=0 if known is not None and known.run_id == run_id else 1,
                cause=f"still running after {duration((event.at - event.started_at).total_seconds())}",
                run_id=run_id,
                circumstances=circumstances_of(event),
            )
            self._join(incident, event.request.execute)
        else:
            incident = Incident(
                kind=Kind.STALL,
                about=event.key,
                state=State.STALLED,
                since=at,
                at=at,
                place=event.where,
                cause=f"nothing else could run for {duration(event.seconds)}",
                circumstances=circumstances_of(event),
            )
            self._join(incident, self._find(event.key) if event.key else None)

    def _hear_of_others(
        self, event: DescriptorRejected | DescriptorAccepted | DescriptorRemoved | Trouble, now: datetime
    ) -> None:
        """Note what is about no job."""
        if not isinstance(event, Trouble):
            self._hear_of_rd(event, now)
        elif event.place:
            at, cause = min(event.at, now), one_line(self._mask(event.message), limit=1000)
            trouble = Incident(
                kind=Kind.TROUBLE, about="", state=State.TROUBLE, since=at, at=at, place=event.place, cause=cause
            )
            self._join(trouble, None)

    def _hear_of_rd(self, event: DescriptorRejected | DescriptorAccepted | DescriptorRemoved, now: datetime) -> None:
        """Note that an RD is broken, good again, or gone."""
        match event:
            case DescriptorRejected(rejection=rejection):
                name: Name = (Kind.RD, rejection.rd_id, "")
                known = self._desk.known(name)
                if known is not None and known.over_at is None and rejection.digest in known.digests:
                    return  # a version that is known to be broken, as after a restart
                incident = Incident(
                    kind=Kind.RD,
                    about=rejection.rd_id,
                    state=State.BROKEN_RD,
                    since=rejection.rejected_at,
                    at=rejection.rejected_at,
                    cause=_cause_of_rejection(rejection),
                    to=event.mail_to,
                    reminders=self._policy.reminders,
                    digests=(rejection.digest,),
                    circumstances=Circumstances(path=rejection.path),
                )
                self._keep(name, joined(known, incident))
            # The RD may have been mended while no daemon ran, so what was mailed counts, not event.recovered.
            case DescriptorAccepted(rd_id=rd_id):
                if self._desk.known((Kind.RD, rd_id, "")) is not None:
                    self._accepted[rd_id] = event
                    self._change((Kind.RD, rd_id, ""), ended, now)
            case DescriptorRemoved(rd_id=rd_id):
                self._change((Kind.RD, rd_id, ""), removed, now)

    def _join(self, fresh: Incident, execute: Execute | None) -> None:
        """Note another occurrence with an execute."""
        policy = DEFAULT_POLICY if execute is None else execute.policy
        if policy.env:
            self._mask.learn(secrets_in(dict(policy.env), self._policy.secret_names))
        known = self._desk.known(fresh.name)
        if known is not None and execute is None:
            fresh = replace(fresh, to=known.to, after=known.after, reminders=known.reminders)
        else:
            fresh = replace(fresh, to=policy.mail_to, after=policy.mail_after, reminders=policy.reminders)
        # A run that was told to be overdue is no second one when it ends.
        if known is not None and known.state is State.OVERDUE and known.run_id == fresh.run_id:
            fresh = replace(fresh, count=0)
        self._keep(fresh.name, joined(known, fresh))

    def _change(self, name: Name, change: Callable[..., Incident | None], at: datetime) -> None:
        """Let something happen to an incident, if there is one of this name."""
        if (known := self._desk.known(name)) is not None:
            self._keep(name, change(known, at=at))

    def _keep(self, name: Name, incident: Incident | None) -> None:
        self._desk.keep(name, incident)
        at = None if incident is None else self._desk.ready_at(incident)
        if at is not None and (self._alarm_at is None or at < self._alarm_at):
            self._wake_at(at)

    # When it is told

    def _set_alarm(self, now: datetime) -> None:
        """See to it that we hear when there is something to tell."""
        self._alarm_at = None
        if (at := self._desk.next_at(now)) is not None:
            self._wake_at(at)

    def _wake_at(self, at: datetime) -> None:
        if not self._is_closed:
            self._alarm_at = at
            self._alarm(max(0.0, (at - self._clock.now()).total_seconds()))

    def _tell(self, now: datetime, *, is_last: bool) -> None:
        """Put into the outbox what is to be told now."""
        self._is_closed = is_last
        self._desk.look(now)
        with suppress(StoreError):  # runs are read from there; the bus tells of it when it cannot write
            self._store.flush()
        for batch in self._desk.batches(now, at_once=is_last):
            if (batch := self._without_gone(batch)).incidents:
                message_id = self._put(batch, now)
                self._desk.note(batch, message_id=message_id, now=now)
        self._set_alarm(now)

    def _without_gone(self, batch: Batch) -> Batch:
        """The batch without reminders of what is not there any more."""
        kept = []
        for incident in batch.incidents:
            if incident.told and incident.over_at is None and not self._exists(incident):
                self._desk.keep(incident.name, None)
            else:
                kept.append(incident)
        return batch._replace(incidents=kept)

    def _put(self, batch: Batch, now: datetime) -> str:
        """Put a mail about these into the outbox, and what other channels are told; answers the mail's id."""
        # What is good again needs nobody, and little has to be said of it.
        by_weight = sorted(batch.incidents, key=lambda incident: incident.shown_state is State.RECOVERED)
        items = [self._item(incident, is_detailed=place < DETAILED) for place, incident in enumerate(by_weight)]
        about = batch.incidents[0].about if len(items) == 1 else ""
        try:
            since = batch.held_back_since
            message = compose(items, policy=self._policy, now=now, mask=self._mask, held_back_since=since)
        except Exception:  # nothing may keep all other incidents of the batch from being told
            _LOG.exception("a mail about %d incidents could not be written as it should be", len(items))
            message = compose_bare(items, policy=self._policy, now=now, mask=self._mask)
        subject = str(message["Subject"])
        self._store.put_mail(message, now=now, about=about)
        for channel in self._channels:
            try:
                content = payload(items, policy=self._policy, now=now, mask=self._mask, subject=subject)
            except Exception:
                _LOG.exception("%d incidents cannot be told by %s", len(items), channel.value)
            else:
                self._store.put_call(channel, subject, content, now=now, about=about)
        return str(message["Message-ID"])

    def _item(self, incident: Incident, *, is_detailed: bool) -> Item:
        """An incident with what is remembered of its latest run, or of its RD."""
        if not is_detailed:
            return Item(incident=incident)
        if incident.kind is Kind.RD:
            rejection, held_back = self._store.rejections().get(incident.about, (None, ()))
            accepted = self._accepted.pop(incident.about, None) if incident.over_at is not None else None
            return Item(
                incident=incident,
                rejection=rejection,
                held_back=held_back,
                warnings=accepted.warnings if accepted is not None else (),
                executes=accepted.executes if accepted is not None else 0,
            )
        run: Run | None = None
        attempts: tuple[Run, ...] = ()
        with suppress(StoreError):
            run = self._store.run(incident.run_id) if incident.run_id else None
            if run is not None and run.attempt > 1:
                attempts = self._attempts_before(run)
            if incident.kind is Kind.JOB and incident.over_at is None:
                incident = replace(incident, last_success_at=self._store.last_success_at(incident.about))
        return Item(incident=incident, run=run, attempts=attempts)

    def _attempts_before(self, run: Run) -> tuple[Run, ...]:
        """The earlier attempts at what a run was for, the first of them first."""
        runs = self._store.runs(run.key, limit=2 * run.attempt)
        return tuple(
            each for each in reversed(runs) if each.due == run.due and each.attempt < run.attempt and each.outcome
        )


def _cause_of_rejection(rejection: Rejection) -> str:
    """The first fault of an RD in one line, with the place, and how many others there are."""
    found = [each for each in rejection.diagnostics if each.severity is Severity.ERROR] or [*rejection.diagnostics]
    if not found:
        return "it cannot be read"
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    line = f"{_line_of(found[0], rejection)}: {found[0].code} {found[0].message}"
    return f"{one_line(line)}{more}"


def _line_of(diagnostic: Diagnostic, rejection: Rejection) -> str:
    """The line that is at fault, and the file where that is not the RD's own."""
    position = diagnostic.position
    if position.path == rejection.path:
        return f"line {position.line}"
    inputs_dir = rejection.path.removesuffix(f"{rejection.rd_id}.rd")
    return f"line {position.line} of {position.path.removeprefix(inputs_dir)}"
