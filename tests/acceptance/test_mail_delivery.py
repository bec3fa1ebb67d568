"""Failing runs, a mail server in every bad mood there is, and the daemon killed in between: nobody is forgotten.

``GAVO_EXEC_MAIL_RUNS`` says how many runs fail (``make mail-crash``: 10,000).
"""

import os
import re
import signal
import sqlite3
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from email.message import EmailMessage
from functools import partial

import pytest

from gavo_exec.model import Run
from gavo_exec.services.store import SQLiteStore
from tests.acceptance.conftest import DaemonProcess, Site
from tests.acceptance.mail_servers import MoodyServer

RUNS = int(os.environ.get("GAVO_EXEC_MAIL_RUNS", "3000"))
MOODS = ("down", "slow", "refusing", "greylisting", "closing")
"""What the mail server is like in the daemon's lives but for the last; each of these ends by SIGKILL."""

JOBS_OF_AN_RD = 40
PATIENCE_SECONDS = 60.0 + RUNS / 100


@pytest.fixture
def server() -> Iterator[MoodyServer]:
    server = MoodyServer()
    yield server
    server.close()


@contextmanager
def opened(site: Site) -> Iterator[SQLiteStore]:
    store = SQLiteStore(site.state / "state.sqlite", holder="test 1 1", is_alive=lambda _: True)
    try:
        yield store
    finally:
        store.close()


def save_jobs(site: Site, life: str, count: int) -> list[str]:
    """Failing jobs that are due at once; answers their keys."""
    keys = []
    for first in range(0, count, JOBS_OF_AN_RD):
        numbers = range(first, min(first + JOBS_OF_AN_RD, count))
        jobs = "".join(
            f'<execute id="j{number}" title="Job {number}" every="-86400"><job><code>'
            f'print("ins Archiv {number}")\nraise ValueError("no data, {number}")</code></job></execute>\n'
            for number in numbers
        )
        # Whoever has mails of their own need not wait for the end of a minute in which others have had one.
        to = f'<property name="mail.to">{life}{first // JOBS_OF_AN_RD % 5}@example.org</property>'
        site.save(f"{life}/q{first}.rd", f'<resource schema="{life}" resdir=".">\n{to}\n{jobs}</resource>\n')
        keys += [f"{life}/q{first}#j{number}" for number in numbers]
    return keys


def ended_runs(site: Site) -> int:
    with suppress(sqlite3.Error), closing(sqlite3.connect(f"file:{site.state}/state.sqlite?mode=ro", uri=True)) as db:
        return int(db.execute("SELECT count(*) FROM runs").fetchone()[0])
    return 0


def wait_for_runs(site: Site, count: int) -> None:
    site.eventually(lambda: ended_runs(site) >= count, within=PATIENCE_SECONDS)


def told_keys(mails: list[EmailMessage]) -> Counter[str]:
    """The keys that these mails tell of."""
    found: Counter[str] = Counter()
    for mail in mails:
        body = mail.get_body(("plain",))
        assert body is not None
        found.update(set(re.findall(r"\b\w+/q\d+#j\d+\b", f"{mail['Subject']}\n{body.get_content()}")))
    return found


@pytest.mark.timeout(60 + RUNS / 20)
def test_every_incident_is_mailed_and_none_twice_but_for_kills(site: Site, server: MoodyServer) -> None:
    site.env |= {
        "GAVO_EXEC_SMTP_HOST": "127.0.0.1",
        "GAVO_EXEC_SMTP_PORT": str(server.port),
        "GAVO_EXEC_SMTP_TIMEOUT_SECONDS": "5",
        "GAVO_EXEC_MAIL_TO": "ops@example.org",
        "GAVO_EXEC_MAIL_PER_HOUR": "1000",
    }
    keys: list[str] = []
    kills = 0
    for mood in MOODS:
        server.be(mood)
        keys += save_jobs(site, mood, RUNS // len(MOODS))
        daemon = site.serve()
        if mood == "slow":
            # Killed between the server's taking a mail and our noting that: the one moment that costs a second copy.
            killed = threading.Event()

            def kill(daemon: DaemonProcess = daemon, killed: threading.Event = killed) -> None:
                if not killed.is_set():
                    daemon.process.send_signal(signal.SIGKILL)
                    killed.set()

            server.before_answer = kill
            assert killed.wait(PATIENCE_SECONDS)
            server.before_answer = lambda: None
        else:
            # Some have not run yet, some are running, and some of those that failed have not been told.
            wait_for_runs(site, len(keys) - RUNS // 20)
            if mood != "down":
                site.eventually(partial(server.tries.__getitem__, mood), within=PATIENCE_SECONDS)
            daemon.end(signal.SIGKILL)
        kills += 1
    server.be("up")
    daemon = site.serve()
    wait_for_runs(site, len(keys))
    assert daemon.end() == 0
    with opened(site) as store:
        left: list[Run] = [run for run in store.runs(limit=10 * RUNS) if run.outcome is None]
        assert not left
        assert all(mail.delivered_at is not None for mail in store.mails(limit=1000))
    mails = server.mails
    ids = Counter(str(mail["Message-ID"]) for mail in mails)
    assert sum(ids.values()) - len(ids) <= kills
    assert not any(mail.defects for mail in mails)
    once = list({str(mail["Message-ID"]): mail for mail in mails}.values())
    told = told_keys(once)
    assert sorted(told) == sorted(keys)
    assert set(told.values()) == {1}
    print(f"{len(keys)} failing jobs, {kills} kills: {len(mails)} mails, {len(mails) - len(once)} of them twice")
