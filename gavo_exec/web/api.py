"""What programs ask: the control API, health, metrics, the calendar."""

from datetime import datetime

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from gavo_exec.access import Scope
from gavo_exec.control import NoDaemonError, RefusedError
from gavo_exec.control_views import Refusal
from gavo_exec.errors import GavoExecError
from gavo_exec.model import Outcome
from gavo_exec.web import ics, metrics
from gavo_exec.web.doorkeeper import TooManyError, Visitor
from gavo_exec.web.house import LAG_SECONDS, House
from gavo_exec.web.live import Live
from gavo_exec.web.snapshot import Kept

_CALENDAR_DAYS = 14
_CALENDAR_EACH = 20
_MOST_EVENTS = 5000


class Api:
    """Answers programs."""

    def __init__(self, house: House, live: Live) -> None:
        self._house = house
        self._live = live
        self._successes: dict[str, datetime | None] = {}  # None where there was none before this process began
        self._metered = Kept(self._measure)
        self._status = Kept(lambda: house.face.ask("").status())

    def healthz(self, _: Request) -> Response:
        """Whether the scheduler is awake when it means to be."""
        try:
            status = self._status()
        except GavoExecError as fault:
            return _plain(f"the daemon does not answer: {fault}", 503)
        if status.lag_seconds > LAG_SECONDS:
            return _plain(f"the scheduler has been overdue for {status.lag_seconds:.0f} s", 503)
        return _plain("ok", 200)

    def readyz(self, _: Request) -> Response:
        """Whether the daemon takes orders."""
        try:
            status = self._status()
        except GavoExecError as fault:
            return _plain(f"the daemon does not answer: {fault}", 503)
        return _plain("it is stopping", 503) if status.is_stopping else _plain("ok", 200)

    def measured(self, request: Request) -> Response:
        """Metrics."""
        try:
            metered = self._metered()
        except (NoDaemonError, RefusedError) as fault:
            return _plain(f"the daemon does not answer: {fault}", 503)
        content, kind = metrics.render(metered, request.headers.get("accept", ""))
        return Response(content, media_type=kind)

    def _measure(self) -> metrics.Metered:
        overview = self._house.overview()
        measures = self._house.face.ask("").measures()
        with self._house.face.open_store() as store:
            oldest_mail_at = store.oldest_undelivered_at()
            for job in overview.jobs:
                # What did well before this daemon started is looked up once.
                if job.key not in self._successes:
                    last = job.last_run
                    did_well = last is not None and last.outcome is Outcome.SUCCEEDED
                    self._successes[job.key] = last.at if last and did_well else store.last_success_at(job.key)
        self._successes.update((success.key, success.at) for success in measures.successes)
        keys = {job.key for job in overview.jobs}
        self._successes = {key: at for key, at in self._successes.items() if key in keys}
        return metrics.Metered(
            status=overview.status,
            jobs=overview.jobs,
            rds=overview.rds,
            measures=measures,
            successes={key: at for key, at in self._successes.items() if at is not None},
            oldest_mail_at=oldest_mail_at,
        )

    def calendar(self, request: Request) -> Response:
        """The runs of the coming days; of one job, where one is named."""
        house = self._house
        key = request.query_params.get("key", "")
        try:
            dues = house.face.ask("").coming(hours=24 * _CALENDAR_DAYS, each=100 if key else _CALENDAR_EACH)
        except (NoDaemonError, RefusedError) as fault:
            return _plain(f"the daemon does not answer: {fault}", 503)
        chosen = [due for due in dues if key in ("", due.key)][:_MOST_EVENTS]
        # Without an address of ours, that by which we were asked is a name that we are called: see the walls.
        address = house.face.address.rstrip("/") or f"{request.url.scheme}://{request.headers['host']}"
        content = ics.feed(chosen, host=house.face.host, now=house.now(), address=f"{address}/job?key=")
        return Response(content, media_type="text/calendar; charset=utf-8")

    def openapi(self, _: Request) -> Response:
        """What can be asked."""
        return Response(self._house.face.openapi, media_type="application/json")

    async def control(self, request: Request) -> Response:
        """What can be asked of the daemon itself: handed on to it, where the token allows it."""
        house, visitor = self._house, request.state.visitor
        path, query = request.scope["path"], request.url.query
        scope = house.face.scopes.get((request.method, path))
        if scope is None:
            return _refusal(f"{request.method} {path} is nothing that can be asked here", 404)
        if (refusal := _forbidden(visitor, scope)) is not None:
            return refusal
        try:
            if scope is not Scope.READ:
                house.doorkeeper.count_deed(visitor)
            body = await request.body()
            forward = house.face.ask(f"{visitor.name} over the network").forward
            status, kind, lines = await run_in_threadpool(forward, request.method, f"{path}?{query}", body)
        except TooManyError:
            return _refusal("that is too much in one minute; wait a little", 429)
        except GavoExecError as fault:
            return _refusal(str(fault), 503)
        if kind == "application/x-ndjson":
            return self._live.passed_on(request, lines, kind=kind)
        content = await run_in_threadpool(lambda: b"".join(lines))
        return Response(content, status, media_type="application/json")


def _forbidden(visitor: Visitor, scope: Scope) -> Response | None:
    """Why somebody may not ask that; None where they may."""
    # A browser sends a cookie wherever a page makes it: what is to be done takes a token in a header of its own.
    if visitor.token is None or (visitor.by_cookie and scope is not Scope.READ):
        return _refusal("this takes a token: Authorization: Bearer ...", 401)
    return None if visitor.may(scope) else _refusal(f"this takes a token of scope {scope.value}", 403)


def _plain(text: str, status: int) -> Response:
    return Response(f"{text}\n", status, media_type="text/plain; charset=utf-8")


def _refusal(error: str, status: int) -> Response:
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else {}
    return Response(msgspec.json.encode(Refusal(error=error)), status, media_type="application/json", headers=headers)
