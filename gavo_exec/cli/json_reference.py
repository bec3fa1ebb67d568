"""The schemas and the reference of what ``--json`` prints, derived from its types."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from gavo_exec.cli.json_forecasts import (
    BusyMinuteView,
    ExplanationView,
    FindingView,
    SimulatedJobView,
    SimulatedRunView,
    SimulationView,
)
from gavo_exec.control_views import PauseView, StatusView
from gavo_exec.json_views import (
    CodeLinesView,
    DeedView,
    DiagnosticView,
    DifferenceView,
    DueView,
    ExecuteView,
    JobView,
    LimitView,
    ListedJob,
    MigrationView,
    PlaceView,
    PolicyView,
    RunView,
    RunWithOutput,
)
from gavo_exec.services.mail.payload import CodeLine, IncidentView, Notification

_NAMES: Mapping[type[msgspec.Struct], str] = {
    ExecuteView: "An execute",
    JobView: "An execute with its state",
    ListedJob: "A job",
    PolicyView: "A policy",
    LimitView: "A limit",
    DueView: "A due instant",
    ExplanationView: "An explanation",
    SimulationView: "A simulation",
    SimulatedJobView: "A job in a simulation",
    FindingView: "A finding",
    SimulatedRunView: "A run in a simulation",
    BusyMinuteView: "A busy minute",
    DiagnosticView: "A diagnostic",
    PlaceView: "A place",
    RunView: "A run",
    RunWithOutput: "A run with its output",
    CodeLinesView: "Code as it was",
    DeedView: "A deed",
    MigrationView: "A migration report",
    DifferenceView: "A difference",
    StatusView: "A daemon",
    PauseView: "A pause",
    Notification: "A notification",
    IncidentView: "An incident",
    CodeLine: "A line of code",
}
"""The objects by their headings in the reference, in its order."""


class Printed(msgspec.Struct, frozen=True, kw_only=True):
    """What a command prints: a value of one of ``types``; ``says`` is what there is to know of it, in Markdown."""

    types: tuple[Any, ...]
    says: str


PRINTED: Mapping[str, Printed] = {
    "show": Printed(
        types=(JobView, ExecuteView, list[ExecuteView], RunWithOutput),
        says="""\
- With one KEY: one [execute with its state](#an-execute-with-its-state). Where nothing is recorded yet, the state is
  that of a daemon that starts now. Where the recorded state cannot be read, that is told on standard error, and what is
  printed is an [execute](#an-execute): none of its fields needs the state.
- With several KEYs: a list of [executes](#an-execute), in the order of the KEYs. The state is not looked at.
- With `--all`: a list of the [executes](#an-execute) of all good RDs, by `rd_id` and in the order of the file. The
  state is not looked at. Each broken RD is told on standard error with its first fault, and the exit code is 1 then.
- With a RUN: one [run with its output](#a-run-with-its-output).

A KEY that nothing has is exit code 2, one of a broken RD is exit code 1; on standard output there is nothing then.""",
    ),
    "list": Printed(
        types=(list[ListedJob],),
        says="""\
A list of [jobs](#a-job), the next due first, those without a due instant last; then by `key`; or in the order that
`--sort` says. They are those of the daemon on the state directory. Where none runs, they are the executes of all good
RDs, and those that are held back: jobs of a broken RD that run on in its last good version, as a daemon has recorded
them; of these, what only the RD can tell is null. Each broken RD is told on standard error with its first fault; the
exit code is 0 all the same.""",
    ),
    "check": Printed(
        types=(list[DiagnosticView], MigrationView),
        says="""\
A list of [diagnostics](#a-diagnostic) of all files that are checked, by file and in the order of the file. The exit
code is 1 if there is an error among them, else 0.

With `--dachs`: one [migration report](#a-migration-report).""",
    ),
    "next": Printed(
        types=(list[DueView],),
        says="""\
A list of [due instants](#a-due-instant): the first so many (`--count`) of each job, all of them in order of time. At
like instants what runs when its RD is loaded comes first, then `key` decides.

They are those of a daemon that starts at T, which is `--from` or now, finds what is recorded, keeps running, and whose
runs start when they are due and end before they are due again:

- `at`: each such time after T, at second 0.
- `every`: the last start plus the interval, and so on. Where none is recorded, and always with `--fresh`: a tenth of
  the interval after T, or T itself where the number is negative, and counting from there.
- What narrows a schedule holds as well: times are by the clocks of `zone`, of those of `at` only those count that
  `only` and `excluded` leave, and `delay_seconds` are added to them; an interval that ends outside of these goes on
  until the next minute within, and its first instant comes `delay_seconds` later.
- What has passed by T and is recorded neither as run nor as left out: T, for each run that makes up for it, as `missed`
  and `grace_seconds` of its policy say; the `reason` is `catch_up` where it is more than a minute late. What was due by
  another schedule, before an edit, is not made up for; but an interval that has ended by T is due at T all the same.
- What is to be tried again: when that is to begin.
- `on="loaded"`: T, once.
- Where a last start is recorded that is more than a day after T, as where nothing is recorded.

Without a recorded state, or with `--fresh`, only the files count; jobs that are held back are known from the state
alone, and are left out then.""",
    ),
    "explain": Printed(
        types=(ExplanationView,),
        says="""\
One [explanation](#an-explanation). The verdicts are: `ran`, a run began, and its `outcome` in `runs` tells how it
ended; `running`, it goes on; `skipped` and `missed`, the record says that it was left out; `failed_to_begin`, the
record says why; `not_due`, the schedule does not have the instant; `nothing_new`, there were no new files; `waiting`,
it is due and has not begun; `unserved`, it was due and no daemon has come to it; `unknown`, there is no record that
would tell; `coming`, it will be due; `never`, it is due at no instant, or nothing will let it run.

A KEY that neither an RD nor the state has is exit code 2; on standard output there is nothing then.""",
    ),
    "simulate": Printed(
        types=(SimulationView,),
        says="""\
One [simulation](#a-simulation). It is that of a daemon that starts at `--from` (or now), finds what is recorded (with
`--fresh`: nothing), and runs to `--to` (or for a day), but for when it is down (`--down`). Runs take as long as is told
for each job, and succeed; but those of jobs named by `--failing` fail, and those that take longer than they may time
out. Executes that wait for files find new ones each time. Ids of runs mean something within one simulation only.

The kinds of findings are: `skipped`, left out since its run before goes on; `missed`, passed unserved and left out;
`caught_up`, passed unserved and made up for; `waited`, begun late since something was in the way; `waiting`, not begun
by the end; `replaced`, ended for the next run; `timed_out`, ended by its time limit; `interrupted`, ended with the
daemon.

`told` has the first N records with `--runs N`; without it all, if there are no more than 40, else none. Each broken RD
is told on standard error with its first fault; the exit code is 0 all the same.""",
    ),
    "audit": Printed(
        types=(list[DeedView],),
        says="""\
A list of [deeds](#a-deed), the latest first.""",
    ),
    "status": Printed(
        types=(StatusView,),
        says="""\
One [daemon](#a-daemon). Where none runs, the exit code is 3, and on standard output there is nothing.

What `trigger`, `tail`, `pause`, `resume` and `reload` print is on the page of [the control socket](control.md).""",
    ),
    "history": Printed(
        types=(list[RunView],),
        says="""\
A list of [runs](#a-run), newest first. `gavo-exec show` with `--json` has a run's output, and so has `gavo-exec
export`: an object a line, with all fields of a run, and `output`.""",
    ),
}
"""What commands print with ``--json``, as far as it is stable."""


_TOLD = """\
One [notification](#a-notification) for each mail about what goes wrong: as the body of a POST to `webhook_url`, and on
the standard input of `notify_command`. Secrets are masked as in mails."""


def schema(command: str) -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of what a command prints."""
    return _schema(PRINTED[command].types, title=f"gavo-exec {command} --json")


def notification_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of what other channels than mail are told."""
    return _schema((Notification,), title="A notification by gavo-exec")


def _schema(types: tuple[Any, ...], *, title: str) -> dict[str, Any]:
    roots, components = msgspec.json.schema_components(types, ref_template="#/$defs/{name}")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        **({"anyOf": list(roots)} if len(roots) > 1 else roots[0]),
        "$defs": components,
    }


def schema_text(command: str) -> str:
    """The text of ``schemas/json/COMMAND.schema.json``."""
    return json.dumps(schema(command), indent=2) + "\n"


def notification_schema_text() -> str:
    """The text of ``schemas/json/notification.schema.json``."""
    return json.dumps(notification_schema(), indent=2) + "\n"


def reference() -> str:
    """The text of ``docs/reference/json.md``."""
    lines = [
        "# JSON",
        "",
        "<!-- Derived from gavo_exec/cli/json_reference.py, json_views.py, json_forecasts.py and",
        "gavo_exec/services/mail/payload.py: change it there. -->",
        "",
        "What the commands below print with `--json`, and what webhooks and `notify_command` are told, is stable: a",
        "field keeps its name, its type and its meaning until the first number of the version changes. Fields may be",
        "added at any time, and so may values of `reason`, `outcome`, `severity`, `on`, `missed`, `overlap`,",
        "`isolate`, `kind`, `state`, `takes_from` and `verdict`, so programs should pass over what they do not know.",
        "Wording of messages, titles and schedules in words is for people, and may change.",
        "",
        "Output is one value in UTF-8. An instant is a string in ISO 8601, in UTC, ending in `Z`. Durations are in",
        "seconds. Paths are absolute. A field is always there; where there is nothing to say it is null, or empty.",
        "",
        "JSON Schemas (draft 2020-12) are in `schemas/json/`, a file for each command, as `list.schema.json`; that of",
        "webhooks and `notify_command` is `notification.schema.json`.",
    ]
    for command, printed in PRINTED.items():
        lines += ["", f"## gavo-exec {command}", "", printed.says]
    lines += ["", "## Notification", "", _TOLD]
    _, components = msgspec.json.schema_components(_NAMES, ref_template="#/$defs/{name}")
    for struct, name in _NAMES.items():
        lines += ["", f"## {name}", "", *_description(struct)]
        lines += ["", "| Field | Type | Meaning |", "|---|---|---|", *_rows(struct, components)]
    return "\n".join(lines) + "\n"


def _base(struct: type[msgspec.Struct]) -> type[msgspec.Struct] | None:
    """The object that this one has all fields of, if it is in the reference itself."""
    return next((base for base in struct.__bases__ if base in _NAMES), None)


def _description(struct: type[msgspec.Struct]) -> Iterator[str]:
    """What an object is."""
    yield (struct.__doc__ or "").partition("\n")[0]
    if (base := _base(struct)) is not None:
        yield f"It has all fields of {_link(_NAMES[base])}, and these:"


def _rows(struct: type[msgspec.Struct], components: Mapping[str, Any]) -> Iterator[str]:
    """The table's rows for an object's own fields."""
    base = _base(struct)
    known = base.__struct_fields__ if base is not None else ()
    for name, field in components[struct.__name__]["properties"].items():
        if name not in known:
            yield f"| `{name}` | {_type(field, components)} | {field['description']} |"


def _link(name: str) -> str:
    """The link to an object's heading."""
    return f"[{name.lower()}](#{name.lower().replace(' ', '-')})"


def _type(field: Mapping[str, Any], components: Mapping[str, Any]) -> str:
    """The type that a schema gives a field, in words."""
    names = {struct.__name__: name for struct, name in _NAMES.items()}
    match field:
        case {"$ref": str(ref)} if (name := names.get(ref.rpartition("/")[2])) is not None:
            words = _link(name)
        case {"$ref": str(ref)}:
            words = _type(components[ref.rpartition("/")[2]], components)
        case {"anyOf": list(options)}:
            found = [_type(option, components) for option in options]
            words = (", or " if re.search(" or |list of", found[0]) else " or ").join(found)
        case {"enum": list(values)}:
            words = ", ".join("null" if value is None else f"`{value}`" for value in values)
        case {"prefixItems": list(items)}:
            words = f"\\[{', '.join(_type(item, components) for item in items)}\\]"
        case {"type": "array", "items": dict(item)}:
            words = f"list of {_type(item, components)}"
        case {"type": "object", "additionalProperties": dict(value)}:
            words = f"object with {_type(value, components)} for each name"
        case {"format": "date-time"}:
            words = "instant"
        case _:
            words = str(field["type"])
    return words
