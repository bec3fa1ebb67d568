"""What is measured: for each figure its contenders, what their values are, and the goals."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

Found = Mapping[str, list[float]]
"""The values of each contender."""


class Goal(NamedTuple):
    """What a figure should come to; ``value`` is of its contenders' values and those of an ``other`` figure."""

    number: int
    what: str
    value: Callable[[Found, Found], float]
    compare: str
    bound: float
    other: str = ""


class Figure(NamedTuple):
    """A table: ``contenders`` are scripts with arguments that print the values of ``columns``."""

    name: str
    title: str
    columns: tuple[str, ...]
    contenders: Mapping[str, tuple[str, ...]]
    against: str = ""
    goals: tuple[Goal, ...] = ()
    repeats: int = 5
    at_once: bool = False


def ratio(one: str, other: str, column: int = 0) -> Callable[[Found, Found], float]:
    """How much one contender's value is of another's."""
    return lambda found, _: found[one][column] / found[other][column]


def value(one: str, column: int = 0) -> Callable[[Found, Found], float]:
    """A contender's value."""
    return lambda found, _: found[one][column]


def growth(one: str, column: int = 0) -> Callable[[Found, Found], float]:
    """How much a contender's value is of what it was in the other figure."""
    return lambda found, before: found[one][column] / before[one][column]


PEER = "APScheduler 3.11"
NULL, DURABLE, LOGGED = "nothing kept", "everything on", "and a line of log"


def dispatch(count: int, *, repeats: int = 5) -> Figure:
    """Goals 1 to 3."""
    contenders = {
        "floor": ("dispatch", "floor", str(count)),
        NULL: ("dispatch", "null", str(count)),
        DURABLE: ("dispatch", "durable", str(count)),
        LOGGED: ("dispatch", "logged", str(count)),
        PEER: ("dispatch", "apscheduler", str(count)),
    }
    goals: tuple[Goal, ...] = (
        Goal(1, "starts, nothing kept, x APScheduler", ratio(NULL, PEER), ">=", 5),
        Goal(2, "starts, everything on, x APScheduler", ratio(DURABLE, PEER), ">=", 2),
        Goal(2, "us of CPU a run for all that is kept", lambda f, _: f[DURABLE][2] - f[NULL][2], "<=", 12),
    )
    if repeats < 5:  # the large one
        del contenders[LOGGED]
        goals = (
            Goal(3, "of the starts at 10,000, nothing kept", growth(NULL), ">=", 0.8, other="dispatch"),
            Goal(3, "of the starts at 10,000, everything on", growth(DURABLE), ">=", 0.8, other="dispatch"),
        )
    return Figure(
        name="dispatch" if repeats >= 5 else "dispatch-large",
        title=f"{count:,} no-op jobs due at one instant",
        columns=("starts/s", "all written/s", "us CPU a run"),
        contenders=contenders,
        against=PEER,
        goals=goals,
        repeats=repeats,
    )


def lateness(count: int, seconds: float) -> Figure:
    """Goal 4."""
    size = (str(count), str(seconds))
    return Figure(
        name="lateness",
        title=f"{count:,} jobs over {seconds:g} s: lateness",
        columns=("p50 ms", "p99 ms", "worst ms"),
        contenders={
            "floor": ("lateness", "floor", *size),
            DURABLE: ("lateness", "durable", *size),
            LOGGED: ("lateness", "logged", *size),
            PEER: ("lateness", "apscheduler", *size),
        },
        against=PEER,
        goals=(
            Goal(4, "p99, x APScheduler", ratio(DURABLE, PEER, 1), "<=", 1),
            Goal(4, "worst, x APScheduler", ratio(DURABLE, PEER, 2), "<=", 1),
        ),
    )


def computing(count: int, seconds: float) -> Figure:
    """Goal 5."""
    size = (str(count), str(seconds))
    return Figure(
        name="computing",
        title=f"{count / seconds:g} jobs a second while another one computes: lateness",
        columns=("p50 ms", "p99 ms", "worst ms"),
        contenders={
            "floor": ("lateness", "floor", *size, "computing"),
            "none computes": ("lateness", "durable", *size),
            DURABLE: ("lateness", "durable", *size, "computing"),
            "isolated": ("lateness", "durable", *size, "isolated"),
            PEER: ("lateness", "apscheduler", *size, "computing"),
        },
        against=PEER,
        goals=(
            Goal(5, "ms, p99", value(DURABLE, 1), "<=", 5),
            Goal(5, "p99, x APScheduler", ratio(DURABLE, PEER, 1), "<=", 0.2),
            Goal(
                5, "p99 beside an isolated one, x where none computes", ratio("isolated", "none computes", 1), "<=", 1.2
            ),
        ),
    )


def registering(count: int, *, before: str = "") -> Figure:
    """Goal 6."""
    ours = "gavo-exec, RDs of 10"
    goals = (
        Goal(6, "us to enter one", value(ours, 0), "<=", 6),
        Goal(6, "us to replace one", value(ours, 1), "<=", 6),
        Goal(6, "of what replacing takes among fewer", growth(ours, 1), "<=", 1.5, other=before),
    )
    return Figure(
        name=f"registering-{count}",
        title=f"a timetable of {count:,} executes",
        columns=("us to enter one", "us to replace one"),
        contenders={
            "floor": ("registering", "floor", str(count)),
            "gavo-exec, RDs of 1": ("registering", "gavo-exec", str(count), "1"),
            ours: ("registering", "gavo-exec", str(count), "10"),
            "gavo-exec, RDs of 100": ("registering", "gavo-exec", str(count), "100"),
            PEER: ("registering", "apscheduler", str(count)),
        },
        against=PEER,
        goals=goals if before else (),
    )


def memory(count: int) -> Figure:
    """Goal 7, the first part."""
    return Figure(
        name="memory",
        title=f"memory for each of {count:,} executes",
        columns=("bytes",),
        contenders={
            "floor": ("memory", "floor", str(count)),
            "the agenda": ("memory", "gavo-exec", str(count)),
            "and RDs without texts": ("memory", "whole", str(count)),
            PEER: ("memory", "apscheduler", str(count)),
        },
        against=PEER,
        goals=(Goal(7, "bytes an execute in the agenda", value("the agenda"), "<=", 600),),
        repeats=5,
    )


def idle(count: int, seconds: float) -> Figure:
    """Goal 8."""
    size = (str(count), str(seconds))
    return Figure(
        name="idle",
        title=f"{count:,} executes that are due tomorrow, {seconds:g} s, no files watched",
        columns=("ms of CPU", "wake-ups"),
        contenders={
            "floor": ("idle", "floor", *size),
            "gavo-exec": ("idle", "gavo-exec", *size),
            PEER: ("idle", "apscheduler", *size),
        },
        goals=(
            Goal(8, "ms of CPU in 20 s", lambda f, _: f["gavo-exec"][0] * 20 / seconds, "<=", 1),
            Goal(8, "wake-ups in 30 s", lambda f, _: f["gavo-exec"][1] * 30 / seconds, "<=", 1),
        ),
        at_once=True,
    )


def daemons(count: int, most: int, seconds: float) -> Figure:
    """Goal 7, the second part."""
    ours = f"gavo-exec, {most:,}"
    return Figure(
        name="daemons",
        title=f"a whole daemon, its files watched, {count:,} jobs that are due once a month, {seconds:g} s",
        columns=("s until ready", "MB resident", "MB at most", "ms of CPU", "wake-ups"),
        contenders={
            ours: ("daemons", "gavo-exec", "idle", str(most), str(seconds)),
            "gavo-exec": ("daemons", "gavo-exec", "idle", str(count), str(seconds)),
            "cronstable": ("daemons", "cronstable", "idle", str(count), str(seconds)),
        },
        against="gavo-exec",
        goals=(Goal(7, f"MB of a daemon with {most:,} executes, idle", value(ours, 2), "<=", 60),),
        at_once=True,
    )


def busy(count: int, seconds: float) -> Figure:
    """What a run of a command costs a daemon."""
    size = ("busy", str(count), str(seconds))
    return Figure(
        name="busy",
        title=f"a whole daemon that runs /bin/true {count} times a second",
        columns=("runs/s", "ms CPU a run"),
        contenders={
            "gavo-exec": ("daemons", "gavo-exec", *size),
            "cronstable": ("daemons", "cronstable", *size),
        },
        against="gavo-exec",
    )


def keeping(count: int) -> Figure:
    """Goal 2, the store alone."""
    return Figure(
        name="keeping",
        title=f"the store alone, {count:,} runs claimed and recorded, a commit for a hundred",
        columns=("us CPU a run",),
        contenders={
            "floor": ("keeping", "floor", str(count)),
            "gavo-exec": ("keeping", "gavo-exec", str(count)),
        },
        against="floor",
        goals=(Goal(2, "us of CPU a run for the store", value("gavo-exec"), "<=", 12),),
    )


def spawning(times: int, megabytes: int, *, before: str = "") -> Figure:
    """Goal 12."""
    size = (str(times), str(megabytes))
    least = "subprocess.run"
    goals: tuple[Goal, ...] = (
        Goal(12, "ProcessRunner.run, x subprocess.run", ratio("ProcessRunner.run", least), "<=", 1.15),
        Goal(12, "execDef.spawn, x subprocess.run", ratio("execDef.spawn", least), "<=", 1.15),
    )
    if before:
        goals += (Goal(12, "x what it is in a small process", growth("execDef.spawn"), "<=", 1.15, other=before),)
    return Figure(
        name=f"spawning-{megabytes}" if megabytes else "spawning",
        title=f"/bin/true from a process of {megabytes} MB" if megabytes else "/bin/true from a small process",
        columns=("us",),
        contenders={
            "posix_spawn": ("spawning", "posix_spawn", *size),
            least: ("spawning", least, *size),
            "subprocess.run, captured": ("spawning", "capture_output", *size),
            "asyncio": ("spawning", "asyncio", *size),
            "ProcessRunner.run": ("spawning", "runner", *size),
            "execDef.spawn": ("spawning", "spawn", *size),
        },
        against=least,
        goals=goals,
    )


def output(megabytes: float) -> Figure:
    """Goal 13."""
    size = str(megabytes)
    return Figure(
        name="output",
        title=f"{megabytes:g} MB of a child's output",
        columns=("ms", "MB more at most"),
        contenders={
            "to a file": ("output", "file", size),
            "subprocess.run, captured": ("output", "capture_output", size),
            "asyncio, by line": ("output", "asyncio", size),
            "ProcessRunner.run": ("output", "runner", size),
            "execDef.spawn": ("output", "spawn", size),
        },
        against="to a file",
        goals=(
            Goal(13, "ProcessRunner.run, x to a file", ratio("ProcessRunner.run", "to a file"), "<=", 1.2),
            Goal(13, "execDef.spawn, x to a file", ratio("execDef.spawn", "to a file"), "<=", 1.2),
            Goal(13, "MB more, ProcessRunner.run", value("ProcessRunner.run", 1), "<=", 1),
            Goal(13, "MB more than the 1 MB kept, execDef.spawn", lambda f, _: f["execDef.spawn"][1] - 1, "<=", 1),
        ),
    )


def planning(kind: str, times: int, bound: float) -> Figure:
    """Goal 17."""
    size = (kind, str(times))
    return Figure(
        name=f"planning-{kind}",
        title=f"the next instant of a {kind} job",
        columns=("us", "% wrong"),
        contenders={
            "floor": ("planning", "floor", *size),
            "gavo-exec": ("planning", "gavo-exec", *size),
            "cronstable": ("planning", "cronstable", *size),
            PEER: ("planning", "apscheduler", *size),
        },
        against=PEER,
        goals=(
            Goal(17, f"us, {kind}", value("gavo-exec"), "<=", bound),
            Goal(17, f"% wrong, {kind}", value("gavo-exec", 1), "<=", 0),
        ),
    )


def reading(count: int, size: int, *kind: str) -> Figure:
    """Goals 9 and 10."""
    arguments = (str(count), str(size), *kind)
    number, bound = (10, 0.2) if kind else (9, 8 if size < 10_000 else 1.5)
    what = "without anything that concerns executes" if kind else "with executes"
    return Figure(
        name="-".join(("reading", str(size), *kind)),
        title=f"reading {count:,} RDs of {size:,} bytes {what}",
        columns=("ms",),
        contenders={"lxml": ("reading", "lxml", *arguments), "gavo-exec": ("reading", "gavo-exec", *arguments)},
        against="lxml",
        goals=(Goal(number, "x lxml's parsing", ratio("gavo-exec", "lxml"), "<=", bound),),
    )


def simulation(count: int, days: int) -> Figure:
    """Goal 16."""
    size = (str(count), str(days))
    return Figure(
        name="simulation",
        title=f"{days} days of {count:,} executes, simulated",
        columns=("s", "us a run", "MB more"),
        contenders={"floor": ("simulation", "floor", *size), "gavo-exec": ("simulation", "gavo-exec", *size)},
        against="floor",
        goals=(Goal(16, "s for a year of 1,000 executes", value("gavo-exec"), "<=", 20),),
        repeats=3,
    )


def tree(count: int, size: int) -> Figure:
    """Goal 11, and what memory a large tree takes."""
    return Figure(
        name="tree",
        title=f"a tree of {count:,} RDs of {size:,} bytes",
        columns=("s to take up", "MB more", "ms to read one", "ms after an edit", "ms with ten users"),
        contenders={"gavo-exec": ("tree", str(count), str(size))},
        goals=(
            Goal(11, "x reading it, after an edit", lambda f, _: f["gavo-exec"][3] / f["gavo-exec"][2], "<=", 2),
            Goal(
                11,
                "the same, for a stream of ten users",
                lambda f, _: f["gavo-exec"][4] / f["gavo-exec"][2] / 11,
                "<=",
                2,
            ),
        ),
        repeats=3,
    )


def failing(count: int) -> Figure:
    """Goal 14."""
    size = str(count)
    return Figure(
        name="failing",
        title=f"{count:,} jobs due at one instant that fail, with mail",
        columns=("ms until all ran", "ms until all is told", "mails"),
        contenders={
            "floor": ("failing", "floor", size),
            "gavo-exec": ("failing", "gavo-exec", size),
            PEER: ("failing", "apscheduler", size),
        },
        against="floor",
        goals=(
            Goal(14, "until all ran, x floor", ratio("gavo-exec", "floor"), "<=", 3),
            Goal(14, "until all is told, x floor", ratio("gavo-exec", "floor", 1), "<=", 1.3),
            Goal(14, "mails", value("gavo-exec", 2), "<=", 5),
        ),
    )


def starting(times: int) -> Figure:
    """Goal 15."""
    return Figure(
        name="starting",
        title="start of the command",
        columns=("ms",),
        contenders={
            "python -c pass": ("starting", "python", str(times)),
            "gavo-exec --version": ("starting", "gavo-exec", str(times)),
        },
        against="python -c pass",
        goals=(Goal(15, "x bare Python", ratio("gavo-exec --version", "python -c pass"), "<=", 3),),
    )


def listing(count: int, runs: int) -> Figure:
    """Goal 19."""
    return Figure(
        name="listing",
        title=f"list with {count:,} executes and {runs:,} runs",
        columns=("s, the daemon", "s, the command", "s, history --failed"),
        contenders={"gavo-exec": ("listing", "list", str(count), str(runs))},
        goals=(Goal(19, "s until the daemon has answered", value("gavo-exec"), "<=", 0.2),),
        repeats=1,
    )


def ready(count: int) -> Figure:
    """Goal 15, the second part, and what a daemon with little to do takes."""
    return Figure(
        name="ready",
        title=f"a daemon with {count} RDs",
        columns=("s until ready", "MB, idle"),
        contenders={"gavo-exec": ("listing", "ready", str(count))},
        goals=(
            Goal(15, "s until ready", value("gavo-exec"), "<=", 0.5),
            Goal(15, "MB of memory, idle", value("gavo-exec", 1), "<=", 45),
        ),
    )


def page(count: int, runs: int) -> Figure:
    """What one waits for who looks at a large site."""
    return Figure(
        name="page",
        title=f"the dashboard with {count:,} executes and {runs:,} runs",
        columns=("s, first page", "s, later", "kB", "s, metrics"),
        contenders={"gavo-exec": ("web", "page", str(count), str(runs))},
        repeats=1,
    )


def web_lateness(count: int, seconds: int) -> Figure:
    """Whether who looks keeps jobs waiting."""
    return Figure(
        name="web-lateness",
        title=f"{count} jobs every 2 s, while the dashboard is asked for as much as it can answer",
        columns=("p50 ms", "p99 ms", "max ms", "pages/s"),
        contenders={
            "nobody looks": ("web", "lateness", str(count), str(seconds), "idle"),
            "all look": ("web", "lateness", str(count), str(seconds), "load"),
        },
        against="nobody looks",
        repeats=3,
    )


def _all(*, is_quick: bool) -> list[Figure]:
    """All figures, with counts that mean something, or not."""

    def size(full: int, quick: int) -> int:
        return quick if is_quick else full

    few = size(1_000, 20)
    return [
        starting(size(10, 1)),
        ready(size(100, 5)),
        listing(size(10_000, 100), size(1_000_000, 1000)),
        page(size(10_000, 100), size(1_000_000, 1000)),
        web_lateness(size(100, 10), size(15, 2)),
        reading(size(1000, 2), 3000),
        reading(size(1000, 2), 60_000),
        reading(size(1000, 2), 60_000, "without"),
        tree(size(5000, 40), size(60_000, 3000)),
        *(
            planning(kind, size(4000, 100), bound)
            for kind, bound in (("daily", 0.4), ("monthly", 1.5), ("weekly", 0.4))
        ),
        registering(few),
        registering(size(100_000, 120), before=f"registering-{few}"),
        memory(size(10_000, 100)),
        keeping(size(20_000, 200)),
        simulation(few, size(365, 2)),
        spawning(size(200, 2), 0),
        spawning(size(200, 2), size(500, 1), before="spawning"),
        output(size(10, 1)),
        dispatch(size(10_000, 50)),
        dispatch(size(100_000, 100), repeats=3),
        failing(size(1_000, 20)),
        lateness(size(10_000, 20), size(10, 1)),
        computing(size(500, 20), size(5, 1)),
        idle(size(10_000, 20), size(30, 1)),
        daemons(size(1_000, 10), size(10_000, 20), size(30, 1)),
        busy(size(20, 2), size(10, 2)),
    ]


def sized(*, is_quick: bool) -> list[Figure]:
    """All figures; quick ones are run once, with counts that mean nothing."""
    figures = _all(is_quick=is_quick)
    return [figure._replace(repeats=1) for figure in figures] if is_quick else figures


FIGURES = tuple(figure.name for figure in _all(is_quick=False))
