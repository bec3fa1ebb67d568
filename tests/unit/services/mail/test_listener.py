"""What is told of what happens: the listener against the real store and a fake clock."""

import logging
from collections.abc import Iterator, Sequence
from datetime import timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default as default_policy
from typing import NoReturn, TypeVar

import pytest
from msgspec.structs import replace

from gavo_exec.events import (
    ClockStepped,
    DaemonStarted,
    DescriptorAccepted,
    DescriptorRejected,
    DescriptorRemoved,
    Event,
    JobsReconciled,
    RunFinished,
    RunStarted,
    TellingDue,
)
from gavo_exec.incidents import Incident
from gavo_exec.model import Channel, Execute, Outcome, Policy, Retry
from gavo_exec.services.history import HistoryListener
from gavo_exec.services.mail import MailListener, MailPolicy, Masker
from gavo_exec.services.store import SQLiteStore
from gavo_exec.testing import FakeClock
from tests.unit.services.mail.cases import (
    DUE,
    EXECUTE,
    HELD_BACK,
    INTERRUPTED,
    MISSED,
    OVERDUE,
    POLICY,
    REJECTION,
    REQUEST,
    RUN,
    STALLED,
)

_Value = TypeVar("_Value")


@pytest.fixture
def store() -> Iterator[SQLiteStore]:
    store = SQLiteStore(":memory:", holder="archive 1 1", is_alive=lambda _: False)
    yield store
    store.close()


class House:
    """A listener beside what remembers, as on the bus; time is moved by hand."""

    def __init__(
        self,
        store: SQLiteStore,
        *,
        policy: MailPolicy = POLICY,
        channels: Sequence[Channel] = (),
        known: Execute | None = None,
        is_guest: bool = False,
    ) -> None:
        self.store = store
        self.clock = FakeClock(DUE)
        self.alarms: list[float] = []
        self.gone: set[str] = set()
        self.mail = MailListener(
            store,
            clock=self.clock,
            policy=policy,
            alarm=self.alarms.append,
            find=lambda key: known if known is not None and known.key == key else None,
            exists=self.exists,
            mask=Masker(["hush hush"]),
            channels=channels,
            is_guest=is_guest,
        )
        self.listeners = (HistoryListener(store, self.clock), self.mail)
        self.number = 0

    def exists(self, incident: Incident) -> bool:
        return incident.about not in self.gone

    def hear(self, *events: Event) -> "House":
        for event in events:
            for listener in self.listeners:
                listener(event)
        self.store.flush()
        return self

    def run(self, outcome: Outcome, *, execute: Execute = EXECUTE, **more: object) -> "House":
        """A run ends like this now."""
        self.number += 1
        now = self.clock.now()
        run = replace(
            RUN,
            run_id=f"run-{self.number}",
            key=execute.key,
            outcome=outcome,
            started_at=now,
            finished_at=now,
            error="" if outcome is Outcome.SUCCEEDED else RUN.error,
            **more,
        )
        return self.hear(RunFinished(run=run, request=replace(REQUEST, run_id=run.run_id, execute=execute)))

    def after(self, seconds: float = 61, *, is_last: bool = False) -> list[str]:
        """The subjects of mails that come of what happened, so much later."""
        known = len(self.mails())
        self.clock.move(seconds)
        self.hear(TellingDue(at=self.clock.now(), is_last=is_last))
        return [str(mail["Subject"]).removeprefix("[archive] ") for mail in self.mails()[known:]]

    def mails(self) -> list[EmailMessage]:
        found = [mail.content for mail in reversed(self.store.mails(limit=1000)) if mail.channel is Channel.MAIL]
        return [message_from_bytes(content, policy=default_policy) for content in found]


CAUSE = "exit 3: no route to host: wetter.example.org"
FAILED = f"FAILED weather/q#fetch: {CAUSE}"


@pytest.mark.parametrize(
    ("outcome", "subjects"),
    [
        (Outcome.FAILED, [FAILED]),
        (Outcome.TIMED_OUT, [f"TIMED OUT weather/q#fetch: {CAUSE}"]),
        (Outcome.INTERRUPTED, [f"INTERRUPTED weather/q#fetch: {CAUSE}"]),
        (Outcome.MISSED, [f"MISSED weather/q#fetch: {CAUSE}"]),
        (Outcome.SUCCEEDED, []),
        (Outcome.SKIPPED, []),
        (Outcome.CANCELLED, []),
    ],
)
def test_what_goes_wrong_is_told_and_nothing_else(store: SQLiteStore, outcome: Outcome, subjects: list[str]) -> None:
    assert House(store).run(outcome).after(0.3) == subjects


def test_a_failure_is_told_at_once_and_reminded_of_and_its_end_is_told_once(store: SQLiteStore) -> None:
    house = House(store)
    house.run(Outcome.FAILED)
    assert house.alarms == [0.25]
    assert house.after(0.25) == [FAILED]
    house.clock.move(600)
    house.run(Outcome.FAILED)
    assert house.after(600) == []
    assert house.after(2401) == [f"{FAILED} (2nd time since 03:00)"]
    assert house.after(86_401) == [f"{FAILED} (2nd time since 2024-05-01 03:00)"]
    assert house.after(6 * 86_400) == []
    house.run(Outcome.SUCCEEDED)
    assert house.after(61) == ["RECOVERED weather/q#fetch: after 7 d 1 h, 2 failures"]
    assert house.after(100 * 86_400) == []
    assert store.incidents() == []


def test_all_mails_about_an_incident_are_one_thread(store: SQLiteStore) -> None:
    house = House(store)
    house.run(Outcome.FAILED).after(1)
    house.after(3601)
    house.run(Outcome.SUCCEEDED).after(61)
    first, second, third = house.mails()
    assert (first["In-Reply-To"], first["References"]) == (None, None)
    assert (second["In-Reply-To"], second["References"]) == (first["Message-ID"], first["Message-ID"])
    assert third["In-Reply-To"] == second["Message-ID"]
    assert third["References"] == f"{first['Message-ID']} {second['Message-ID']}"


def test_the_next_time_is_another_thread(store: SQLiteStore) -> None:
    house = House(store)
    house.run(Outcome.FAILED).after(1)
    house.run(Outcome.SUCCEEDED).after(61)
    house.run(Outcome.FAILED).after(61)
    first, _, third = house.mails()
    assert third["In-Reply-To"] is None
    assert third["Message-ID"] != first["Message-ID"]


def test_what_is_tried_again_is_told_when_its_last_attempt_has_failed(store: SQLiteStore) -> None:
    execute = replace(EXECUTE, policy=Policy(retries=1))
    house = House(store)
    house.run(Outcome.FAILED, execute=execute)
    event = RunFinished(run=RUN, request=replace(REQUEST, execute=execute))
    assert isinstance(event.retry, Retry)
    assert house.after(61) == []
    run = replace(RUN, attempt=2, run_id="second")
    house.hear(RunFinished(run=run, request=replace(REQUEST, execute=execute, attempt=2, run_id="second")))
    assert house.after(61) == [FAILED]
    [message] = house.mails()
    body = message.get_body(("plain",))
    assert body is not None
    assert "Earlier attempts:\n    1: " in body.get_content()


@pytest.mark.parametrize(
    ("outcomes", "subjects"),
    [
        ([Outcome.FAILED, Outcome.FAILED], []),
        ([Outcome.FAILED, Outcome.FAILED, Outcome.FAILED], [f"{FAILED} (3rd time since 03:00)"]),
        ([Outcome.FAILED, Outcome.FAILED, Outcome.SUCCEEDED, Outcome.FAILED], []),
    ],
)
def test_some_are_told_only_when_they_failed_often_enough(
    store: SQLiteStore, outcomes: list[Outcome], subjects: list[str]
) -> None:
    house = House(store)
    for outcome in outcomes:
        house.run(outcome, execute=replace(EXECUTE, policy=Policy(mail_after=3)))
    assert house.after() == subjects


def test_an_execute_may_have_its_own_recipients_and_reminders(store: SQLiteStore) -> None:
    policy = Policy(mail_to=("al@example.org",), reminders=(timedelta(minutes=10),))
    house = House(store)
    house.run(Outcome.FAILED, execute=replace(EXECUTE, policy=policy))
    house.run(Outcome.FAILED, execute=replace(EXECUTE, key="radio/q#grid"))
    house.after(1)
    assert [str(mail["To"]) for mail in house.mails()] == ["al@example.org", "Jo Örn <jo@example.org>, ops@example.org"]
    assert [subject.split()[1] for subject in house.after(601)] == ["weather/q#fetch:"]


def test_several_make_one_mail(store: SQLiteStore) -> None:
    house = House(store)
    for number in range(12):
        house.run(Outcome.FAILED, execute=replace(EXECUTE, key=f"weather/q#j{number}"))
    assert house.after(1) == ["12 FAILED: weather/q#j0, weather/q#j1, weather/q#j2 and 9 more"]


def test_only_so_many_of_a_digest_are_told_with_all_that_is_known(store: SQLiteStore) -> None:
    house = House(store)
    for number in range(12):
        house.run(Outcome.FAILED, execute=replace(EXECUTE, key=f"weather/q#j{number}"))
    house.after(1)
    [message] = house.mails()
    body = message.get_body(("plain",))
    assert body is not None
    assert body.get_content().count("To see all of it:") == 10


def test_what_is_good_again_takes_no_room_from_what_is_not(store: SQLiteStore) -> None:
    house = House(store)
    executes = [replace(EXECUTE, key=f"weather/q#j{number}") for number in range(11)]
    for execute in executes[:10]:
        house.run(Outcome.FAILED, execute=execute)
    house.after(1)
    for execute in executes[:10]:
        house.run(Outcome.SUCCEEDED, execute=execute)
    house.run(Outcome.FAILED, execute=executes[10])
    [subject] = house.after(61)
    assert subject.startswith("1 FAILED, 10 RECOVERED: weather/q#j10, ")
    body = house.mails()[-1].get_body(("plain",))
    assert body is not None
    assert "== FAILED weather/q#j10\n" in body.get_content()


def test_what_cannot_be_told_by_a_channel_is_mailed_all_the_same(
    store: SQLiteStore, caplog: pytest.LogCaptureFixture
) -> None:
    class Odd(Masker):
        calls = 0

        def all_of(self, value: _Value) -> _Value:
            self.calls += 1
            if self.calls > 1:
                raise ValueError("odd")
            return value

    house = House(store, channels=[Channel.WEBHOOK])
    house.mail._mask = Odd()
    house.run(Outcome.FAILED)
    with caplog.at_level(logging.ERROR):
        assert house.after(1) == [FAILED]
    assert caplog.messages == ["1 incidents cannot be told by webhook"]


def test_over_the_ceiling_one_summary_tells_what_was_held_back(store: SQLiteStore) -> None:
    house = House(store, policy=replace(POLICY, per_hour=2))
    for number in range(5):
        house.run(Outcome.FAILED, execute=replace(EXECUTE, key=f"weather/q#j{number}"))
        assert len(house.after(61)) == (1 if number < 2 else 0)
    assert house.after(3600) == ["HELD BACK 5 FAILED: weather/q#j0, weather/q#j1, weather/q#j2 and 2 more"]


def test_a_run_that_is_cut_off_is_told_to_those_whom_its_execute_names(store: SQLiteStore) -> None:
    known = replace(EXECUTE, policy=Policy(mail_to=("al@example.org",)))
    house = House(store, known=known).hear(RunFinished(run=INTERRUPTED))
    assert house.after(1) == ["INTERRUPTED weather/q#fetch: process 4711 on archive ended before the run did"]
    assert str(house.mails()[0]["To"]) == "al@example.org"


def test_a_run_that_does_not_end_is_told_and_its_end_is_no_second_failure(store: SQLiteStore) -> None:
    house = House(store).hear(OVERDUE)
    assert house.after(1) == ["OVERDUE weather/q#fetch: still running after 1 h 2 min"]
    house.hear(RunFinished(run=replace(RUN, outcome=Outcome.TIMED_OUT), request=OVERDUE.request))
    assert house.after(61) == []
    [incident] = store.incidents()
    assert incident.count == 1
    house.run(Outcome.SUCCEEDED)
    [subject] = house.after(61)
    assert subject.startswith("RECOVERED weather/q#fetch: after ")


def test_stalls_are_told_once_a_day_for_each_place(store: SQLiteStore) -> None:
    house = House(store).hear(STALLED)
    assert house.after(61) == ["STALLED weather/q#fetch: nothing else could run for 12.3 s"]
    house.hear(replace(STALLED, at=house.clock.now()))
    assert house.after(61) == []
    house.hear(replace(STALLED, where="/inputs/weather/q.rd:15", at=house.clock.now()))
    assert len(house.after(61)) == 1
    house.clock.move(86_400)
    house.hear(replace(STALLED, at=house.clock.now()))
    assert len(house.after(61)) == 1


def test_what_was_missed_is_told_and_ends_silently(store: SQLiteStore) -> None:
    house = House(store).hear(RunFinished(run=MISSED, request=REQUEST))
    assert house.after(1) == ["MISSED weather/q#fetch: 90 s too late"]
    house.run(Outcome.SUCCEEDED)
    assert house.after(61) == []
    assert store.incidents() == []


# RDs

REJECTED = DescriptorRejected(rejection=REJECTION, held_back=HELD_BACK)
ANOTHER = DescriptorRejected(rejection=replace(REJECTION, digest="d2"))
ACCEPTED = DescriptorAccepted(rd_id="weather/q", path="/inputs/weather/q.rd", executes=2, recovered=True)
FIRST_READ = replace(ACCEPTED, recovered=False)
REMOVED = DescriptorRemoved(rd_id="weather/q")
BROKEN = "BROKEN RD weather/q: line 7: E301 7:61 is no time (and 1 more)"


@pytest.mark.parametrize(
    ("events", "words"),
    [
        ([REJECTED], ["BROKEN RD"]),
        ([REJECTED, REJECTED], ["BROKEN RD"]),
        ([REJECTED, ANOTHER, REJECTED], ["BROKEN RD", "BROKEN RD"]),
        ([REJECTED, ACCEPTED], ["BROKEN RD", "RECOVERED"]),
        ([REJECTED, FIRST_READ], ["BROKEN RD", "RECOVERED"]),  # mended while no daemon ran
        ([REJECTED, ACCEPTED, ACCEPTED], ["BROKEN RD", "RECOVERED"]),
        ([REJECTED, ACCEPTED, REJECTED], ["BROKEN RD", "RECOVERED", "BROKEN RD"]),
        ([REJECTED, REMOVED, FIRST_READ], ["BROKEN RD"]),
        ([REJECTED, REMOVED, REJECTED], ["BROKEN RD", "BROKEN RD"]),
        ([ACCEPTED], []),
        ([FIRST_READ], []),
    ],
)
def test_each_broken_content_is_told_once_and_its_mending_too(
    store: SQLiteStore, events: list[Event], words: list[str]
) -> None:
    house, told = House(store), []
    for event in events:
        house.hear(event)
        told += house.after(61)
    assert [subject.split(" weather/q:")[0] for subject in told] == words


def test_what_was_told_of_an_rd_is_known_after_a_restart(store: SQLiteStore) -> None:
    House(store).hear(REJECTED).after(1)
    again = House(store).hear(REJECTED)
    assert again.after(100) == []
    again.hear(FIRST_READ)
    assert again.after(1) == ["RECOVERED weather/q: after 1 min 40 s, 2 jobs in force"]


def test_the_mail_about_a_broken_rd_has_what_is_wrong_and_what_runs_on(store: SQLiteStore) -> None:
    house = House(store).hear(REJECTED)
    assert house.after(1) == [BROKEN]
    body = house.mails()[0].get_body(("plain",))
    assert body is not None
    assert "    weather/q#fetch  Fetch the weather\n" in body.get_content()
    assert "/inputs/weather/q.rd:9:6: E301 7:61 is no time\n" in body.get_content()


def test_those_whom_a_broken_rd_names_are_told_of_it(store: SQLiteStore) -> None:
    house = House(store).hear(replace(REJECTED, mail_to=("al@example.org",)))
    house.after(1)
    assert str(house.mails()[0]["To"]) == "al@example.org"


# When jobs go


def test_a_failure_that_nobody_was_told_of_is_told_though_its_job_is_gone(store: SQLiteStore) -> None:
    house = House(store).run(Outcome.FAILED).hear(JobsReconciled(removed=("weather/q#fetch",)))
    assert house.after(1) == [f"{FAILED} (its execute is gone since)"]
    assert store.incidents() == []


def test_of_a_job_that_is_gone_nobody_is_reminded(store: SQLiteStore) -> None:
    house = House(store).run(Outcome.FAILED)
    house.after(1)
    house.hear(JobsReconciled(removed=("weather/q#fetch",)))
    assert house.after(3700) == []


def test_of_what_went_while_no_daemon_ran_nobody_is_reminded(store: SQLiteStore) -> None:
    house = House(store).run(Outcome.FAILED)
    house.after(1)
    house.gone.add("weather/q#fetch")
    assert house.after(3700) == []
    assert store.incidents() == []


# Alarms, and restarts


def test_the_alarm_is_set_for_what_comes_first(store: SQLiteStore) -> None:
    house = House(store).run(Outcome.FAILED).run(Outcome.FAILED)
    assert house.alarms == [0.25]
    house.after(0.25)
    assert house.alarms[1:] == [3600.25]
    house.run(Outcome.FAILED, execute=replace(EXECUTE, key="radio/q#grid"))
    assert house.alarms[2:] == [60.0]


def test_the_alarm_is_set_anew_when_the_clock_was_or_the_daemon_starts(store: SQLiteStore) -> None:
    house = House(store).run(Outcome.FAILED)
    house.after(0.25)
    house.clock.move(3000)
    house.hear(ClockStepped(seconds=3000, at=house.clock.now()))
    assert house.alarms[-1] == pytest.approx(600.25)
    again = House(store)
    again.clock.at = house.clock.at
    again.hear(DaemonStarted(inputs_dir="/i", state_dir="/s", executes=1, at=again.clock.now()))
    assert again.alarms == [pytest.approx(600.25)]


def test_a_restart_neither_repeats_nor_forgets(store: SQLiteStore) -> None:
    house = House(store).run(Outcome.FAILED)
    again = House(store)
    assert again.after(1) == [FAILED]
    assert house.clock.at == DUE
    assert House(store).after(100) == []
    last = House(store)
    last.clock.at = DUE + timedelta(seconds=3600)
    assert last.after(10) == [FAILED]


def test_at_the_end_what_is_new_is_told_at_once(store: SQLiteStore) -> None:
    house = House(store).run(Outcome.FAILED)
    assert house.after(0, is_last=True) == [FAILED]
    assert house.alarms == [0.25]


def test_a_process_beside_the_daemon_tells_only_of_its_own(store: SQLiteStore) -> None:
    House(store).run(Outcome.FAILED)
    guest = House(store, is_guest=True).run(Outcome.FAILED, execute=replace(EXECUTE, key="radio/q#grid"))
    assert guest.after(1, is_last=True) == [f"FAILED radio/q#grid: {CAUSE}"]


def test_one_that_succeeds_by_hand_is_told_to_have_recovered(store: SQLiteStore) -> None:
    House(store).run(Outcome.FAILED).after(1)
    guest = House(store, is_guest=True).run(Outcome.SUCCEEDED)
    [subject] = guest.after(100, is_last=True)
    assert subject.startswith("RECOVERED weather/q#fetch")


# Beside


def test_other_channels_are_told_the_same(store: SQLiteStore) -> None:
    house = House(store, channels=[Channel.WEBHOOK, Channel.COMMAND]).run(Outcome.FAILED)
    house.after(1)
    found = {mail.channel: mail for mail in store.mails()}
    assert set(found) == {Channel.MAIL, Channel.WEBHOOK, Channel.COMMAND}
    assert {mail.subject for mail in found.values()} == {f"[archive] {FAILED}"}
    assert {mail.about for mail in found.values()} == {"weather/q#fetch"}
    assert found[Channel.WEBHOOK].content == found[Channel.COMMAND].content
    assert b'"state":"failed"' in found[Channel.WEBHOOK].content


def test_secrets_are_hidden_those_that_the_execute_sets_too(store: SQLiteStore) -> None:
    policy = Policy(env=(("DB_PASSWORD", "swordfish"), ("LANG", "german")))
    house = House(store, policy=replace(POLICY, secret_names=("*PASSWORD*",)))
    house.run(Outcome.FAILED, execute=replace(EXECUTE, policy=policy), output="hush hush, swordfish, german\n")
    house.after(1)
    body = house.mails()[0].get_body(("plain",))
    assert body is not None
    assert "[secret], [secret], german\n" in body.get_content()


@pytest.mark.parametrize(
    ("outcome", "debug", "output", "subjects"),
    [
        (Outcome.SUCCEEDED, True, "done\n", ["DEBUG weather/q#fetch: output of a good run"]),
        (Outcome.SUCCEEDED, True, "", []),
        (Outcome.SUCCEEDED, False, "done\n", []),
        (Outcome.SKIPPED, True, "done\n", []),
        (Outcome.FAILED, True, "done\n", [FAILED]),
    ],
)
def test_good_output_is_mailed_where_debug_asks_for_it(
    store: SQLiteStore, outcome: Outcome, output: str, subjects: list[str], *, debug: bool
) -> None:
    house = House(store)
    house.run(outcome, execute=replace(EXECUTE, debug=debug), output=output)
    house.after(1)
    assert [str(mail["Subject"]).removeprefix("[archive] ") for mail in house.mails()] == subjects


def test_a_good_run_of_which_only_the_record_is_left_is_not_mailed(store: SQLiteStore) -> None:
    house = House(store).hear(RunFinished(run=replace(RUN, outcome=Outcome.SUCCEEDED)))
    assert house.after(1) == []


def test_only_events_that_may_be_mailed_are_heard() -> None:
    assert not MailListener.hears & {RunStarted}
    assert MailListener.hears >= {RunFinished, TellingDue, DescriptorRejected}


def test_the_last_success_is_told(store: SQLiteStore) -> None:
    house = House(store).run(Outcome.SUCCEEDED)
    house.clock.move(60)
    house.run(Outcome.FAILED).after(1)
    body = house.mails()[0].get_body(("plain",))
    assert body is not None
    assert "Last success: 2024-05-01 03:00:00 UTC\n" in body.get_content()


def test_a_mail_that_cannot_be_written_as_it_should_be_is_told_all_the_same(
    store: SQLiteStore, caplog: pytest.LogCaptureFixture
) -> None:
    class Odd(Masker):
        def all_of(self, value: object) -> NoReturn:
            raise ValueError("odd")

    house = House(store)
    house.mail._mask = Odd()
    house.run(Outcome.FAILED)
    with caplog.at_level(logging.ERROR):
        assert house.after(1) == ["FAILED weather/q#fetch"]
    assert caplog.messages == ["a mail about 1 incidents could not be written as it should be"]
    assert house.after(100) == []


@pytest.mark.parametrize(
    "address",
    [
        "nobody",
        "a@b@c",
        "jo@example.org\nBcc: x@y.org",
        "jo@example.org, x@y.org",
        "jürgen@example.org",
        "<jo@x",
        "a" * 999 + "@b",
    ],
)
def test_unusable_addresses_are_named_in_the_log_and_done_without(
    store: SQLiteStore, caplog: pytest.LogCaptureFixture, address: str
) -> None:
    policy = MailPolicy(host="archive", sender=address, recipients=(address, "ops@example.org"), user="gavo")
    with caplog.at_level(logging.WARNING):
        house = House(store, policy=policy).run(Outcome.FAILED)
    house.after(1)
    [message] = house.mails()
    assert (message["From"], message["To"]) == ("gavo-exec <gavo@archive>", "ops@example.org")
    expected = f"{repr(address)[:200]} is no mail address that can be used; mend the settings for mail"
    assert caplog.messages == [expected, expected]


def test_without_addresses_mail_goes_from_and_to_the_user_of_the_daemon(store: SQLiteStore) -> None:
    house = House(store, policy=MailPolicy(host="archive", user="gavo")).run(Outcome.FAILED)
    house.after(1)
    [message] = house.mails()
    assert (message["From"], message["To"]) == ("gavo-exec <gavo@archive>", "gavo@archive")


def test_a_policy_knows_this_machine_and_user() -> None:
    policy = MailPolicy()
    assert policy.host
    assert policy.user


def test_only_the_end_of_long_output_is_shown(store: SQLiteStore) -> None:
    house = House(store)
    house.run(Outcome.FAILED, output="".join(f"line {number}\n" for number in range(1000))).after(1)
    body = house.mails()[0].get_body(("plain",))
    assert body is not None
    shown = body.get_content().partition("Output:\n")[2].partition("\n\n")[0].split("\n")
    assert shown == ["    [940 lines before this left out]", *(f"    line {number}" for number in range(940, 1000))]
