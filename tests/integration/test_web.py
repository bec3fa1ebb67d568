"""The web: what is at which address, who may go there, and what hostile people get."""

import http.client
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import icalendar
import msgspec
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_plain

from gavo_exec.access import Scope
from gavo_exec.control import Printed, RefusedError, RunBegan, RunEnded
from gavo_exec.control_views import Broken
from gavo_exec.errors import Severity
from gavo_exec.json_views import DiagnosticView
from gavo_exec.model import Outcome
from gavo_exec.services.control.routes import ROUTES
from tests.integration.web_place import KEY, NOW, SECRET, Answer, WebPlace, run_of, status_of

PAGES = ("/", f"/job?key={KEY.replace('#', '%23')}", "/run?id=run-1", "/broken", "/mail", "/audit", "/login")
CHUNK = b"ffff\r\n" + b"x" * 0xFFFF + b"\r\n"
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)> \x1b[31m\u202e\ud800\x00end"


@pytest.fixture
def place(tmp_path: Path) -> Iterator[WebPlace]:
    made = WebPlace(tmp_path)
    made.store.record(run_of(output="Gruß\n"))
    made.store.flush()
    yield made
    made.close()


@pytest.fixture
def closed_place(tmp_path: Path) -> Iterator[WebPlace]:
    made = WebPlace(tmp_path, needs_token=True)
    yield made
    made.close()


# Pages


@pytest.mark.parametrize("path", PAGES)
def test_every_page_is_there_with_the_headers_that_browsers_go_by(place: WebPlace, path: str) -> None:
    answer = place.ask(path)
    assert answer.status == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "script-src 'self'" in answer.headers["content-security-policy"]
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    assert "server" not in answer.headers
    # What the policy forbids would not work anyway.
    assert not re.search(r"<script(?! src=)|\son\w+=|\sstyle=|javascript:", answer.text)


def test_the_overview_says_how_all_is(place: WebPlace) -> None:
    assert "All is well" in place.ask("/").text
    place.control.statuses = [status_of(), status_of("weather/q#plot", title="Plot", outcome=Outcome.FAILED)]
    place.log_in()
    place.send("/do/reload", {"form_token": place.log_in()})  # after which nothing is kept
    text = place.ask("/").text
    assert "Something needs you" in text
    assert "favicon.svg?kind=bad" in text
    assert text.index("Plot") < text.index("Wetter")


def test_the_overview_finds_jobs(place: WebPlace) -> None:
    place.control.statuses = [status_of(f"a/q#j{n}", title=f"Job {n}") for n in range(120)]
    text = place.ask("/").text
    assert "page 1 of 3" in text
    assert text.count("<small>a/q#j") == 50
    assert "Job 77" in place.ask("/?q=job+77").text
    assert place.ask("/?q=job+77").text.count("<small>a/q#j") == 1
    assert "page 3 of 3" in place.ask("/?page=99999").text
    assert "page 1 of 3" in place.ask("/?page=x%00").text
    assert "No job is like that" in place.ask("/?q=nothing").text
    assert "No job is like that" in place.ask("/?only=failing").text


def test_a_run_shows_its_traceback_in_its_source(place: WebPlace) -> None:
    error = 'ValueError: no temperature\nTraceback:\n  File "/inputs/weather/q.rd", line 7, in job\n    x()'
    place.store.record(run_of(run_id="bad", outcome=Outcome.FAILED, error=error, output=f"a {SECRET} b"))
    place.store.flush()
    text = place.ask("/run?id=bad").text
    assert "ValueError: no temperature" in text
    assert "line 7, in job" in text
    assert SECRET not in text
    assert "********" in text
    assert place.ask("/run?id=nothing").status == 404


def test_much_output_is_shown_in_part_and_to_be_had_as_a_whole(place: WebPlace) -> None:
    place.store.record(run_of(run_id="long", output="x" * 10_000_000))
    place.store.flush()
    answer = place.ask("/run?id=long")
    assert len(answer.body) < 300_000
    assert "9,800,000 characters are left out" in answer.text
    assert place.ask("/run/output?id=long").body == b"x" * 10_000_000


def test_broken_rds_are_shown_with_their_lines(place: WebPlace, tmp_path: Path) -> None:
    rd = tmp_path / "q.rd"
    rd.write_text("<resource>\n  <execute evry='3'/>\n</resource>\n")
    fault = DiagnosticView(
        code="E202",
        severity=Severity.ERROR,
        message="no attribute evry",
        path=str(rd),
        line=2,
        column=12,
        via=(),
        hint="every",
    )
    place.control.broken_rds = [
        Broken(rd_id="weather/q", path=str(rd), rejected_at=NOW, diagnostics=(fault,), held_back=(KEY,))
    ]
    text = place.ask("/broken").text
    assert "no attribute evry" in text
    assert f"{rd}:2:12" in text
    assert "<mark>" in text
    assert "&lt;execute evry=&#39;3&#39;/&gt;" in text
    rd.unlink()
    assert place.ask("/broken").status == 200


def test_a_daemon_that_is_gone_is_no_traceback(place: WebPlace) -> None:
    place.server.stop()
    for path in ("/", f"/job?key={KEY.replace('#', '%23')}", "/broken"):
        answer = place.ask(path)
        assert answer.status == 503
        assert "no daemon runs" in answer.text
    for path in ("/healthz", "/readyz", "/metrics", "/calendar.ics"):
        assert place.ask(path).status == 503
    assert place.ask("/run?id=run-1").status == 200  # which needs nobody


# Who may do what


def test_who_has_no_token_may_look_and_no_more(place: WebPlace) -> None:
    text = place.ask(f"/job?key={KEY.replace('#', '%23')}").text
    assert "Log in" in text
    assert "/do/" not in text
    for what in ("trigger", "cancel", "pause", "resume", "reload", "deliver"):
        assert place.send(f"/do/{what}", {"key": KEY}).status == 403
    assert not {asked[0] for asked in place.control.asked} & {"trigger", "cancel", "pause", "resume", "reload"}


def test_an_operator_does_everything_and_is_named(place: WebPlace) -> None:
    form_token = place.log_in()
    for what, form, asked in (
        ("trigger", {"key": KEY}, "trigger"),
        ("cancel", {"run": "run-1", "key": KEY}, "cancel"),
        ("pause", {"key": KEY, "for": "8h", "note": "the disk\nmoves"}, "pause"),
        ("resume", {"key": KEY}, "resume"),
        ("pause", {"key": "", "for": ""}, "pause"),
        ("reload", {}, "reload"),
        ("deliver", {}, "deliver"),
    ):
        place.control.asked.clear()
        answer = place.send(f"/do/{what}", {"form_token": form_token, **form})
        assert answer.status == 303, what
        [words] = [each for each in place.control.asked if each[0] == asked]
        assert str(words[-1]).startswith("operate on the web as "), words
        if form.get("note"):
            assert words[2:4] == (NOW + timedelta(hours=8), "the disk moves")
        assert place.ask(answer.headers["location"]).status == 200


def test_what_is_refused_is_said(place: WebPlace) -> None:
    form_token = place.log_in()
    place.control.refusal = RefusedError("it is <stopping>")
    answer = place.send("/do/trigger", {"form_token": form_token, "key": KEY})
    assert answer.status == 409
    assert "it is &lt;stopping&gt;" in answer.text


def test_readers_do_nothing(place: WebPlace) -> None:
    form_token = place.log_in(Scope.READ)
    assert place.send("/do/trigger", {"form_token": form_token, "key": KEY}).status == 403


@pytest.mark.parametrize(
    ("form_token", "headers"),
    [
        ("", {}),
        ("0" * 64, {}),
        ("\ud800", {}),
        ("right", {"Origin": "http://evil.example"}),
        ("right", {"Origin": "null"}),
        ("right", {"Sec-Fetch-Site": "cross-site"}),
        ("right", {"Sec-Fetch-Site": "same-site"}),
    ],
)
def test_forms_of_others_are_not_carried_out(place: WebPlace, form_token: str, headers: dict[str, str]) -> None:
    right = place.log_in()
    place.control.asked.clear()
    form = {"form_token": right if form_token == "right" else form_token, "key": KEY}
    assert place.send("/do/trigger", form, headers).status == 403
    assert place.control.asked == []


def test_a_form_of_an_earlier_session_is_not_carried_out(place: WebPlace) -> None:
    old = place.log_in()
    place.clock.move(60)
    place.cookie = ""
    place.log_in()
    assert place.send("/do/trigger", {"form_token": old, "key": KEY}).status == 403


def test_sessions_end(place: WebPlace) -> None:
    place.log_in()
    assert "Log out" in place.ask("/").text
    place.clock.move(13 * 3600)
    assert "Log out" not in place.ask("/").text


def test_a_token_that_is_taken_away_holds_no_more_and_neither_do_its_sessions(place: WebPlace) -> None:
    form_token = place.log_in()
    place.tokens.remove("operate")
    assert "Log out" not in place.ask("/").text
    assert place.send("/do/trigger", {"form_token": form_token, "key": KEY}).status == 403
    place.cookie = ""
    assert place.ask("/v1/status", token=Scope.OPERATE).status == 401


@pytest.mark.parametrize("change", [lambda v: v[:-1], lambda v: f"{v}x", lambda v: v.replace("operate", "admin")])
def test_sessions_cannot_be_made_up(place: WebPlace, change: object) -> None:
    place.log_in()
    name, _, value = place.cookie.partition("=")
    place.cookie = f"{name}={change(value)}"  # type: ignore[operator]
    assert "Log out" not in place.ask("/").text


def test_logging_out_takes_the_cookie_away(place: WebPlace) -> None:
    form_token = place.log_in()
    assert place.send("/logout", {"form_token": "x"}).status == 403
    answer = place.send("/logout", {"form_token": form_token})
    assert answer.status == 303
    assert "Max-Age=0" in answer.headers["set-cookie"]


def test_cookies_are_for_us_alone(place: WebPlace) -> None:
    cookie = place.send("/login", {"token": place.secrets[Scope.READ]}).headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert place.secrets[Scope.READ].lower() not in cookie


def test_behind_https_cookies_are_secure_and_links_have_the_prefix(tmp_path: Path) -> None:
    place = WebPlace(tmp_path, address="https://vo.example/jobs/")
    try:
        answer = place.send("/jobs/login", {"token": place.secrets[Scope.READ], "next": "/jobs/mail"})
        assert answer.headers["location"] == "/jobs/mail"
        assert "secure" in answer.headers["set-cookie"].lower()
        text = place.ask("/jobs/").text
        assert not re.search(r'(?:href|src|action)="/(?!jobs/)', text)
        assert place.ask("/jobs/static/style.css").status == 200
        assert b"https://vo.example/jobs/job?key=" in place.ask("/calendar.ics").body
    finally:
        place.close()


@pytest.mark.parametrize("following", ["https://evil.example/", "//evil.example/", "/\\evil.example", "x", "/\r\nX: y"])
def test_logins_lead_nowhere_else(place: WebPlace, following: str) -> None:
    answer = place.send("/login", {"token": place.secrets[Scope.READ], "next": following})
    assert answer.headers["location"] == "/"


def test_wrong_tokens_are_counted(place: WebPlace) -> None:
    answers = [place.send("/login", {"token": f"gx_{n}"}).status for n in range(12)]
    assert answers == [403] * 10 + [429] * 2
    assert place.ask("/v1/status", token=Scope.ADMIN).status == 429
    place.clock.move(61)
    assert place.ask("/v1/status", token=Scope.ADMIN).status == 200


def test_deeds_are_counted(place: WebPlace) -> None:
    body = msgspec.json.encode({"key": KEY})
    answers = [place.ask("/v1/runs", method="POST", body=body, token=Scope.OPERATE).status for _ in range(61)]
    assert answers == [202] * 60 + [429]


def test_where_looking_takes_a_token_nothing_is_seen_without(closed_place: WebPlace) -> None:
    place = closed_place
    for path in (*PAGES[:-1], "/changes", "/run/live?id=run-1", "/run/output?id=run-1"):
        answer = place.ask(path)
        assert (answer.status, answer.headers["location"]) == (303, "/login"), path
    for path in ("/metrics", "/calendar.ics", "/v1/status", "/v1/openapi.json"):
        assert place.ask(path).status == 401
        assert place.ask(path, token=Scope.READ).status == 200
    for path in ("/healthz", "/readyz", "/login", "/static/style.css", "/favicon.svg"):
        assert place.ask(path).status == 200
    place.log_in(Scope.READ)
    assert place.ask("/").status == 200


# The control API


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_each_question_takes_a_token_of_its_scope(place: WebPlace, route: object) -> None:
    path, method = route.path, route.method  # type: ignore[attr-defined]
    scope: Scope = route.scope  # type: ignore[attr-defined]
    bodies = {
        "/v1/runs": {"key": KEY},
        "/v1/cancel": {"run": "r"},
        "/v1/pause": {"key": KEY},
        "/v1/resume": {"key": KEY},
    }
    query = {"/v1/job": f"?key={KEY.replace('#', '%23')}", "/v1/live": "?run=run-1"}.get(path, "")
    place.control.happenings = [None, RunEnded(run=run_of())]

    def ask(token: Scope | None) -> int:
        body = msgspec.json.encode(bodies.get(path, {})) if method == "POST" else None
        return place.ask(f"{path}{query}", method=method, body=body, token=token).status

    assert ask(None) == 401
    for token in Scope:
        status = ask(token)
        assert status < 300 if token.allows(scope) else status == 403, token
    place.log_in(Scope.ADMIN)
    place.secrets.clear()
    assert ask(None) < 300 if scope is Scope.READ else ask(None) == 401


def test_what_programs_do_is_named(place: WebPlace) -> None:
    place.ask("/v1/runs", method="POST", body=msgspec.json.encode({"key": KEY}), token=Scope.OPERATE)
    [asked] = [each for each in place.control.asked if each[0] == "trigger"]
    assert str(asked[-1]).startswith("operate over the network as ")


def test_refusals_come_through(place: WebPlace) -> None:
    answer = place.ask("/v1/job?key=x", token=Scope.READ)
    assert answer.status == 404
    assert msgspec.json.decode(answer.body)["known"] == [KEY]
    assert place.ask("/v1/runs", method="POST", body=b"{", token=Scope.OPERATE).status == 400
    assert place.ask("/v1/nothing", token=Scope.ADMIN).status == 404
    assert place.ask("/v1/../etc", token=Scope.ADMIN).status == 404


def test_the_description_has_the_scopes(place: WebPlace) -> None:
    described = msgspec.json.decode(place.ask("/v1/openapi.json").body)
    assert described["paths"]["/v1/stop"]["post"]["security"] == [{"token": ["admin"]}]


# Live


def events(answer: Answer) -> list[tuple[str, str]]:
    found = re.findall(r"event: (\w+)\n((?:data: .*\n)*)\n", answer.text)
    return [(name, "\n".join(line[6:] for line in data.splitlines())) for name, data in found]


def test_what_a_run_prints_is_streamed_and_harmless(place: WebPlace) -> None:
    run = run_of(outcome=None)
    place.control.happenings = [
        None,
        RunBegan(run=run),
        Printed(run_id="run-1", output=b"Gr\xc3"),
        Printed(run_id="run-1", output=b"\xbc\xc3\x9fe\n<script>\x1b[31m\n\nevent: ended\ndata: x\n"),
        Printed(run_id="run-1", output=f"{SECRET[:5]}".encode()),
        Printed(run_id="run-1", output=f"{SECRET[5:]} tail".encode()),
        RunEnded(run=run_of()),
    ]
    found = events(place.ask("/run/live?id=run-1"))
    assert found[-1] == ("ended", "")
    text = "".join(data for name, data in found if name == "output")
    assert text == "Grüße\n&lt;script&gt;\n\nevent: ended\ndata: x\n******** tail"


def test_a_line_without_end_is_streamed_in_pieces(place: WebPlace) -> None:
    place.control.happenings = [None, *[Printed(run_id="run-1", output=b"x" * 65_536)] * 160, RunEnded(run=run_of())]
    found = events(place.ask("/run/live?id=run-1"))
    assert found[-1] == ("ended", "")
    text = "".join(data for name, data in found if name == "output")
    assert text.startswith("x" * 1_000_000)
    assert len(text) < 1_000_200
    assert "load the page again" in text


def test_changes_are_told(place: WebPlace) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", place.port, timeout=20)
    connection.request("GET", "/changes")
    response = connection.getresponse()
    assert response.readline() == b"event: hello\n"
    place.store.record(run_of(run_id="another"))
    place.store.flush()
    while response.readline() != b"event: changed\n":
        pass
    connection.close()


def test_there_are_not_too_many_who_watch_and_others_are_answered(place: WebPlace) -> None:
    watching = []
    try:
        for _ in range(48):
            connection = place.raw()
            watching.append(connection)
            connection.sendall(b"GET /changes HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert b"hello" in _until(connection, b"hello")
        assert place.ask("/changes").status == 503
        assert place.ask("/").status == 200
    finally:
        for connection in watching:
            connection.close()


def _until(connection: socket.socket, wanted: bytes) -> bytes:
    found = b""
    while wanted not in found and (data := connection.recv(65_536)):
        found += data
    return found


# Programs


def test_health_is_that_of_the_scheduler(place: WebPlace) -> None:
    assert place.ask("/healthz").text == "ok\n"
    assert place.ask("/readyz").text == "ok\n"


def test_metrics_are_read_by_others(place: WebPlace) -> None:
    plain = {family.name: family for family in parse_plain(place.ask("/metrics").text)}
    [due] = plain["gavo_exec_next_due_timestamp_seconds"].samples
    assert (due.labels, due.value) == ({"key": KEY}, (NOW + timedelta(hours=1)).timestamp())
    [success] = plain["gavo_exec_last_success_timestamp_seconds"].samples
    assert success.labels == {"key": KEY}
    answer = place.ask("/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"})
    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    names = {family.name for family in parse_openmetrics(answer.text)}  # type: ignore[no-untyped-call]
    assert {"gavo_exec_build", "gavo_exec_scheduler_lag_seconds", "gavo_exec_outbox_age_seconds"} <= names


def test_the_calendar_is_read_by_others(place: WebPlace) -> None:
    place.control.statuses = [status_of(title="Wetter; heute, \\ und\nmorgen " + "ü" * 80)]
    answer = place.ask("/calendar.ics")
    assert answer.headers["content-type"].startswith("text/calendar")
    assert max(map(len, answer.body.split(b"\r\n"))) <= 75
    [event] = icalendar.Calendar.from_ical(answer.body).walk("VEVENT")
    assert str(event["SUMMARY"]) == "Wetter; heute, \\ und morgen " + "ü" * 80
    assert event.decoded("DTSTART") == NOW + timedelta(hours=1)
    assert str(event["URL"]).startswith("http://127.0.0.1:")
    assert icalendar.Calendar.from_ical(place.ask("/calendar.ics?key=other").body).walk("VEVENT") == []


# Hostile people


def test_hostile_texts_have_no_power(place: WebPlace) -> None:
    key = "weather/q#fetch"
    place.control.statuses = [status_of(key, title=HOSTILE)]
    place.store.record(
        run_of(key, run_id="h", outcome=Outcome.FAILED, title=HOSTILE, output=HOSTILE, error=HOSTILE * 2)
    )
    place.store.flush()
    place.control.broken_rds = [
        Broken(
            rd_id=HOSTILE,
            path=HOSTILE,
            rejected_at=NOW,
            diagnostics=(
                DiagnosticView(
                    code="E1",
                    severity=Severity.ERROR,
                    message=HOSTILE,
                    path=HOSTILE.replace("\x00", ""),
                    line=1,
                    column=1,
                    via=(),
                    hint=HOSTILE,
                ),
            ),
            held_back=(HOSTILE,),
        )
    ]
    for path in (
        *PAGES,
        "/run?id=h",
        "/?q=%3Cscript%3Ealert(1)%3C/script%3E%ff",
        "/login?next=%22%3E%3Cscript%3E",
        "/x%3Cscript%3E",
    ):
        answer = place.ask(path)
        assert answer.status in {200, 404}, path
        assert "<script>" not in answer.text, path
        assert "<img" not in answer.text, path
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u202e]", answer.text), path


@pytest.mark.parametrize("host", ["evil.example", "", "localhost.evil.example", "localhost:x", "[::1", "LOCALHOST, x"])
def test_we_are_nobody_else(place: WebPlace, host: str) -> None:
    assert place.ask("/", headers={"Host": host}).status in {400, 421}


@pytest.mark.parametrize("host", ["localhost", "LocalHost:1", "127.0.0.1:80", "vo"])
def test_we_are_who_we_are(place: WebPlace, host: str) -> None:
    assert place.ask("/healthz", headers={"Host": host}).status == 200


@pytest.mark.parametrize(
    "path",
    [
        "/static/../app.py",
        "/static/%2e%2e/app.py",
        "/static/..%2fapp.py",
        "//etc/passwd",
        "/static/style.css%00",
        "/do/__init__",
    ],
)
def test_paths_lead_nowhere_else(place: WebPlace, path: str) -> None:
    answer = place.ask(path)
    assert answer.status in {404, 405}
    assert "root:" not in answer.text


@pytest.mark.parametrize(
    "request_",
    [
        b"nonsense\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 100_000 + b"\r\n\r\n",
        b"POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999\r\n\r\n",
        b"POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
        b"POST /login HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n" + CHUNK * 3,
        b"\x16\x03\x01\x02\x00",
    ],
)
def test_what_is_no_request_is_refused_and_others_are_answered(place: WebPlace, request_: bytes) -> None:
    with place.raw() as connection, suppress(ConnectionError):
        connection.sendall(request_)
        connection.shutdown(socket.SHUT_WR)
        found = b""
        while data := connection.recv(65_536):
            found += data
        assert not found or re.match(rb"HTTP/1.1 (400|413|421|403|431)", found), found[:200]
    assert place.ask("/healthz").status == 200


def test_who_never_says_what_he_wants_is_not_waited_for(place: WebPlace) -> None:
    silent = [place.raw() for _ in range(3)]
    silent[1].sendall(b"GET / HTTP/1.1\r\nHost: local")
    silent[2].sendall(b"POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nx")
    began = time.monotonic()
    assert place.ask("/").status == 200
    assert time.monotonic() - began < 5
    for connection in silent:
        with connection, suppress(ConnectionError):
            connection.settimeout(25)
            while connection.recv(65_536):
                pass
    assert time.monotonic() - began < 25


def test_who_takes_nothing_of_what_is_answered_is_not_waited_for(place: WebPlace) -> None:
    place.store.record(run_of(run_id="long", output="x" * 9_000_000))
    place.store.flush()
    connection = place.raw()
    connection.sendall(b"GET /run/output?id=long HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert connection.recv(10).startswith(b"HTTP/1.1")
    established, deadline = 1, time.monotonic() + 25
    pause = threading.Event()
    # Nothing is read meanwhile: that the server has given up is seen from the state of the connection alone.
    while connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] == established:
        assert time.monotonic() < deadline
        pause.wait(0.1)
    connection.close()
    assert place.ask("/healthz").status == 200


def test_a_fault_of_ours_is_a_page_and_a_line_in_the_log(place: WebPlace, caplog: pytest.LogCaptureFixture) -> None:
    place.control.refusal = RuntimeError("no idea")  # which comes back as a refusal of the daemon
    assert place.ask("/").status == 503
    place.control.refusal = None
    place.control.statuses = ["what is this?"]  # type: ignore[list-item] # on purpose
    assert place.ask("/").status == 503
    assert place.ask("/healthz").status == 200
    assert "Traceback" not in place.ask("/").text
    assert not [record for record in caplog.records if record.name.startswith("uvicorn")]
