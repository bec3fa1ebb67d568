"""What can be asked over the control socket: one table, from which the server and the OpenAPI document derive."""

import codecs
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any, Final

import msgspec

from gavo_exec.access import Scope
from gavo_exec.control import Printed, RefusedError
from gavo_exec.control_views import (
    Broken,
    Cancel,
    Cancelled,
    Done,
    JobDetail,
    JobLine,
    LiveLine,
    PauseOrder,
    PauseView,
    RDLine,
    ReloadedView,
    ResumeOrder,
    StatusView,
    StopOrder,
    Trigger,
    Triggered,
)
from gavo_exec.json_views import DueView, ListedJob
from gavo_exec.measures import Measures
from gavo_exec.ports.control import Control

_DECODER: Final = codecs.getincrementaldecoder("utf-8")


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What a request says: its body as the route's type, its query, and who asks."""

    body: Any
    query: dict[str, str]
    who: str


class Parameter(msgspec.Struct, frozen=True, kw_only=True):
    """Something in the query of a request."""

    name: str
    description: str


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that can be asked; where it ``streams``, the answer is many lines of the type it ``answers``.

    ``scope`` is what a token needs for it over the network.
    """

    method: str
    path: str
    summary: str
    takes: Any = None
    answers: Any
    answer: Callable[[Control, Asked], Any]
    status: int = 200
    scope: Scope = Scope.READ
    streams: bool = False
    parameters: tuple[Parameter, ...] = ()


def _coming(control: Control, asked: Asked) -> list[DueView]:
    hours, each = _number(asked, "hours", 24, most=8784), _number(asked, "each", 10, most=100)
    return control.coming(until=control.status().now + timedelta(hours=hours), each=each)


def _number(asked: Asked, name: str, usual: int, *, most: int) -> int:
    """A whole number of the query, from 1 on."""
    text = asked.query.get(name, str(usual))
    if not text.isascii() or not text.isdecimal() or len(text) > 6 or not 1 <= int(text) <= most:
        raise msgspec.ValidationError(f"{name} must be a whole number from 1 to {most}")
    return int(text)


def _trigger(control: Control, asked: Asked) -> Triggered:
    body: Trigger = asked.body
    run_id = control.trigger(body.key, parameters=tuple(body.parameters.items()), who=asked.who)
    return Triggered(run_id=run_id)


def _pause(control: Control, asked: Asked) -> PauseView:
    body: PauseOrder = asked.body
    return PauseView.of(control.pause(body.key, until=body.until, note=body.note, who=asked.who))


def _reload(control: Control, asked: Asked) -> ReloadedView:
    reloaded = control.reload(who=asked.who)
    return ReloadedView(rds=reloaded.rds, jobs=reloaded.jobs, broken=reloaded.broken)


def _stop(control: Control, asked: Asked) -> Done:
    control.stop(at_once=asked.body.at_once, who=asked.who)
    return Done()


def _deliver(control: Control, asked: Asked) -> Done:
    control.deliver(who=asked.who)
    return Done()


def _follow(control: Control, asked: Asked) -> Iterator[LiveLine]:
    """What happens, as lines; characters are never cut in two."""
    key, run_id = asked.query.get("key", ""), asked.query.get("run", "")
    if bool(key) == bool(run_id):
        raise RefusedError("say either key or run")
    decoders: dict[str, codecs.IncrementalDecoder] = {}
    for happening in control.follow(key=key, run_id=run_id):
        text = ""
        if isinstance(happening, Printed):
            decoder = decoders.setdefault(happening.run_id, _DECODER("backslashreplace"))
            text = decoder.decode(happening.output)
            if not text:
                continue
        yield LiveLine.of(happening, text)


ROUTES: Final = (
    Route(
        method="GET",
        path="/v1/status",
        summary="The daemon in one look",
        answers=StatusView,
        answer=lambda control, _: StatusView.of(control.status()),
    ),
    Route(
        method="GET",
        path="/v1/jobs",
        summary="All jobs, a line for each",
        answers=list[JobLine],
        answer=lambda control, _: [JobLine.of(status) for status in control.jobs()],
    ),
    Route(
        method="GET",
        path="/v1/jobs/full",
        summary="All jobs, with all that their RDs say of them but for the code",
        answers=list[ListedJob],
        answer=lambda control, _: control.listed(),
    ),
    Route(
        method="GET",
        path="/v1/job",
        summary="One job, with all that its RD says of it, its code among that, and its next due instants",
        answers=JobDetail,
        answer=lambda control, asked: control.job(asked.query.get("key", "")),
        parameters=(Parameter(name="key", description="The key of the execute."),),
    ),
    Route(
        method="GET",
        path="/v1/coming",
        summary="What is due in the coming hours, in order of time; paused jobs are left out",
        answers=list[DueView],
        answer=_coming,
        parameters=(
            Parameter(name="hours", description="How many hours, from 1 to 8784; 24 unless told."),
            Parameter(name="each", description="How many instants of each job at most, from 1 to 100; 10 unless told."),
        ),
    ),
    Route(
        method="GET",
        path="/v1/rds",
        summary="The RDs that have jobs, or are refused",
        answers=list[RDLine],
        answer=lambda control, _: control.rds(),
    ),
    Route(
        method="GET",
        path="/v1/broken",
        summary="The RDs that are refused at present, with all that is to be said about them",
        answers=list[Broken],
        answer=lambda control, _: control.broken(),
    ),
    Route(
        method="GET",
        path="/v1/measures",
        summary="What was counted of runs since the daemon started, where it shows itself over HTTP",
        answers=Measures,
        answer=lambda control, _: control.measures(),
    ),
    Route(
        method="POST",
        path="/v1/runs",
        scope=Scope.OPERATE,
        summary="Let an execute run now, whether it is paused or not",
        takes=Trigger,
        answers=Triggered,
        answer=_trigger,
        status=202,
    ),
    Route(
        method="GET",
        path="/v1/live",
        summary="What a run does until it has ended, or what all runs of an execute do, without end",
        answers=LiveLine,
        answer=_follow,
        streams=True,
        parameters=(
            Parameter(name="run", description="The id of a run, which may have ended."),
            Parameter(name="key", description="The key of an execute."),
        ),
    ),
    Route(
        method="POST",
        path="/v1/cancel",
        scope=Scope.OPERATE,
        summary="End a run, or all runs of an execute, as far as that can be done",
        takes=Cancel,
        answers=Cancelled,
        answer=lambda control, asked: Cancelled(runs=control.cancel(asked.body.run, who=asked.who)),
        status=202,
    ),
    Route(
        method="POST",
        path="/v1/pause",
        scope=Scope.OPERATE,
        summary="Let an execute, or all, not start by itself",
        takes=PauseOrder,
        answers=PauseView,
        answer=_pause,
    ),
    Route(
        method="POST",
        path="/v1/resume",
        scope=Scope.OPERATE,
        summary="Let a pause be over; answers what it was",
        takes=ResumeOrder,
        answers=PauseView,
        answer=lambda control, asked: PauseView.of(control.resume(asked.body.key, who=asked.who)),
    ),
    Route(
        method="POST",
        path="/v1/reload",
        scope=Scope.OPERATE,
        summary="Read everything anew, and wait until that is done",
        answers=ReloadedView,
        answer=_reload,
    ),
    Route(
        method="POST",
        path="/v1/deliver",
        scope=Scope.OPERATE,
        summary="Try now to deliver all mails that wait, and what goes by other channels",
        answers=Done,
        answer=_deliver,
        status=202,
    ),
    Route(
        method="POST",
        path="/v1/stop",
        scope=Scope.ADMIN,
        summary="Let the daemon end, without waiting for it",
        takes=StopOrder,
        answers=Done,
        answer=_stop,
        status=202,
    ),
)
