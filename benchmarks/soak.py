"""Many runs, a third of which fail: nothing may grow.

Usage: soak.py [--runs N] [--a-second N] [--keep N] [--most-growth X].

A whole daemon in this process, on a tree of RDs in files, its state on disk, with a mail for each run that fails.  Its
jobs return, print, raise, exit, log, spawn, take too long; and all the while RDs are edited, broken, mended, dropped in
and taken away.  Rows of history and mails that are older than the last few thousand are deleted, so that the state
keeps its size as well.

Prints what it has come to, again and again, then what it makes of that; ends with 1 where anything grew.
"""

import argparse
import gc
import itertools
import random
import sqlite3
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from email.message import EmailMessage
from pathlib import Path
from typing import NamedTuple

import psutil

from benchmarks import stage
from gavo_exec.daemon import Daemon, assemble
from gavo_exec.events import Event, RunFinished
from gavo_exec.model import Outcome
from gavo_exec.parts import STATE_FILE
from gavo_exec.runtime import capture
from gavo_exec.services.log import lines as log
from gavo_exec.services.watch import TreeWatcher
from gavo_exec.serving import tune_interpreter
from gavo_exec.settings import Settings

MOST_GROWTH = 1.05
"""By which factor memory may grow once it is warm."""

WARM_SHARE = 0.25
"""After which share of the runs it counts as warm."""

MOST_SAMPLES = 100


class Job(NamedTuple):
    """A job: its code, and what its properties and attributes say."""

    code: str
    properties: str = ""
    when: str = 'every="1"'


EVERYWHERE = (
    Job("pass"),
    Job("print('some words')"),
    Job("execDef.outputAccum.append('some words')"),
    Job("import json; json.dumps(list(range(100)))"),
    Job("import logging; logging.getLogger('soak').info('some words')"),
    Job("rd.shared = getattr(rd, 'shared', 0) + 1"),
    Job("cycle = []; cycle.append(cycle)"),
    Job("raise ValueError('no data in ' + rd.sourceId)"),
    Job("1 / 0"),
    Job("def again(depth):\n    return again(depth - 1) if depth else {}['none']\nagain(20)"),
)
"""The jobs that each RD has."""

HERE_AND_THERE = (
    Job("import threading; t = threading.Thread(target=str); t.start(); t.join()"),
    Job("import time; time.sleep(1.2)", when='every="11"'),
    Job("print('a line of much output ' * 10_000)", when='every="3"'),
    Job("execDef.spawn(['true'])"),
    Job("print('half'); raise OSError('no net')"),
    Job("import sys; sys.exit(3)"),
    Job("raise KeyError('x' * 100_000)", when='every="3"'),
    Job("execDef.spawn(['sh', '-c', 'echo no luck; exit 3'])"),
    Job(
        "raise OSError('busy')",
        '<property key="run.retries">2</property><property key="run.retryDelay">1s</property>',
        when='every="5"',
    ),
    Job("print('apart')", '<property key="run.isolate">process</property>', when='every="5"'),
    Job("execDef.spawn(['sleep', '1.5'])", '<property key="run.timeout">1s</property>', when='every="13"'),
)
"""One of these is in each other RD."""


def rd_text(number: int, version: int) -> str:
    """The RD of this number, in some version of its code."""
    jobs = EVERYWHERE if number % 2 else (*EVERYWHERE, HERE_AND_THERE[number // 2 % len(HERE_AND_THERE)])
    executes = "".join(
        f'<execute id="e{place}" title="Job {place}" {job.when}>{job.properties}'
        f"<job><code><![CDATA[\n# version {version}\n{job.code}\n]]></code></job></execute>\n"
        for place, job in enumerate(jobs)
    )
    return f'<resource schema="soak" resdir=".">\n{executes}</resource>\n'


class CountingMailer:
    """Delivers each mail to nobody."""

    def __init__(self) -> None:
        self.count = 0

    def send(self, message: EmailMessage) -> str:
        """Take it."""
        self.count += 1
        return "taken"


class Sample(NamedTuple):
    """What the process has come to after some runs."""

    seconds: float
    runs: int
    memory_kilobytes: int
    objects: int
    threads: int
    files: int
    state_megabytes: float

    def __str__(self) -> str:
        return (
            f"{self.seconds:8.1f} {self.runs:10,} {self.memory_kilobytes / 1024:9.1f} {self.objects:9,} "
            f"{self.threads:7} {self.files:6} {self.state_megabytes:9.1f}"
        )


HEADER = "       s       runs        MB   objects threads  files  state MB"


def threads_now() -> int:
    """How many threads this process has."""
    return sum(1 for _ in Path("/proc/self/task").iterdir())


def files_now() -> int:
    """How many files this process has open."""
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


class Tree:
    """RDs in files, and somebody who edits them."""

    def __init__(self, inputs: Path, count: int) -> None:
        self._chance = random.Random(1)
        self._versions = itertools.count(1)
        # The last one comes and goes.
        self._paths = [inputs / f"r{number}" / "q.rd" for number in range(max(2, count) + 1)]
        self._broken = 0
        for number, path in enumerate(self._paths):
            path.parent.mkdir(parents=True)
            self._save(number, rd_text(number, 0))

    def edit(self) -> None:
        """Do one of what people do: change an RD, break one, mend it, take one away and drop it in again."""
        version = next(self._versions)
        number = self._chance.randrange(len(self._paths) - 1)
        last = len(self._paths) - 1
        match version % 4:
            case 0:
                self._save(number, rd_text(number, version))
            case 1:
                self._broken = number
                self._save(number, f'<resource schema="soak"><execute every="{version} soon"/></resource>')
            case 2:
                self._save(self._broken, rd_text(self._broken, version))
            case _ if self._paths[last].exists():
                self._paths[last].unlink()
            case _:
                self._save(last, rd_text(last, version))

    def _save(self, number: int, text: str) -> None:
        path = self._paths[number]
        aside = path.with_suffix(".new")
        aside.write_text(text)
        aside.rename(path)


class Soak:
    """A daemon at work, and what is seen of it."""

    def __init__(self, folder: Path, *, rds: int, kept: int) -> None:
        self.outcomes: Counter[Outcome | None] = Counter()
        self.mailer = CountingMailer()
        self._kept = kept
        self._state = folder / "state" / STATE_FILE
        self.tree = Tree(folder / "inputs", rds)
        settings = Settings(
            inputs_dir=str(folder / "inputs"),
            state_dir=str(folder / "state"),
            workers=stage.WORKERS,
            host="soak",
            dachs_config="none",
            mail_to=("somebody@example.org",),
            stop_grace_seconds=10,
        )
        watcher = TreeWatcher(settings.inputs_dir, rescan_seconds=2.0)
        self.daemon: Daemon = assemble(settings, mailer=self.mailer, watcher=watcher, listeners=[self._count])
        self._main = threading.Thread(target=self.daemon.run, name="main loop")
        self._began = time.monotonic()

    def _count(self, event: Event) -> None:
        if isinstance(event, RunFinished):
            self.outcomes[event.run.outcome] += 1

    @property
    def ran(self) -> int:
        """How many runs there were, without those left out."""
        return sum(self.outcomes.values()) - self.outcomes[Outcome.SKIPPED] - self.outcomes[Outcome.MISSED]

    @property
    def failed(self) -> int:
        """How many of them failed."""
        return self.outcomes[Outcome.FAILED] + self.outcomes[Outcome.TIMED_OUT]

    def start(self) -> None:
        """Begin."""
        self.daemon.start()
        self._main.start()

    def stop(self) -> None:
        """End; all that was begun is accounted for."""
        self.daemon.ask_to_stop("the soak is over")
        self._main.join()

    def prune(self) -> None:
        """Delete old rows, and mails that were delivered, as a daemon's housekeeping does."""
        with closing(sqlite3.connect(self._state, timeout=30, isolation_level=None)) as db:
            db.execute("DELETE FROM runs WHERE id < (SELECT max(id) FROM runs) - ?", (self._kept,))
            db.execute(
                "DELETE FROM outbox WHERE next_attempt_at IS NULL AND mail_id < (SELECT max(mail_id) FROM outbox) - ?",
                (self._kept,),
            )

    def sample(self) -> Sample:
        """What it has come to."""
        gc.collect()
        return Sample(
            seconds=time.monotonic() - self._began,
            runs=self.ran,
            memory_kilobytes=stage.memory_kilobytes(),
            objects=len(gc.get_objects()),
            threads=threads_now(),
            files=files_now(),
            state_megabytes=sum(file.stat().st_size for file in self._state.parent.glob(f"{STATE_FILE}*")) / 1e6,
        )


@contextmanager
def quiet(folder: Path) -> Iterator[None]:
    """The log in a file that is begun anew when it is large, as operators have it; the interpreter as the daemon's."""
    interval, thresholds = sys.getswitchinterval(), gc.get_threshold()
    with (folder / "log").open("w") as stream, capture.install():
        log.configure(stream=stream, level=50)
        tune_interpreter()
        try:
            yield
        finally:
            log.configure()
            sys.setswitchinterval(interval)
            gc.set_threshold(*thresholds)


def soak(runs: int, *, a_second: int, kept: int, most_growth: float) -> list[str]:
    """Let a daemon do so many runs, about so many a second; answers what grew, or was left behind."""
    before = threads_now(), files_now()
    samples: list[Sample] = []
    with tempfile.TemporaryDirectory() as name, quiet(Path(name)):
        daemon = Soak(Path(name), rds=a_second // len(EVERYWHERE), kept=kept)
        daemon.start()
        print(HEADER)
        count = min(MOST_SAMPLES, max(12, runs // 1000))
        step = max(1, runs // count)
        pause = threading.Event()
        next_edit = time.monotonic()
        while daemon.ran < runs:
            if daemon.daemon.scheduler.died is not None:
                raise RuntimeError("the scheduler died") from daemon.daemon.scheduler.died
            if daemon.ran >= step * (len(samples) + 1):
                daemon.prune()
                samples.append(daemon.sample())
                if len(samples) % max(1, count // 20) == 0:
                    print(str(samples[-1]))
            if time.monotonic() >= next_edit:
                daemon.tree.edit()
                next_edit = time.monotonic() + 0.7
            pause.wait(0.05)
        daemon.stop()
        print(f"outcomes: {', '.join(f'{o.value} {n:,}' for o, n in daemon.outcomes.items() if o is not None)}")
        print(f"mails: {daemon.mailer.count:,}")
        faults = faults_of(samples, most_growth=most_growth)
        if daemon.failed < daemon.ran / 4:
            faults.append(f"only {daemon.failed} of {daemon.ran} runs failed, which is no test")
        del daemon
    gc.collect()
    after = threads_now(), files_now()
    for what, count, left in zip(("threads", "open files"), before, after, strict=True):
        if left > count:
            faults.append(f"{left - count} more {what} than before are left at the end")
    if children := psutil.Process().children(recursive=True):
        faults.append(f"children are left at the end: {children}")
    return faults


def faults_of(samples: Sequence[Sample], *, most_growth: float) -> list[str]:
    """What was more at the end than when it had become warm; medians of a third each, since edits come and go."""
    warm = samples[int(len(samples) * WARM_SHARE) :]
    part = max(1, len(warm) // 3)

    def grown(field: str, most: float, *, slack: int = 0) -> list[str]:
        """What to say of a field that is more than it may be."""
        begin, end = (sorted(getattr(sample, field) for sample in of)[part // 2] for of in (warm[:part], warm[-part:]))
        name = field.replace("_", " ")
        return [f"{name} grew from {begin:,} to {end:,}"] if end > begin * most + slack else []

    return [
        *grown("memory_kilobytes", most_growth),
        *grown("objects", MOST_GROWTH),
        *grown("threads", 1.0, slack=1),
        *grown("files", 1.0, slack=4),  # some children are being served at any time
    ]


def main() -> int:
    """Soak; answers the exit code."""
    parser = argparse.ArgumentParser(
        prog="make soak", description="Many runs, a third of which fail: nothing may grow."
    )
    parser.add_argument("--runs", type=int, default=1_000_000)
    parser.add_argument("--a-second", type=int, default=1500, help="how many are due a second (default: 1500)")
    parser.add_argument("--keep", type=int, default=5000, help="how many rows and mails are kept (default: 5000)")
    parser.add_argument(
        "--most-growth", type=float, default=MOST_GROWTH, help="of memory, once it is warm (default: 1.05)"
    )
    asked = parser.parse_args()
    faults = soak(asked.runs, a_second=asked.a_second, kept=asked.keep, most_growth=asked.most_growth)
    for fault in faults:
        print(fault)
    print("something grew" if faults else "nothing grew")
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main())
