"""Portable properties become policies; what is told of faulty ones is in the data for bad RDs."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import pytest

from gavo_exec.descriptor import read
from gavo_exec.errors import DescriptorError
from gavo_exec.model import DEFAULT_POLICY, Limit, Missed, Overlap, Policy, ResourceDescriptor
from gavo_exec.schedule import At, AtTime, Every, Loaded, Schedule, Window, delay_for, narrowed

PATH = "/rds/s/q.rd"
NONE: Mapping[str, str] = {}
TIMEOUT = "a duration such as 90s, 10m or 1h 30m, more than 0 and at most a year"


def properties(given: Mapping[str, str]) -> str:
    return "".join(f'<property name="{name}">{text}</property>\n' for name, text in given.items())


def execute(given: Mapping[str, str] = NONE, *, title: str = "T", when: str = 'at="1:00"') -> str:
    return f'<execute title="{title}" {when}>{properties(given)}<job><code>pass</code></job></execute>\n'


def rd_of(body: str, *, defaults: Mapping[str, str] = NONE, resdir: str = ".") -> ResourceDescriptor:
    text = f'<resource schema="s" resdir="{resdir}">\n{body}\n</resource>'
    return read(PATH, inputs_dir="/rds", data=text.encode(), today=date(2026, 1, 1), thorough=True, defaults=defaults)


def policy_of(
    own: Mapping[str, str], *, resource: Mapping[str, str] = NONE, defaults: Mapping[str, str] = NONE
) -> Policy:
    rd = rd_of(properties(resource) + execute(own), defaults=defaults)
    return rd.executes[0].policy


def faults_of(body: str, *, defaults: Mapping[str, str] = NONE) -> list[str]:
    try:
        found = rd_of(body, defaults=defaults).warnings
    except DescriptorError as error:
        found = error.diagnostics
    return [
        f"{each.position.line}:{each.position.column} {each.code} {each.message}"
        for each in found
        if each.code != "W206"
    ]


@pytest.mark.parametrize(
    ("given", "fields"),
    [
        ({}, {}),
        ({"when.missed": "all"}, {"missed": Missed.ALL}),
        ({"when.missed": "skip"}, {"missed": Missed.SKIP, "grace": timedelta(seconds=60)}),
        ({"when.missed": "skip", "when.grace": "1h"}, {"missed": Missed.SKIP, "grace": timedelta(hours=1)}),
        ({"when.grace": "2d"}, {"grace": timedelta(days=2)}),
        ({"when.files": "in/*.fits"}, {"files": "/rds/s/in/*.fits"}),
        ({"when.files": "../x/**/*.fits"}, {"files": "/rds/x/**/*.fits"}),
        ({"when.files": "/data/*"}, {"files": "/data/*"}),
        ({"when.files": r"\schema-*", "when.settle": "0"}, {"files": "/rds/s/s-*", "settle": timedelta()}),
        ({"run.timeout": "90"}, {"timeout": timedelta(seconds=90)}),
        ({"run.overlap": "replace"}, {"overlap": Overlap.REPLACE}),
        ({"run.retries": "3", "run.retryDelay": "5m"}, {"retries": 3, "retry_delay": timedelta(minutes=5)}),
        ({"run.isolate": "process"}, {"is_isolated": True}),
        ({"run.limit": "archive"}, {"limit": Limit(name="archive", at_most=1)}),
        ({"run.limit": "archive 2"}, {"limit": Limit(name="archive", at_most=2)}),
        ({"run.priority": "-3"}, {"priority": -3}),
        ({"run.workdir": "work/./x"}, {"workdir": "/rds/s/work/x"}),
        ({"run.workdir": "/var/tmp"}, {"workdir": "/var/tmp"}),
        ({"run.env.B": "2", "run.env.A": " a b "}, {"env": (("A", "a b"), ("B", "2"))}),
        ({"run.niceness": "0", "run.memory": "1G"}, {"niceness": 0, "memory_bytes": 1 << 30}),
        ({"run.overlap": "skip", "run.retries": "0", "run.isolate": "thread"}, {}),
        ({"runs.timeout": "never", "whenever": "x"}, {}),
    ],
)  # fmt: skip
def test_properties_come_to_a_policy(given: dict[str, str], fields: dict[str, Any]) -> None:
    assert policy_of(given) == Policy(**fields)


def test_what_is_odd_in_the_resdir_is_no_pattern() -> None:
    rd = rd_of(execute({"when.files": "*.fits"}), resdir="a[b]*")
    assert rd.executes[0].policy.files == "/rds/a[[]b][*]/*.fits"


def test_job_code_finds_them_among_its_properties() -> None:
    [found] = rd_of(execute({"run.timeout": " 90 ", "site": "north"})).executes
    assert found.properties == {"run.timeout": " 90 ", "site": "north"}


@pytest.mark.parametrize(
    ("own", "resource", "defaults", "minutes"),
    [
        ("1m", "2m", "3m", 1),
        ("", "2m", "3m", 2),
        ("", "", "3m", 3),
        ("__NULL__", "2m", "3m", None),
        ("", "__NULL__", "3m", None),
        ("1m", "__NULL__", "3m", 1),
    ],
)
def test_an_execute_goes_before_its_resource_which_goes_before_the_settings(
    own: str, resource: str, defaults: str, minutes: int | None
) -> None:
    given = [{"run.timeout": text} if text else {} for text in (own, resource, defaults)]
    found = policy_of(given[0], resource=given[1], defaults=given[2])
    assert found.timeout == (None if minutes is None else timedelta(minutes=minutes))


def test_each_property_goes_by_itself() -> None:
    found = policy_of({"when.missed": "skip"}, resource={"when.grace": "5m"}, defaults={"run.retries": "2"})
    assert found == Policy(missed=Missed.SKIP, grace=timedelta(minutes=5), retries=2)


def test_properties_of_the_resource_hold_for_executes_before_and_after_them() -> None:
    rd = rd_of(execute(title="A") + properties({"run.retries": "2"}) + execute(title="B"))
    assert [each.policy.retries for each in rd.executes] == [2, 2]


def test_paths_in_defaults_count_from_each_resdir() -> None:
    defaults = {"run.workdir": "work", "when.files": "in/*"}
    found = [rd_of(execute(), defaults=defaults, resdir=resdir).executes[0].policy for resdir in ("a", "b")]
    assert [(each.workdir, each.files) for each in found] == [
        ("/rds/a/work", "/rds/a/in/*"),
        ("/rds/b/work", "/rds/b/in/*"),
    ]


def test_like_policies_are_one_object() -> None:
    own = {"run.timeout": "1h", "run.env.A": "1"}
    first, second = (rd_of(execute(own), resdir=resdir).executes[0].policy for resdir in ("a", "b"))
    assert first is second
    assert rd_of(execute()).executes[0].policy is DEFAULT_POLICY
    assert rd_of(execute({"run.overlap": "skip"})).executes[0].policy is DEFAULT_POLICY


def test_what_is_wrong_with_a_property_of_the_resource_is_told_once() -> None:
    body = properties({"run.timeout": "soon"}) + execute(title="A") + execute(title="B")
    assert faults_of(body) == [
        f"2:30 E304 run.timeout must be {TIMEOUT}, not 'soon'",
    ]


def test_a_property_of_the_resource_that_is_given_twice_or_empty_is_told_of() -> None:
    body = properties({"run.retries": "1"}) * 2 + properties({"run.limit": " ", "site": " "}) + execute()
    assert faults_of(body) == [
        "3:17 W201 the property run.retries is given twice; this one counts, not the one before",
        "4:2 E203 the property run.limit has no value",
    ]


def test_a_faulty_property_that_an_execute_has_itself_is_told_of() -> None:
    body = properties({"run.retries": "x"}) + execute({"run.retries": "2"})
    assert faults_of(body) == ["2:30 E304 run.retries must be a whole number from 0 to 100, not 'x'"]


def test_properties_elsewhere_in_an_rd_are_left_alone() -> None:
    assert faults_of(f'<service id="s">{properties({"run.x": "y"})}</service>{execute()}') == []


def test_properties_that_replays_make_are_told_of_where_they_stand() -> None:
    made = execute({"run.timeout": "\\limit", "run.overlap": "kill"}, title="\\name")
    loop = '<LOOP source="timed" csvItems="name,limit&#10;a,10m&#10;b,soon&#10;c,late"/>'
    assert faults_of(f'<STREAM id="timed">\n{made}</STREAM>\n{loop}') == [
        f"3:63 E304 run.timeout must be {TIMEOUT}, not 'soon'",
        f"3:63 E304 run.timeout must be {TIMEOUT}, not 'late'",
        "4:30 E304 run.overlap must be skip, queue, replace or allow, not 'kill'",
    ]


@pytest.mark.parametrize(
    ("resource", "executes", "told"),
    [
        ({"when.settle": "1m"}, [({}, 'at="1:00"')], True),
        ({"when.settle": "1m"}, [({}, 'at="1:00"'), ({"when.files": "*"}, 'at="1:00"')], False),
        ({"when.settle": "1m", "when.files": "*"}, [({}, 'at="1:00"')], False),
        ({"when.missed": "all"}, [({}, 'on="loaded"')], True),
        ({"when.missed": "all"}, [({}, 'on="loaded"'), ({}, 'every="60"')], False),
        ({"when.missed": "all"}, [({}, 'on="loaded"'), ({"when.missed": "skip"}, 'every="60"')], True),
        ({"when.missed": "all"}, [({"when.missed": "skip"}, 'every="60"')], False),
        ({"when.missed": "all"}, [], False),
    ],
)
def test_a_property_of_the_resource_is_idle_where_it_does_nothing_for_any_execute(
    resource: dict[str, str], executes: list[tuple[dict[str, str], str]], *, told: bool
) -> None:
    body = properties(resource) + "".join(
        execute(given, title=f"T{number}", when=when) for number, (given, when) in enumerate(executes)
    )
    assert [fault.split()[1] for fault in faults_of(body)] == (["W208"] if told else [])


def test_defaults_of_the_settings_are_never_called_idle() -> None:
    defaults = {"when.settle": "1m", "when.missed": "all", "run.retryDelay": "1m"}
    assert faults_of(execute(when='on="loaded"'), defaults=defaults) == []
    assert faults_of(execute({"when.settle": "1m"}), defaults={"when.files": "*"}) == []


# Schedules


def schedule_of(own: Mapping[str, str], when: str, *, defaults: Mapping[str, str] = NONE) -> Schedule:
    return rd_of(execute(own, when=when), defaults=defaults).executes[0].schedule


NOON = At(times=(AtTime(hour=12, minute=0),), items=("12:00",))
OFFICE = Window(only=("* 9-17 * * 1-5",), excluded=("* 12 * * *", "* * 24 12 *"))


@pytest.mark.parametrize(
    ("own", "when", "expected"),
    [
        ({"when.zone": "Europe/Berlin"}, 'at="12:00"', narrowed(NOON, zone="Europe/Berlin")),
        ({"when.zone": " UTC\n"}, 'at="12:00"', NOON),
        ({"when.only": "* 12 * * *"}, 'at="12:00"', narrowed(NOON, window=Window(only=("* 12 * * *",)))),
        (
            {"when.only": "* 12 * * *", "when.zone": "Asia/Tokyo"},
            'at="12:00"',
            narrowed(NOON, zone="Asia/Tokyo", window=Window(only=("* 12 * * *",), zone="Asia/Tokyo")),
        ),
        (
            {"when.only": "*  9-17 * * 1-5", "when.not": "* 12 * * *;\n* * 24 12 *"},
            'every="60"',
            narrowed(Every(seconds=60), window=OFFICE),
        ),
        ({"when.only": "__NULL__"}, 'every="60"', Every(seconds=60)),
        ({"when.jitter": "0"}, 'every="60"', Every(seconds=60)),
        ({"run.timeout": "1h"}, 'at="12:00"', NOON),
        ({"when.only": "* 9 * * *", "when.zone": "Asia/Tokyo", "when.jitter": "1h"}, 'on="loaded"', Loaded()),
    ],
)
def test_what_is_said_of_the_calendar_narrows_the_schedule(own: dict[str, str], when: str, expected: Schedule) -> None:
    assert schedule_of(own, when) == expected
    assert schedule_of({}, when, defaults={name: text for name, text in own.items() if text != "__NULL__"}) == expected


def test_jitter_is_a_delay_that_follows_from_the_key() -> None:
    rd = rd_of(properties({"when.jitter": "15m"}) + execute(title="A") + execute(title="B", when='every="60"'))
    for each in rd.executes:
        assert isinstance(each.schedule, At | Every)
        assert each.schedule.delay_seconds == delay_for(each.key, 900)
    assert rd.executes[0].policy is DEFAULT_POLICY


@pytest.mark.parametrize(
    ("resource", "own", "defaults", "told"),
    [
        ({}, {"when.only": "* 9-17 * * *"}, {}, "2:46 E305"),
        ({"when.not": "* 0-2 * * *"}, {}, {}, "3:24 E305"),
        ({"when.not": "* 0-2 * * *"}, {"when.zone": "Asia/Tokyo"}, {}, "3:24 E305"),
        ({"when.not": "* 0-2 * * *"}, {"when.not": "* 3 * * *"}, {}, None),
        ({}, {}, {"when.only": "* 9-17 * * *"}, "2:24 E305"),
        ({}, {"when.only": "__NULL__"}, {"when.only": "* 9-17 * * *"}, None),
        ({}, {"when.only": "* * 29 2 *"}, {}, "2:46 W209"),
        ({}, {"when.only": "* * L * *"}, {}, None),
        ({"when.only": "* 9-17 * * *"}, {"when.zone": "Asia/Nowhere"}, {}, "3:57 E304"),
    ],
)
def test_a_schedule_of_which_little_is_left_is_told_of_where_that_was_said(
    resource: dict[str, str], own: dict[str, str], defaults: dict[str, str], told: str | None
) -> None:
    found = faults_of(properties(resource) + execute(own, when='at="1:00"'), defaults=defaults)
    assert [" ".join(fault.split()[:2]) for fault in found] == ([told] if told else [])


def test_what_is_never_or_rarely_due_is_told_in_words() -> None:
    never = faults_of(execute({"when.only": "* 9-17 * * *", "when.zone": "Asia/Tokyo"}))
    assert never == ["2:46 E305 the execute is never due: at 1:00 Asia/Tokyo, only * 9-17 * * *"]
    rare = faults_of(execute({"when.only": "* * 29 2 *"}))
    assert rare == ["2:46 W209 the execute is rarely due, next on 2028-02-29: at 1:00 UTC, only * * 29 2 *"]


def test_like_executes_of_one_tag_are_told_of_once() -> None:
    made = execute({"when.only": "* 9 * * *"}, title="\\item")
    loop = f'<LOOP listItems="a b c"><events>\n{made}</events></LOOP>'
    assert faults_of(loop) == ["3:50 E305 the execute is never due: at 1:00 UTC, only * 9 * * *"]


def test_the_zone_of_an_interval_without_a_window_is_idle() -> None:
    said = "2:47 W208 when.zone has no effect: every counts seconds, and there is neither when.only nor when.not"
    assert faults_of(execute({"when.zone": "Asia/Tokyo"}, when='every="60"')) == [said]
    assert faults_of(execute({"when.zone": "Asia/Tokyo", "when.not": "* 9 * * *"}, when='every="60"')) == []


@pytest.mark.parametrize(
    ("properties_", "defaults", "fix"),
    [
        ({}, {}, ""),
        ({"when.zone": "Europe/Berlin"}, {}, None),
        ({}, {"when.zone": "Europe/Berlin"}, None),
    ],
)
def test_a_time_that_says_utc_is_mended_only_where_no_zone_may_be_meant(
    properties_: Mapping[str, str], defaults: Mapping[str, str], fix: str | None
) -> None:
    with pytest.raises(DescriptorError) as caught:
        rd_of(execute(properties_, when='at="7:30Z"'), defaults=defaults)
    assert [fault.fix for fault in caught.value.diagnostics if fault.code == "E301"] == [fix]
