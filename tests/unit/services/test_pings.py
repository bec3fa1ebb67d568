"""What checks elsewhere are told of runs."""

from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
from msgspec.structs import replace

from gavo_exec.events import RunFinished, RunStarted
from gavo_exec.model import Channel, Execute, Outcome, Policy, QueuedMail
from gavo_exec.services.pings import PingListener
from gavo_exec.services.store import SQLiteStore
from gavo_exec.testing import EPOCH, FakeClock, make_execute, make_request, make_run

CHECKED = make_execute(policy=Policy(ping="https://hc.example.org/ping/abc"))


@pytest.fixture
def store() -> Iterator[SQLiteStore]:
    store = SQLiteStore(":memory:", holder="here 1 1", is_alive=lambda _: False)
    yield store
    store.close()


def listener_of(store: SQLiteStore, known: Execute | None = None) -> PingListener:
    return PingListener(
        store, clock=FakeClock(), find=lambda _: known, mask=lambda text: text.replace("secret", "[secret]")
    )


def pings(store: SQLiteStore) -> list[QueuedMail]:
    store.flush()
    return [mail for mail in store.mails() if mail.channel is Channel.PING]


def test_a_check_is_told_that_a_run_begins(store: SQLiteStore) -> None:
    listener_of(store)(RunStarted(request=make_request(CHECKED), started_at=EPOCH))
    [ping] = pings(store)
    parts = urlsplit(ping.target)
    assert (parts.scheme, parts.netloc, parts.path) == ("https", "hc.example.org", "/ping/abc/start")
    assert (ping.content, ping.about, ping.subject) == (b"", "test/q#job", "start test/q#job")


@pytest.mark.parametrize(
    ("outcome", "path"),
    [
        (Outcome.SUCCEEDED, "/ping/abc"),
        (Outcome.FAILED, "/ping/abc/fail"),
        (Outcome.TIMED_OUT, "/ping/abc/fail"),
        (Outcome.INTERRUPTED, "/ping/abc/fail"),
        (Outcome.SKIPPED, None),
        (Outcome.MISSED, None),
        (Outcome.CANCELLED, None),
    ],
)
def test_a_check_is_told_how_a_run_ended(store: SQLiteStore, outcome: Outcome, path: str | None) -> None:
    request = make_request(CHECKED)
    run = replace(make_run(request, outcome), output="the secret\n", error="" if path == "/ping/abc" else "exit 3")
    listener_of(store)(RunFinished(run=run, request=request))
    assert [urlsplit(ping.target).path for ping in pings(store)] == ([] if path is None else [path])
    for ping in pings(store):
        assert ping.content == (b"the [secret]" if path == "/ping/abc" else b"the [secret]\nexit 3")


def test_beginning_and_end_of_a_run_have_the_same_id_and_no_other_run_has(store: SQLiteStore) -> None:
    listener = listener_of(store)
    ids = []
    for run_id in ("a", "b"):
        request = make_request(CHECKED, run_id=run_id)
        for event in (
            RunStarted(request=request, started_at=EPOCH),
            RunFinished(run=make_run(request), request=request),
        ):
            listener(event)
            [ping] = pings(store)  # the latest takes the place of those before
            ids += parse_qs(urlsplit(ping.target).query)["rid"]
    assert ids[0] == ids[1]
    assert ids[2] == ids[3]
    assert ids[0] != ids[2]


def test_what_the_address_has_already_stays(store: SQLiteStore) -> None:
    execute = make_execute(policy=Policy(ping="http://jo:pw@hc.org:8000/abc/?create=1"))
    listener_of(store)(RunStarted(request=make_request(execute), started_at=EPOCH))
    [ping] = pings(store)
    assert ping.target.startswith("http://jo:pw@hc.org:8000/abc/start?create=1&rid=")


def test_only_the_end_of_long_output_is_sent(store: SQLiteStore) -> None:
    request = make_request(CHECKED)
    run = replace(make_run(request, Outcome.FAILED), output="x" * 1_000_000 + "\udcff", error="exit 3")
    listener_of(store)(RunFinished(run=run, request=request))
    [ping] = pings(store)
    assert ping.content.endswith(b"x\\udcff\nexit 3")
    assert len(ping.content) < 10_100


def test_what_is_tried_again_has_not_failed_yet(store: SQLiteStore) -> None:
    execute = replace(CHECKED, policy=replace(CHECKED.policy, retries=1))
    request = make_request(execute)
    listener_of(store)(RunFinished(run=make_run(request, Outcome.FAILED), request=request))
    assert pings(store) == []


def test_a_run_that_was_cut_off_is_told_to_the_check_that_its_execute_has_now(store: SQLiteStore) -> None:
    run = make_run(make_request(CHECKED), Outcome.INTERRUPTED)
    listener_of(store)(RunFinished(run=run))
    assert pings(store) == []
    listener_of(store, CHECKED)(RunFinished(run=run))
    assert len(pings(store)) == 1


def test_nobody_is_told_of_jobs_without_a_check(store: SQLiteStore) -> None:
    request = make_request()
    listener = listener_of(store)
    listener(RunStarted(request=request, started_at=EPOCH))
    listener(RunFinished(run=make_run(request, Outcome.FAILED), request=request))
    assert pings(store) == []
