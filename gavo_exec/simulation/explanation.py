"""Why a job did or did not run at an instant: from its schedule, the agenda, and what is recorded of it."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from msgspec.structs import replace

from gavo_exec.model import Execute, Missed, Outcome, Overlap, Reason, Run
from gavo_exec.schedule import At, Every, Loaded
from gavo_exec.simulation.case import Case, Explanation, Verdict, length
from gavo_exec.simulation.coming import Coming, agenda_of_one
from gavo_exec.simulation.instants import Around, Span, around, counted_on, reasons_against

_LATE = timedelta(seconds=1)
_OF_OUTCOME = {Outcome.SKIPPED: Verdict.SKIPPED, Outcome.MISSED: Verdict.MISSED, None: Verdict.RUNNING}


def explain(case: Case, at: datetime | None = None) -> Explanation:
    """Say why a job ran or did not run at an instant or, where none is given, when it will."""
    if at is None:
        found = _about_now(case)
    elif at > case.now:
        found = _about_to_come(case, Span.of(at))
    else:
        found = _about_past(case, Span.of(at))
    evidence = dict.fromkeys((*found.evidence, *_circumstances(case, found.verdict, at)))
    return replace(found, evidence=tuple(evidence))


# Now


def _about_now(case: Case) -> Explanation:
    """When it will run next, or what is in the way."""
    last = next((run for run in case.records if run.outcome is not None), None)
    runs = tuple(run for run in (case.running, last) if run is not None)
    evidence = (f"its last run: it {case.told(last)}" if last is not None else "it has no run on record",)
    coming, verdict = case.next, Verdict.NEVER
    if case.running is not None:
        verdict = Verdict.RUNNING
        answer = f"It is running since {case.shown(case.running.started_at or case.running.due)}."
    elif coming is None:
        answer = _never(case)
    elif coming.reason is Reason.STARTUP:
        answer = "It runs whenever its RD is loaded: when a daemon starts, and when the RD has changed."
    elif coming.at <= case.now:
        found = _not_begun(case, coming.due)
        return replace(found, evidence=(*found.evidence, *evidence), runs=runs)
    else:
        verdict = Verdict.COMING
        answer = f"It is due next at {_in(case, coming)}."
    after = coming.at if coming is not None and verdict is not Verdict.NEVER and coming.at > case.now else None
    return Explanation(verdict=verdict, answer=answer, evidence=evidence, around=Around(after=after), runs=runs)


def _in(case: Case, coming: Coming) -> str:
    """When a run will begin, and how long that is from now."""
    retry = ", to try again" if coming.reason is Reason.RETRY else ""
    return f"{case.shown(coming.at)}, in {length(coming.at - case.now)}{retry}"


def _never(case: Case) -> str:
    """Why nothing will let it run."""
    if case.declared is not None:
        return "It is not due any more: its schedule has no instant to come."
    if case.fault:
        return "It does not run: its RD is broken, and there is no good version of it."
    return "It does not run: there is no such execute any more."


# What is to come


def _about_to_come(case: Case, span: Span) -> Explanation:
    """Whether it will be due at an instant of the future."""
    scheduled = next((coming for coming in case.coming() if coming.reason is not Reason.RETRY), None)
    if case.declared is None or scheduled is None:
        return Explanation(verdict=Verdict.NEVER, answer=_never(case))
    _, execute = case.declared
    schedule = execute.schedule
    if isinstance(schedule, Loaded):
        answer = "It is due at no instant: it runs whenever its RD is loaded."
        return Explanation(verdict=Verdict.NEVER, answer=answer)
    near = around(schedule, span) if isinstance(schedule, At) else counted_on(schedule, scheduled.at, span)
    retry = case.retry.at if case.retry is not None and case.retry.at in span else None
    if (due := near.within or retry) is None:
        return _not_due(case, span, near, tense="will not be")
    return Explanation(
        verdict=Verdict.COMING,
        answer=f"It will be due at {case.shown(due)}, in {length(due - case.now)}.",
        evidence=tuple(_ifs(execute)),
        around=replace(near, within=due),
    )


def _ifs(execute: Execute) -> Iterator[str]:
    """What may keep it from beginning at once."""
    match execute.policy.overlap:
        case Overlap.SKIP:
            yield "it is left out if its run before still goes on then (run.overlap is skip)"
        case Overlap.QUEUE:
            yield "it waits if its run before still goes on then (run.overlap is queue)"
        case Overlap.REPLACE:
            yield "its run before is ended if that still goes on then (run.overlap is replace)"
        case Overlap.ALLOW:
            pass
    if execute.policy.files:
        yield f"it runs only if something is new in {execute.policy.files}"


# What was


def _about_past(case: Case, span: Span) -> Explanation:
    """What became of it at an instant that has passed."""
    near = _around_past(case, span)
    found = _on_record(case, span, near) or _summed(case, span, near)
    if found is not None:
        return found
    if near.within is not None and near.within > case.now:
        return _about_to_come(case, span)
    schedule, at = case.schedule, case.shown(span.begin)
    if near.within is not None and isinstance(schedule, At | Every):
        return _unrecorded(case, near.within, near)
    if schedule is None:
        verdict, answer = Verdict.UNKNOWN, f"Nothing is recorded of it at {at}."
    elif isinstance(schedule, Loaded):
        verdict, answer = Verdict.NOT_DUE, f"It was not started at {at}: it runs whenever its RD is loaded."
    elif isinstance(schedule, Every) and (files := _files(case)) and near.before is not None:
        verdict = Verdict.NOTHING_NEW
        answer = f"It did not run at {at}: if it was due, nothing was new in {files}, which leaves no record."
    else:
        return _not_due(case, span, near, tense="was not")
    evidence = tuple(_neighbours(case, span.begin))
    return Explanation(verdict=verdict, answer=answer, evidence=evidence, around=near)


def _files(case: Case) -> str:
    """The pattern of the files that it waits for."""
    return case.declared[1].policy.files if case.declared is not None else ""


def _around_past(case: Case, span: Span) -> Around:
    """The instants round a span that has passed: those of the calendar, or else those on record and what follows."""
    schedule, mark = case.schedule, case.last_start
    if isinstance(schedule, At):
        return around(schedule, span)
    dues = case.dues
    if isinstance(schedule, Every) and mark is not None:
        following = schedule.next_due(mark.at, mark.at)
        if following is not None and following < span.end:
            return counted_on(schedule, following, span)
        dues = [due for due in dues if due <= mark.at] + ([following] if following is not None else [])
    return Around.among(dues, span)


def _on_record(case: Case, span: Span, near: Around) -> Explanation | None:
    """What the records have of a span: what was due in it, or else what began in it."""
    hits = [run for run in case.records if run.due in span] or [run for run in case.records if run.started_at in span]
    if not hits:
        return None
    first = min(hits, key=lambda run: (run.due != span.begin, run.due, run.attempt))
    later = [run for run in case.records if run.due == first.due and run.attempt > first.attempt]
    later.sort(key=lambda run: run.attempt)
    verdict = _OF_OUTCOME.get(first.outcome, Verdict.RAN)
    if verdict is Verdict.RAN and first.started_at is None:
        verdict = Verdict.FAILED_TO_BEGIN
    evidence = [*_behind(case, first, verdict), *(f"attempt {run.attempt}: it {case.told(run)}" for run in later)]
    if case.retry is not None and case.retry.due == first.due:
        evidence.append(f"attempt {case.retry.attempt} is to begin at {case.shown(case.retry.at)}")
    if others := len({run.due for run in hits} - {first.due}):
        evidence.append(f"{others} more {'instant was' if others == 1 else 'instants were'} due within the same minute")
    return Explanation(
        verdict=verdict,
        answer=f"It {case.told(first)}.",
        evidence=tuple(evidence),
        around=replace(near, within=first.due) if first.due in span else near,
        runs=(first, *later),
    )


def _summed(case: Case, span: Span, near: Around) -> Explanation | None:
    """The record that stands for many missed instants, if one of them is in the span."""
    later = [run for run in case.records if run.due >= span.end and run.due in case.dues]
    summed = min(later, key=lambda run: run.due, default=None)
    if summed is None or summed.instants == 1:
        return None
    within = near.within
    if isinstance(case.schedule, Every) and case.schedule.window is None:
        interval = timedelta(0, case.schedule.seconds)
        within = counted_on(case.schedule, summed.due - (summed.instants - 1) * interval, span).within
    if within is None:
        return None
    return Explanation(
        verdict=Verdict.MISSED,
        answer=f"It was due at {case.shown(within)} and was missed, as one of many: {summed.error}.",
        evidence=tuple(_behind(case, summed, Verdict.MISSED)),
        around=replace(near, within=within),
        runs=(summed,),
    )


def _behind(case: Case, run: Run, verdict: Verdict) -> Iterator[str]:
    """What stands behind what is recorded."""
    policy = case.declared[1].policy if case.declared is not None else None
    if verdict is Verdict.SKIPPED:
        if (blocking := case.going_at(run.due, but=run)) is not None:
            yield f"its run before: it {case.told(blocking)}"
        if policy is not None and policy.overlap is Overlap.SKIP:
            yield "run.overlap can let it wait (queue), take the other's place (replace), or run beside it (allow)"
    elif verdict is Verdict.MISSED:
        later = (each for each in case.records if each.due >= run.due and each.started_at is not None)
        made_up = min(later, key=lambda each: (each.due, each.attempt), default=None)
        if made_up is not None and made_up.reason is Reason.CATCH_UP:
            yield f"a later run made up for it: it {case.told(made_up)}"
        if policy is not None and policy.missed is Missed.SKIP:
            yield "what passes unserved is not made up for (when.missed is skip)"
    elif run.started_at is not None and run.started_at - run.due > _LATE:
        late = length(run.started_at - run.due)
        if run.reason is Reason.CATCH_UP:
            yield f"it was due at {case.shown(run.due)}, and made up {late} later for what had passed unserved"
        elif run.reason is Reason.SCHEDULED:
            yield f"it was due at {case.shown(run.due)}, and waited {late} for {case.turn()}"


def _unrecorded(case: Case, due: datetime, near: Around) -> Explanation:
    """What became of an instant that was due by the schedule of now, and of which there is no record."""
    words = case.schedule.describe() if case.schedule is not None else ""
    mark = case.last_start
    is_ours = mark is not None and mark.schedule == words
    if mark is not None and is_ours and due > mark.at:
        return replace(_not_begun(case, due), around=near)
    known = [*case.dues, *([mark.at] if mark is not None else [])]
    since = min(known, default=None) if case.is_all else None
    if is_ours and (files := _files(case)) and (since is None or due > since):
        answer = f"It was due at {case.shown(due)}, but nothing was new in {files}, which leaves no record."
        return Explanation(verdict=Verdict.NOTHING_NEW, answer=answer, around=near)
    if not known:
        why = "nothing at all is recorded of this job: no daemon has had it on its timetable"
    elif since is not None and due <= since:
        why = f"nothing is recorded of this job from before {case.shown(since)}"
    elif mark is not None and mark.schedule and not is_ours:
        why = f"no daemon has taken up this schedule: what is recorded is by another ({mark.schedule})"
    else:
        why = "nothing is recorded of that: it had another schedule then, or its RD was broken or not there"
    answer = f"By its schedule of now it was due at {case.shown(due)}, but {why}."
    evidence = tuple(_neighbours(case, due))
    return Explanation(verdict=Verdict.UNKNOWN, answer=answer, evidence=evidence, around=near)


def _not_begun(case: Case, due: datetime) -> Explanation:
    """What becomes of an instant that has come, and that nothing has accounted for."""
    running = case.running
    verdict = Verdict.WAITING if case.daemon else Verdict.UNSERVED
    was = f"It was due at {case.shown(due)}" if due < case.now else "It is due at once"
    if case.daemon and running is not None:
        why = f"it waits for its run before, which goes on since {case.shown(running.started_at or running.due)}"
        return Explanation(verdict=verdict, answer=f"{was} and has not begun: {why}.")
    if case.daemon:
        why = f"it waits for {case.turn()}, or the daemon is just about to come to it"
        return Explanation(verdict=verdict, answer=f"{was} and has not begun: {why}.")
    fate = f"a daemon that starts now {_fate(case, due)}"
    return Explanation(verdict=verdict, answer=f"{was}, but no daemon has come to it.", evidence=(fate,))


def _fate(case: Case, due: datetime) -> str:
    """What a daemon that starts now makes of an instant that passed."""
    assert case.declared is not None  # noqa: S101 -- it is due by its schedule
    rd, execute = case.declared
    agenda = agenda_of_one(rd, execute, start=case.now, last_start=case.last_start, retry=case.retry)
    decisions = agenda.tick(case.now)
    left_out = min((run for _, run in decisions.left_out if run.due >= due), key=lambda run: run.due, default=None)
    if left_out is not None:
        return f"leaves it out: {left_out.error}"
    is_served = any(request.due >= due for request in (*decisions.requests, *decisions.lookups))
    return "runs it at once" if is_served else "has not to run it any more"


def _not_due(case: Case, span: Span, near: Around, *, tense: str) -> Explanation:
    """That the schedule does not have an instant, and why."""
    sides = [
        f"{side} that it {'was' if instant <= case.now else 'is'} due at {case.shown(instant)}"
        for side, instant in (("before", near.before), ("after", near.after))
        if instant is not None
    ]
    reasons = reasons_against(case.schedule, span, before=near.before) if case.schedule is not None else ()
    return Explanation(
        verdict=Verdict.NOT_DUE,
        answer=f"It {tense} due at {case.shown(span.begin)}{': ' if sides else ''}{', and '.join(sides)}.",
        evidence=(*reasons, *_neighbours(case, span.begin)),
        around=near,
    )


def _neighbours(case: Case, at: datetime) -> Iterator[str]:
    """The records on both sides of an instant, and that of a run that went on then."""
    going = case.going_at(at)
    if going is not None:
        yield f"a run went on then: it {case.told(going)}"
    before = max((run for run in case.records if run.due < at and run is not going), key=_when, default=None)
    after = min((run for run in case.records if run.due > at), key=_when, default=None)
    if before is not None:
        yield f"the record before: it {case.told(before)}"
    if after is not None:
        yield f"the record after: it {case.told(after)}"


def _when(run: Run) -> tuple[datetime, int]:
    return run.due, run.attempt


def _circumstances(case: Case, verdict: Verdict, at: datetime | None) -> Iterator[str]:
    """What there is to know besides."""
    if case.schedule is not None:
        yield f"its schedule: {case.schedule.describe()}"
    if case.fault:
        since = f" since {case.shown(case.broken_since)}" if case.broken_since is not None else ""
        yield f"its RD is broken{since}{'; its last good version runs on' if case.held_back else ''}: {case.fault}"
    is_past = at is not None and at <= case.now
    if is_past and verdict is Verdict.NOT_DUE and not case.records and case.last_start is None:
        yield "nothing at all is recorded of this job: no daemon has had it on its timetable"
    if not case.daemon and (at is None or at > case.now or verdict in {Verdict.UNSERVED, Verdict.UNKNOWN}):
        yield f"no daemon runs on {case.state_dir}"
    coming = case.next
    if is_past and coming is not None and coming.at > case.now:
        yield f"it is due next at {_in(case, coming)}"
