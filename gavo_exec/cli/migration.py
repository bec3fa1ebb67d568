"""The report for those who move from DaCHS: what comes out otherwise here, why that is better, or what to change.

It is computed from the RDs as read, and from what is known of the site.
"""

from collections import Counter
from collections.abc import Iterable, Iterator

import msgspec

from gavo_exec.catalog import Catalog
from gavo_exec.cli.migration_code import notes_on_code, spawns
from gavo_exec.cli.output import counted
from gavo_exec.errors import Diagnostic, Position, Severity
from gavo_exec.json_views import DiagnosticView, DifferenceView, MigrationView
from gavo_exec.model import Execute, Rejection, ResourceDescriptor, Site
from gavo_exec.schedule import At, Every, Loaded

_TRUE = frozenset({"true", "yes", "t", "on", "enabled", "1"})

_DACHS_ON_FAULTS = {
    "E103": "DaCHS has no such limit",
    "E105": "DaCHS takes external entities for nothing, and goes on",
    "E106": "DaCHS has only the limits of its XML parser",
    "E107": "DaCHS has only the limits of Python",
    "E206": "DaCHS gives the id to the later execute, and runs both",
    "E208": "DaCHS supports it",
    "E301": "DaCHS passes over what follows a time, and over a day of the month after one of the week",
    "E302": "DaCHS takes 0 for as often as possible, and refuses what is no number",
    "E402": "DaCHS accepts it, and nothing of the job ever runs",
}
"""What DaCHS makes of faults, where it does not refuse the RD as well."""


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """A general difference: ``count`` of the site's ``what`` (executes, RDs) have to do with it."""

    topic: str
    count: int
    what: str
    text: str
    advice: str = ""

    def __str__(self) -> str:
        """The difference for people, on one line."""
        return f"{counted(self.count, self.what)}: {self.text}" + (f" {self.advice}" if self.advice else "")


class MigrationReport(msgspec.Struct, frozen=True, kw_only=True):
    """What would be otherwise: in general, and for each RD and execute, by file and line.

    ``rds`` and ``executes`` are those that run here, ``refused`` counts the RDs that are refused here.
    """

    rds: int
    executes: int
    refused: int
    general: tuple[Difference, ...]
    notes: tuple[Diagnostic, ...]

    def lines(self) -> Iterator[str]:
        """The report for people."""
        refused = f"; {counted(self.refused, 'RD')} refused here" if self.refused else ""
        yield f"{counted(self.executes, 'execute')} in {counted(self.rds, 'RD')}{refused}"
        if self.general:
            yield ""
            yield "What is otherwise than in DaCHS:"
            yield from (f"- {difference}" for difference in self.general)
        if self.notes:
            yield ""
            yield "In particular:"
            for note in self.notes:
                yield from note.render().splitlines()

    def view(self) -> MigrationView:
        """The report for programs."""
        general = tuple(DifferenceView(**msgspec.structs.asdict(difference)) for difference in self.general)
        return MigrationView(
            rds=self.rds,
            executes=self.executes,
            refused=self.refused,
            general=general,
            notes=tuple(map(DiagnosticView.of, self.notes)),
        )


def report(catalog: Catalog, site: Site) -> MigrationReport:
    """What would be otherwise for these RDs; without a ``gavo.rc`` in ``site`` nobody knows what DaCHS loads."""
    rds = [rd for rd in catalog.accepted.values() if rd.executes]
    executes = [execute for rd in rds for execute in rd.executes]
    notes = [note for rd in rds for note in _notes_on(rd, site)]
    notes += [note for rejection in catalog.rejected.values() for note in _notes_on_rejection(rejection)]
    # Executes that a LOOP makes have one place in the file.
    unique = {(note.position, note.code, note.message): note for note in notes}
    return MigrationReport(
        rds=len(rds),
        executes=len(executes),
        refused=len(catalog.rejected),
        general=tuple(difference for difference in _general(rds, executes, site) if difference.count),
        notes=tuple(sorted(unique.values(), key=_order)),
    )


def _order(note: Diagnostic) -> tuple[str, int, str]:
    return note.position.path, note.position.line, note.code


# In particular


def _note(code: str, position: Position, message: str, hint: str) -> Diagnostic:
    return Diagnostic(code=code, message=message, position=position, severity=Severity.NOTE, hint=hint)


def _notes_on(rd: ResourceDescriptor, site: Site) -> Iterator[Diagnostic]:
    """What there is to say about an RD and its executes."""
    top = Position(path=rd.path)
    if site.files and rd.rd_id not in _preloaded(site):
        unless = " unless it is published" if _loads_published(site) else ""
        yield _note(
            "N701",
            top,
            f"DaCHS does not load this RD by itself{unless}, so its jobs do not run before somebody asks for it",
            "here they run from the start; take out those that are not wanted",
        )
    if rd.schema is None:
        yield _note(
            "N702",
            top,
            "DaCHS refuses this RD, since it has no schema; its jobs have never run there",
            "here it is accepted, and its data are beside it; a schema makes it good for both",
        )
    last = {execute.title: execute for execute in rd.executes}
    for execute in rd.executes:
        yield from _notes_on_execute(execute, last[execute.title])
        yield from notes_on_code(execute)


def _notes_on_execute(execute: Execute, namesake: Execute) -> Iterator[Diagnostic]:
    """What there is to say about an execute beside its code; ``namesake`` is the last one with its title."""
    if isinstance(execute.schedule, Loaded):
        yield _note(
            "N703",
            execute.position,
            'DaCHS 2.7 refuses the RD for on="loaded"; later versions run the job in each process that loads the RD',
            "here the daemon runs it once when it starts and once for each new version, before the RD's other jobs",
        )
    if namesake is not execute:
        yield _note(
            "N704",
            execute.position,
            f"DaCHS never runs this, since line {namesake.position.line} has an execute with the same title",
            "here both run; take out one of them, or give each an id and a title of its own",
        )
    if execute.debug:
        yield _note(
            "N705",
            execute.position,
            "with debug, DaCHS fails to mail what programs print that the job spawns",
            "here a mail with all of a run's output comes after each good run",
        )


def _notes_on_rejection(rejection: Rejection) -> Iterator[Diagnostic]:
    """What DaCHS makes of the faults for which an RD is refused here."""
    for fault in rejection.diagnostics:
        if fault.severity is Severity.ERROR and (there := _DACHS_ON_FAULTS.get(fault.code)) is not None:
            yield _note(
                "N731",
                fault.position,
                f"{fault.code} refuses the RD here ({fault.message}); {there}",
                fault.hint or "mend it: its jobs do not run here as it is",
            )


# In general


def _general(rds: list[ResourceDescriptor], executes: list[Execute], site: Site) -> Iterator[Difference]:
    """The general differences; those that concern nothing have a count of 0."""
    yield from _on_loading(rds, executes, site)
    yield from _on_time(executes)
    yield from _on_running(executes)


def _on_loading(rds: list[ResourceDescriptor], executes: list[Execute], site: Site) -> Iterator[Difference]:
    there = [rd for rd in rds if rd.rd_id in _preloaded(site)]
    yield Difference(
        topic="twice",
        count=sum(len(rd.executes) for rd in there) if site.files else len(executes),
        what="execute",
        text="DaCHS runs them as well, beside gavo-exec, as soon as it loads their RDs.",
        advice="Keep executes in RDs that DaCHS does not load, and take these out of preloadRDs.",
    )
    yield Difference(
        topic="loading",
        count=len(rds) - len(there),
        what="RD",
        text="DaCHS loads only what preloadRDs names, or somebody asks for; here all RDs are in force from the start.",
        advice="" if site.files else "No gavo.rc is known here, so all of them are counted.",
    )
    yield Difference(
        topic="edits",
        count=len(rds),
        what="RD",
        text="An edit is taken up at once and not when somebody asks for the RD; a broken one leaves the last good "
        "version running; what is taken out stops, where DaCHS goes on with it until it is restarted.",
    )
    yield Difference(
        topic="elements",
        count=len(rds),
        what="RD",
        text="Only what concerns executes is read, so that a fault in a table or a service stops no job, as it does "
        "in DaCHS.",
    )


def _on_time(executes: list[Execute]) -> Iterator[Difference]:
    at = [execute.schedule for execute in executes if isinstance(execute.schedule, At)]
    every = [execute.schedule for execute in executes if isinstance(execute.schedule, Every)]
    yield Difference(
        topic="seconds",
        count=len(at),
        what="execute",
        text="What has at runs at second 0 of the minute, in DaCHS at the second at which the RD was loaded.",
    )
    crowds = Counter((time.hour, time.minute) for schedule in at for time in set(schedule.times))
    (hour, minute), crowd = max(crowds.items(), key=lambda item: item[1], default=((0, 0), 0))
    yield Difference(
        topic="crowds",
        count=crowd if crowd > 1 else 0,
        what="execute",
        text=f"All of these can be due at {hour}:{minute:02}. They start together, in DaCHS one a second.",
        advice="Where they get in each other's way, give them minutes of their own.",
    )
    yield Difference(
        topic="phases",
        count=len(every),
        what="execute",
        text="Intervals go on where they were after a restart or an edit, where DaCHS begins anew; what was due "
        "meanwhile runs once, at once.",
    )
    yield Difference(
        topic="negative",
        count=sum(schedule.immediately for schedule in every),
        what="execute",
        text="A negative every means a run at once when the job is new; in DaCHS one after each start and reload.",
        advice='What has to run at each start is to have on="loaded".',
    )
    yield Difference(
        topic="quick",
        count=sum(schedule.seconds < 10 for schedule in every),
        what="execute",
        text="Intervals below 10 seconds are kept; DaCHS starts one job a second in all, so that they hold up others.",
    )


def _on_running(executes: list[Execute]) -> Iterator[Difference]:
    yield Difference(
        topic="overlap",
        count=len(executes),
        what="execute",
        text="A job never runs twice at once, not even after an edit or from the command line; in DaCHS the old and "
        "the new version can.",
    )
    yield Difference(
        topic="process",
        count=len(executes),
        what="execute",
        text="Jobs run in a process of their own: they have no database connections of the server and do not share "
        "its caches, and harm it in no way.",
    )
    yield Difference(
        topic="children",
        count=sum(map(spawns, executes)),
        what="execute",
        text="Programs run in the resdir and not in the server's working directory, and are ended with the daemon. "
        "One that fails, or cannot be started, makes the run a failed one; the job goes on.",
    )
    titles = Counter(execute.title for execute in executes)
    yield Difference(
        topic="mail",
        count=len(executes),
        what="execute",
        text="Every failed run is mailed, with its output, and kept in the history; DaCHS mails one an hour for each "
        "title, and drops the rest.",
        advice=_on_namesakes(sum(number for number in titles.values() if number > 1)),
    )


def _on_namesakes(number: int) -> str:
    return f"Of these, {number} share their title with others, and can silence each other there." if number else ""


# The site


def _preloaded(site: Site) -> frozenset[str]:
    """The RDs that DaCHS loads when it starts, by id."""
    return frozenset(_rd_ids((site.get("web", "preloadRDs") or "").split(",")))


def _rd_ids(names: Iterable[str]) -> Iterator[str]:
    """RD ids as configuration files have them, in the one way that counts."""
    for name in names:
        rd_id = name.strip().removeprefix("./").removesuffix(".rd")
        yield f"__system__/{rd_id[2:]}" if rd_id.startswith("//") else rd_id


def _loads_published(site: Site) -> bool:
    """Whether DaCHS loads what is published when it starts."""
    return (site.get("web", "preloadPublishedRDs") or "").strip().lower() in _TRUE
