"""The portable properties: what their texts mean, and what is told of others."""

import re
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gavo_exec.elements.portable import ENV, NAMED, PORTABLES, PREFIXES, Portable, find_portable, parse_property
from gavo_exec.elements.values import YEAR, PropertyFault


def fault_of(name: str, text: str) -> PropertyFault:
    with pytest.raises(PropertyFault) as caught:
        parse_property(name, text)
    return caught.value


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90", 90),
        ("90s", 90),
        ("90 sec", 90),
        ("1 second", 1),
        ("10m", 600),
        ("10 min", 600),
        ("1h", 3600),
        ("1h30m", 5400),
        ("1h 30m", 5400),
        ("1 hour 30 minutes", 5400),
        ("1.5h", 5400),
        ("0.25", 0.25),
        ("2d", 172_800),
        ("1w", 604_800),
        ("1w 1d 1h 1m 1s", 694_861),
        ("366d", 366 * 86_400),
        ("\n  5 m\n", 300),
    ],
)
def test_durations_are_seconds_or_have_units(text: str, seconds: float) -> None:
    assert parse_property("run.timeout", text) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "soon",
        "-5",
        "0",
        "0s",
        "1e3",
        "1M",
        "10 mins",
        "1m 1h",
        "1h 1h",
        "1h 30",
        "h",
        "1:30",
        "367d",
        "53w",
        "9" * 400,
        "9" * 12 + "w",
        "nan",
        "inf",
        "\u0661",
        "PT1H",
    ],
)
def test_other_texts_are_no_durations(text: str) -> None:
    shown = repr(text) if len(text) <= 60 else f"{text[:60]!r}..."
    assert str(fault_of("run.timeout", text)) == (
        "run.timeout must be a duration such as 90s, 10m or 1h 30m, more than 0 and at most a year, not " + shown
    )


@given(st.integers(min_value=0, max_value=int(YEAR.total_seconds())))
def test_a_duration_in_parts_is_the_sum_of_them(seconds: int) -> None:
    days, rest = divmod(seconds, 86_400)
    hours, rest = divmod(rest, 3600)
    minutes, rest = divmod(rest, 60)
    duration = timedelta(seconds=seconds)
    assert parse_property("when.jitter", f"{days}d {hours}h {minutes}m {rest}s") == duration
    assert parse_property("when.jitter", str(seconds)) == duration


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("when.zone", "\n Europe/Berlin ", "Europe/Berlin"),
        ("when.only", "* 9-17 * * mon", ("* 9-17 * * MON",)),
        ("when.not", "*  9 * * *;\n* 10 * * *", ("* 9 * * *", "* 10 * * *")),
        ("when.missed", "all", "all"),
        ("when.grace", "2h", timedelta(hours=2)),
        ("when.jitter", "0", timedelta()),
        ("when.settle", "0s", timedelta()),
        ("when.files", " data/**/*.fits ", "data/**/*.fits"),
        ("run.overlap", "\n queue\n", "queue"),
        ("run.retries", "0", 0),
        ("run.retries", "100", 100),
        ("run.retryDelay", "0", timedelta()),
        ("run.isolate", "process", "process"),
        ("run.limit", "archive", ("archive", 1)),
        ("run.limit", "archive.example-1  1000", ("archive.example-1", 1000)),
        ("run.priority", "-1000", -1000),
        ("run.priority", "+5", 5),
        ("run.workdir", "/var/tmp", "/var/tmp"),
        ("run.env.OMP_NUM_THREADS", "4", "4"),
        ("run.env._", " a b ", "a b"),
        ("run.niceness", "19", 19),
        ("run.memory", "16M", 16 << 20),
        ("run.memory", "500m", 500 << 20),
        ("run.memory", "1GiB", 1 << 30),
        ("run.memory", "1.5 GB", 3 << 29),
        ("run.memory", "1024T", 1 << 50),
        ("run.memory", "20000000", 20_000_000),
        ("mail.to", "ops@example.org", ("ops@example.org",)),
        ("mail.to", " Jo Doe <jo@example.org>;\n ops@example.org, ", ("Jo Doe <jo@example.org>", "ops@example.org")),
        ("mail.after", "1", 1),
        ("mail.after", "1000", 1000),
        ("mail.remind", "never", ()),
        ("mail.remind", "1m", (timedelta(minutes=1),)),
        ("mail.remind", "1h, 1d,\n7d", (timedelta(hours=1), timedelta(days=1), timedelta(days=7))),
        ("mail.locals", "yes", "yes"),
        ("mail.ping", "https://hc.example.org:8000/a-b/c?d=e&f", "https://hc.example.org:8000/a-b/c?d=e&f"),
        ("mail.ping", "http://jo:secret@[::1]/x", "http://jo:secret@[::1]/x"),
    ],
)
def test_each_property_is_of_its_type(name: str, text: str, value: object) -> None:
    assert parse_property(name, text) == value


GRACE = "a duration such as 90s, 10m or 1h 30m, from a second to a year"
FILES = "a pattern of paths such as data/*.fits, relative to the resdir; ** stands for any folders"
LIMIT = "a name and, if it is not 1, a number up to 1000, such as archive 2"
ADDRESSES = "mail addresses, such as jo@example.org or Jo <jo@example.org>, separated by commas"
REMINDERS = "durations of a minute or more, separated by commas, such as 1h, 1d, 7d, or never"
CHECK = "the address of a check, beginning with https:// or http://"
MEMORY = "a size such as 500M or 2G (powers of 1024), from 16M to 1024T"


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("when.zone", "Europe/Nowhere", "when.zone: no zone is called 'Europe/Nowhere'"),
        ("when.only", "* 25 * * *", "when.only: no such hour: '25'"),
        ("when.missed", "twice", "when.missed must be once, skip or all, not 'twice'"),
        ("when.grace", "0", f"when.grace must be {GRACE}, not '0'"),
        ("when.files", "", f"when.files must be {FILES}, not ''"),
        ("when.files", "data/", "when.files must name files, not a folder: 'data/'"),
        ("run.overlap", "kill", "run.overlap must be skip, queue, replace or allow, not 'kill'"),
        ("run.isolate", "yes", "run.isolate must be thread or process, not 'yes'"),
        ("run.retries", "101", "run.retries must be a whole number from 0 to 100, not '101'"),
        ("run.retries", "1.5", "run.retries must be a whole number from 0 to 100, not '1.5'"),
        ("run.retries", "1" * 5000, f"run.retries must be a whole number from 0 to 100, not '{'1' * 60}'..."),
        ("run.limit", "archive 0", f"run.limit must be {LIMIT}, not 'archive 0'"),
        ("run.limit", "two words 3", f"run.limit must be {LIMIT}, not 'two words 3'"),
        ("run.workdir", "a\nb", "run.workdir must be a path, relative to the resdir, not 'a\\nb'"),
        ("run.env.X", "a\0b", "run.env.X must be text, not 'a\\x00b'"),
        ("run.niceness", "-1", "run.niceness must be a whole number from 0 to 19, not '-1'"),
        ("run.memory", "500", f"run.memory must be {MEMORY}, not '500'"),
        ("run.memory", "2X", f"run.memory must be {MEMORY}, not '2X'"),
        ("mail.to", "", f"mail.to must be {ADDRESSES}, not ''"),
        ("mail.to", "jo@x.org, nobody", "mail.to has an address that cannot be used: 'nobody'"),
        ("mail.to", "jürgen@example.org", "mail.to has an address that cannot be used: 'jürgen@example.org'"),
        ("mail.after", "0", "mail.after must be a whole number from 1 to 1000, not '0'"),
        ("mail.remind", "59s", f"mail.remind must be {REMINDERS}, not '59s'"),
        ("mail.remind", "1h 1d", f"mail.remind must be {REMINDERS}, not '1h 1d'"),
        ("mail.remind", "1h,", f"mail.remind must be {REMINDERS}, not '1h,'"),
        ("mail.remind", ",".join(["1h"] * 21), f"mail.remind must be {REMINDERS}, not '{','.join(['1h'] * 20)},'..."),
        ("mail.locals", "true", "mail.locals must be no or yes, not 'true'"),
        ("mail.ping", "hc.example.org/x", f"mail.ping must be {CHECK}, not 'hc.example.org/x'"),
        ("mail.ping", "ftp://example.org", f"mail.ping must be {CHECK}, not 'ftp://example.org'"),
        ("mail.ping", "file:///etc/passwd", f"mail.ping must be {CHECK}, not 'file:///etc/passwd'"),
        ("mail.ping", "https://", f"mail.ping must be {CHECK}, not 'https://'"),
        ("mail.ping", "https://x.org/a b", f"mail.ping must be {CHECK}, not 'https://x.org/a b'"),
        ("mail.ping", "https://x.org/\r\nHost: y", f"mail.ping must be {CHECK}, not 'https://x.org/\\r\\nHost: y'"),
        ("mail.ping", "https://x.org:99999/", f"mail.ping must be {CHECK}, not 'https://x.org:99999/'"),
        ("run.timout", "1h", "there is no setting run.timout"),
        ("run.env.1X", "1", "not a name for a variable of the environment: '1X'"),
    ],
)
def test_faults_say_what_it_must_be(name: str, text: str, message: str) -> None:
    assert str(fault_of(name, text)) == message


@pytest.mark.parametrize(
    ("name", "text", "hint", "fix"),
    [
        ("run.overlap", " Queu ", "did you mean queue?", "queue"),
        ("run.overlap", "kill", "", None),
        ("when.zone", "europe/berlin", "it is spelled Europe/Berlin", "Europe/Berlin"),
        ("run.timeout", "none", "leave it out, or write __NULL__ to unset a default", None),
        ("when.files", "data/", "write 'data/*'", None),
        ("mail.to", "jo", "write jo@example.org, or Jo Doe <jo@example.org>", None),
        ("mail.remind", "none", "did you mean never?", "never"),
    ],
)
def test_faults_say_what_to_do_where_that_is_plain(name: str, text: str, hint: str, fix: str | None) -> None:
    fault = fault_of(name, text)
    assert (fault.hint, fault.fix) == (hint, fix)


def test_the_span_of_a_fault_is_the_value_without_blanks_around_it() -> None:
    fault = fault_of("run.overlap", "\n  Queu ")
    assert (fault.start, fault.end) == (3, 7)
    within = fault_of("when.not", "\n  * 9 * * *; * 25 * * * ")
    assert (within.start, within.end) == (16, 18)


@pytest.mark.parametrize(
    ("name", "hint", "fix"),
    [
        ("run.timout", "did you mean run.timeout?", "run.timeout"),
        ("run.Timeout", "did you mean run.timeout?", "run.timeout"),
        ("when.retries", "did you mean run.retries?", None),
        ("mail.from", "did you mean mail.to?", None),
        ("run.env", "did you mean run.env.NAME?", None),
        ("run.enviroment", "", None),
        ("run.qqqqqq", "names that begin with when., run. or mail. are for gavo-exec", None),
        ("run.env.NAME.x", "a variable's name has ASCII letters, digits and underscores, and no digit first", None),
    ],
)
def test_of_unknown_names_the_meant_one_is_told(name: str, hint: str, fix: str | None) -> None:
    with pytest.raises(PropertyFault) as caught:
        find_portable(name)
    if hint:
        assert (caught.value.hint, caught.value.fix) == (hint, fix)


def test_a_variable_may_be_called_name() -> None:
    assert parse_property("run.env.NAME", "x") == "x"


@pytest.mark.parametrize("portable", PORTABLES, ids=lambda portable: portable.name)
def test_a_row_of_the_table_is_whole(portable: Portable) -> None:
    assert portable.name.startswith(PREFIXES)
    assert portable.description.endswith(".")
    assert not portable.expects.endswith(".")
    if not portable.is_for_later:
        assert parse_property(portable.name.replace(NAMED, "X"), portable.example) is not None


def test_no_name_is_there_twice() -> None:
    names = [portable.name for portable in PORTABLES]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"(when|run|mail)\.[a-z][A-Za-z]*", name) for name in names if not name.startswith(ENV))


NAMES = st.sampled_from([portable.name.replace(NAMED, "X") for portable in PORTABLES])
TEXTS = st.one_of(
    st.text(max_size=30),
    st.lists(st.sampled_from([*"0159wdhms.*/-+,;# \n", "MON", "L", "UTC", "Europe/", "K", "GiB", "archive"])).map(
        "".join
    ),
)


@given(NAMES, TEXTS)
def test_any_text_is_understood_or_told_of_with_a_span_in_it(name: str, text: str) -> None:
    found: object = None
    try:
        found = parse_property(name, text)
    except PropertyFault as fault:
        found = fault
    if isinstance(found, PropertyFault):
        end = len(text) if found.end is None else found.end
        assert 0 <= found.start <= end <= len(text)
        assert str(found).startswith(name)
    else:
        assert parse_property(name, f" {text}\n") == found
