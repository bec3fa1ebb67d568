"""The pages that one looks at."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from statistics import quantiles
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from gavo_exec.control import NoDaemonError, RefusedError, UnknownNameError
from gavo_exec.control_views import Broken
from gavo_exec.json_views import CodeLinesView
from gavo_exec.model import QueuedMail, Run
from gavo_exec.past import DayOfRuns, PastExecute
from gavo_exec.web import charts, words
from gavo_exec.web.house import House, Overview

DAYS: Final = 30
_JOBS_A_PAGE: Final = 50
_RDS_SHOWN: Final = 40
_RUNS_SHOWN: Final = 50
_TIMED: Final = 200
_TIMED_IN_LIST: Final = 50
_OUTPUT_CHARACTERS: Final = 200_000
_EXCERPT_LINES: Final = 3
_MOST_SOURCE_BYTES: Final = 4 << 20


class Pages:
    """Answers questions; on threads of its own, since it waits for the daemon and for the disk."""

    def __init__(self, house: House) -> None:
        self._house = house

    def overview(self, request: Request) -> Response:
        """The answer to whether everything is well, in one look."""
        house = self._house
        try:
            found = house.overview()
        except (NoDaemonError, RefusedError) as fault:
            return house.fault(request, str(fault), status=503, title="The daemon does not answer")
        query = words.line(request.query_params.get("q", ""))[:100]
        chosen = _chosen(found, query, only=request.query_params.get("only", ""))
        page = _number(request.query_params.get("page", "1"), most=max(1, -(-len(chosen) // _JOBS_A_PAGE)))
        shown = chosen[(page - 1) * _JOBS_A_PAGE : page * _JOBS_A_PAGE]
        keys = [found.jobs[n].key for n in shown]
        with house.face.open_store() as store:
            days = store.days(keys, until=house.now(), count=DAYS)
            took = {key: _percentiles(store.took(key, limit=_TIMED_IN_LIST)) for key in keys}
        counts = dict.fromkeys(words.ORDER, 0)
        for state in found.states:
            counts[state] += 1
        bad_rds = [rd for rd in found.rds if not rd.is_good]
        return house.page(
            "overview.html",
            request,
            kind=found.kind,
            status=found.status,
            now=found.status.now,
            counts=[(state, count) for state, count in counts.items() if count],
            rows=[(found.jobs[n], found.states[n], days[found.jobs[n].key], took[found.jobs[n].key]) for n in shown],
            day=charts.coming_day((job.due for job in found.jobs if job.due and not job.pause), found.status.now),
            rds=_rd_states(found)[:_RDS_SHOWN],
            more_rds=max(0, len(found.rds) - _RDS_SHOWN),
            broken=bad_rds,
            query=query,
            only=request.query_params.get("only", ""),
            page=page,
            pages=max(1, -(-len(chosen) // _JOBS_A_PAGE)),
            chosen=len(chosen),
            states=words.ORDER,
        )

    def job(self, request: Request) -> Response:
        """One job."""
        house, key = self._house, request.query_params.get("key", "")
        try:
            detail = house.face.ask("").job(key)
        except UnknownNameError as fault:
            return house.fault(request, str(fault), status=404, title="There is no such job")
        except (NoDaemonError, RefusedError) as fault:
            return house.fault(request, str(fault), status=503, title="The daemon does not answer")
        with house.face.open_store() as store:
            runs = store.runs(key, limit=_RUNS_SHOWN)
            [days] = store.days([key], until=house.now(), count=DAYS).values()
            p50, p95 = _percentiles(store.took(key, limit=_TIMED))
            deeds = store.deeds(key, limit=10)
        now = house.now()
        state = words.state_of(detail.line, now)
        return house.page(
            "job.html",
            request,
            kind={"bad": "bad", "warn": "warn"}.get(state.kind, "good"),
            job=detail.line,
            detail=detail,
            declared=detail.declared,
            code=[(part.path, _numbered(part, set())) for part in detail.code],
            state=state,
            now=now,
            runs=runs,
            days=_named_days(days),
            strip=charts.strip(days),
            p50=p50,
            p95=p95,
            plot=charts.durations(self._dots(runs), p50=p50, p95=p95),
            deeds=deeds,
            done=_done(request.query_params),
        )

    def run(self, request: Request) -> Response:
        """One run."""
        house = self._house
        with house.face.open_store() as store:
            run = store.run(request.query_params.get("id", ""))
            then = store.code_of(run) if run is not None else None
        if run is None:
            message = "It may have been forgotten with the oldest, or has not begun: look again in a moment."
            return house.fault(request, message, status=404, title="There is no such run")
        output, left_out = words.bounded(run.output, _OUTPUT_CHARACTERS, house.face.mask)
        return house.page(
            "run.html",
            request,
            kind={"bad": "bad", "warn": "warn"}.get(words.outcome_kind(run.outcome), "good"),
            run=run,
            output=output,
            left_out=left_out,
            cause=run.error.partition("\n")[0],
            details=run.error.partition("\n")[2],
            code=_marked(then, run),
            schedule=then.schedule if then is not None else "",
            now=house.now(),
            done=_done(request.query_params),
        )

    def output(self, request: Request) -> Response:
        """All that a run printed, as a text."""
        house = self._house
        with house.face.open_store() as store:
            run = store.run(request.query_params.get("id", ""))
        if run is None:
            return house.fault(request, "There is nothing of that id.", status=404, title="There is no such run")
        text = words.block(house.face.mask(run.output)).encode("utf-8", "replace")
        return Response(text, media_type="text/plain; charset=utf-8")

    def broken(self, request: Request) -> Response:
        """The RDs that are refused, with the lines that are wrong."""
        house = self._house
        try:
            broken = house.face.ask("").broken()
        except (NoDaemonError, RefusedError) as fault:
            return house.fault(request, str(fault), status=503, title="The daemon does not answer")
        found = [(each, _excerpts(each)) for each in broken]
        return house.page("broken.html", request, kind="bad" if found else "good", broken=found, now=house.now())

    def mail(self, request: Request) -> Response:
        """What goes wrong, who was told of it, and what could not be told."""
        house = self._house
        with house.face.open_store() as store:
            incidents, mails = store.incidents(), store.mails(limit=100)
        unsent = [mail for mail in mails if mail.delivered_at is None]
        return house.page(
            "mail.html",
            request,
            kind="warn" if any(mail.failed_at for mail in unsent) else "good",
            incidents=incidents,
            unsent=[(mail, _mail_state(mail)) for mail in unsent],
            sent=[mail for mail in mails if mail.delivered_at is not None][:20],
            now=house.now(),
            done=_done(request.query_params),
        )

    def audit(self, request: Request) -> Response:
        """Who did what."""
        house = self._house
        with house.face.open_store() as store:
            deeds = store.deeds(limit=200)
        return house.page("audit.html", request, kind="good", deeds=deeds, now=house.now())

    def login(self, request: Request) -> Response:
        """Where one says who one is."""
        following = request.query_params.get("next", "/")
        return self._house.page("login.html", request, kind="good", following=following, fault="")

    def favicon(self, request: Request) -> Response:
        """The icon: how all is."""
        return Response(charts.favicon(request.query_params.get("kind", "good")), media_type="image/svg+xml")

    def _dots(self, runs: Iterable[Run]) -> list[charts.Dot]:
        return [
            charts.Dot(seconds=run.duration_seconds, outcome=run.outcome, href=self._house.run_url(run.run_id))
            for run in runs
            if run.duration_seconds is not None
        ]


def _chosen(found: Overview, query: str, *, only: str) -> list[int]:
    """Which of the jobs are shown: the worst first, then what is due first."""
    wanted = query.casefold()
    shown = [
        n
        for n, job in enumerate(found.jobs)
        if (not wanted or wanted in job.key.casefold() or wanted in job.title.casefold())
        and (not only or found.states[n].name.lower() == only)
    ]
    rank = {state: place for place, state in enumerate(words.ORDER)}

    def order(n: int) -> tuple[int, float, str]:
        due = found.jobs[n].due
        return rank[found.states[n]], due.timestamp() if due is not None else float("inf"), found.jobs[n].key

    return sorted(shown, key=order)


def _rd_states(found: Overview) -> list[tuple[str, str, int]]:
    """Each RD with how the worst of its jobs stands; the worst first."""
    kinds = ("bad", "warn", "busy", "still", "good", "none")
    worst = {rd.rd_id: "none" if rd.is_good else "bad" for rd in found.rds}
    for job, state in zip(found.jobs, found.states, strict=True):
        rd_id = job.key.partition("#")[0]
        worst[rd_id] = min(worst.get(rd_id, "none"), state.kind, key=kinds.index)
    jobs = {rd.rd_id: rd.jobs for rd in found.rds}
    return sorted(
        ((rd_id, kind, jobs.get(rd_id, 0)) for rd_id, kind in worst.items()),
        key=lambda each: (kinds.index(each[1]), each[0]),
    )


def _named_days(days: tuple[DayOfRuns | None, ...]) -> list[tuple[int, DayOfRuns]]:
    """The days on which something went wrong, each with how many days ago that is."""
    return [(ago, day) for ago, day in enumerate(days) if day is not None and day.bad]


def _percentiles(took: list[float]) -> tuple[float | None, float | None]:
    """p50 and p95 of these; None where there are none."""
    if not took:
        return None, None
    if len(took) == 1:
        return took[0], took[0]
    parts = quantiles(took, n=20, method="inclusive")
    return parts[9], parts[18]


def _number(text: str, *, most: int) -> int:
    """A page's number, within bounds whatever is asked for."""
    return min(int(text), most) if text.isascii() and text.isdecimal() and 0 < len(text) < 7 and int(text) else 1


def _numbered(part: CodeLinesView, marked: set[tuple[str, int]]) -> list[tuple[int, str, bool]]:
    return [(number, text, (part.path, number) in marked) for number, text in part.lines]


def _marked(then: PastExecute | None, run: Run) -> list[tuple[str, list[tuple[int, str, bool]]]]:
    """The code as it was, the lines marked that the traceback goes through."""
    marked = {(path, int(number)) for path, number in re.findall(r'File "([^"\n]+)", line (\d{1,9})', run.error)}
    parts = [CodeLinesView(path=part.path, lines=part.lines) for part in then.code] if then is not None else []
    return [(part.path, _numbered(part, marked)) for part in parts]


def _excerpts(broken: Broken) -> dict[int, list[tuple[int, str, bool]]]:
    """For each fault, by its place in the list, the lines around it, as the file has them now."""
    texts: dict[str, list[str]] = {}
    found = {}
    for n, fault in enumerate(broken.diagnostics):
        if fault.path not in texts:
            try:
                with Path(fault.path).open("rb") as file:
                    texts[fault.path] = file.read(_MOST_SOURCE_BYTES).decode("utf-8", "replace").split("\n")
            except OSError:
                texts[fault.path] = []
        lines = texts[fault.path]
        first, last = max(1, fault.line - _EXCERPT_LINES), min(len(lines), fault.line + _EXCERPT_LINES)
        found[n] = [(number, lines[number - 1][:1000], number == fault.line) for number in range(first, last + 1)]
    return found


def _mail_state(mail: QueuedMail) -> str:
    if mail.failed_at is not None:
        return "given up"
    return "retrying" if mail.attempts else "waiting"


_DONE: Final = {
    "triggered": "It begins as soon as there is a free slot.",
    "cancelled": "It is being ended.",
    "paused": "It is paused.",
    "resumed": "It goes on.",
    "reloaded": "Everything was read anew.",
    "delivering": "All that waits is being tried now.",
}


def _done(query: Mapping[str, Any]) -> str:
    """What was done just now; addresses can say nothing but that."""
    return _DONE.get(str(query.get("done", "")), "")
