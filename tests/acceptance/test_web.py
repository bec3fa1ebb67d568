"""The web beside a real daemon: tokens, what becomes of it when it dies, and when the daemon does."""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from queue import Queue

import msgspec
import psutil
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from gavo_exec.services.traces import trace_id_of
from tests.acceptance.conftest import PATIENCE_SECONDS, Site, text_of

pytestmark = pytest.mark.acceptance

RD = """\
<resource schema="a">
  <execute id="x" title="X" at="7:30"><job><code>print("hello")</code></job></execute>
</resource>
"""


@pytest.fixture
def port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        found: int = free.getsockname()[1]
    return found


def asked(port: int, path: str, *, token: str = "", body: bytes | None = None) -> tuple[int, bytes]:
    """What is answered."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", data=body, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as refusal:
        with refusal:
            return refusal.code, refusal.read()


def child_of(pid: int) -> psutil.Process:
    [found] = [each for each in psutil.Process(pid).children() if "gavo_exec.dashboard" in each.cmdline()]
    return found


def test_tokens_are_made_listed_and_taken_away(site: Site, port: int) -> None:
    site.save("a/q.rd", RD)
    secret = site.run("token", "add", "jo", "--scope", "operate").strip()
    path = site.state / "tokens.json"
    assert path.stat().st_mode & 0o777 == 0o600
    assert secret not in path.read_text()
    assert "there is a token jo already" in site.run("token", "add", "jo", code=1)
    assert "is no name for a token" in site.run("token", "add", "jo ey", code=1)
    assert "jo" in site.run("token", "list")
    assert msgspec.json.decode(site.run("token", "list", "--json"))[0]["scope"] == "operate"
    site.serve("--web", "--web-port", str(port)).wait_for("dashboard: on http")
    order = msgspec.json.encode({"key": "a/q#x"})
    assert asked(port, "/v1/runs", body=order)[0] == 401
    status, content = asked(port, "/v1/runs", token=secret, body=order)
    assert status == 202
    run_id = msgspec.json.decode(content)["run_id"]
    _, lines = asked(port, f"/v1/live?run={run_id}", token=secret)
    assert b"hello" in lines
    assert "jo over the network" in site.run("audit")
    site.run("token", "remove", "jo")
    assert asked(port, "/v1/status", token=secret)[0] == 401
    assert "there is no token 'jo'" in site.run("token", "remove", "jo", code=2)


def test_nothing_is_shown_unless_asked_for(site: Site, port: int) -> None:
    site.save("a/q.rd", RD)
    daemon = site.serve("--web-port", str(port))
    with pytest.raises(OSError, match="refused"), socket.create_connection(("127.0.0.1", port)):
        pass
    assert not psutil.Process(daemon.process.pid).children()


def test_a_dashboard_that_dies_is_started_again_and_no_job_minds(site: Site, port: int) -> None:
    site.save("a/q.rd", RD)
    daemon = site.serve("--web", "--web-port", str(port))
    daemon.wait_for("dashboard: on http")
    child_of(daemon.process.pid).kill()
    daemon.wait_for("is started again")
    daemon.wait_for("dashboard: on http", count=2)
    assert asked(port, "/healthz") == (200, b"ok\n")
    assert daemon.end() == 0


def test_a_port_that_others_have_is_told_of_and_jobs_run(site: Site, port: int) -> None:
    site.save("a/q.rd", RD)
    with socket.create_server(("127.0.0.1", port)):
        daemon = site.serve("--web", "--web-port", str(port))
        daemon.wait_for(f"127.0.0.1 port {port} cannot be listened on: Address already in use")
        site.run("trigger", "a/q#x")
        daemon.wait_for("a/q#x succeeded")
    daemon.wait_for("dashboard: on http", within=40)


def test_the_dashboard_ends_with_a_daemon_that_is_killed_and_the_next_one_has_its_port(site: Site, port: int) -> None:
    site.save("a/q.rd", RD)
    daemon = site.serve("--web", "--web-port", str(port))
    daemon.wait_for("dashboard: on http")
    child = child_of(daemon.process.pid)
    daemon.end(signal.SIGKILL)
    site.serve("--web", "--web-port", str(port)).wait_for("dashboard: on http")
    child.wait(PATIENCE_SECONDS)
    assert asked(port, "/readyz") == (200, b"ok\n")


def test_health_tells_of_a_daemon_that_hangs(site: Site, port: int) -> None:
    site.save("a/q.rd", RD)
    daemon = site.serve("--web", "--web-port", str(port))
    daemon.wait_for("dashboard: on http")
    os.kill(daemon.process.pid, signal.SIGSTOP)
    try:
        began = time.monotonic()
        # Unlike questions of operators, this one is not waited for for long.
        assert asked(port, "/healthz")[0] == 503
        assert time.monotonic() - began < 15
    finally:
        os.kill(daemon.process.pid, signal.SIGCONT)
    assert daemon.end() == 0


@pytest.fixture
def collector() -> Iterator[tuple[str, "Queue[bytes]"]]:
    """Something that takes traces."""
    taken: Queue[bytes] = Queue()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            taken.put(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/v1/traces", taken
    server.shutdown()
    thread.join()
    server.server_close()


def test_each_run_is_a_trace_that_its_id_finds(
    site: Site, collector: tuple[str, "Queue[bytes]"], tmp_path: Path
) -> None:
    endpoint, taken = collector
    site.save("a/q.rd", RD.replace('print("hello")', 'raise ValueError("no sky")'))
    daemon = site.serve("--otlp-endpoint", endpoint)
    site.run("trigger", "a/q#x")
    daemon.wait_for("a/q#x FAILED")
    assert daemon.end() == 0
    [resource] = ExportTraceServiceRequest.FromString(taken.get(timeout=PATIENCE_SECONDS)).resource_spans
    [span] = resource.scope_spans[0].spans
    [run] = msgspec.json.decode(site.run("history", "--json"))
    assert int.from_bytes(span.trace_id, "big") == trace_id_of(run["run_id"])
    assert span.name == "a/q#x"
    assert span.status.message == "ValueError: no sky"
    assert {each.key for each in span.attributes} >= {"gavo_exec.run_id", "gavo_exec.outcome", "gavo_exec.due"}


def test_traces_that_nobody_takes_cost_no_run(site: Site) -> None:
    site.save("a/q.rd", RD)
    daemon = site.serve("--otlp-endpoint", "http://127.0.0.1:9/v1/traces")
    site.run("trigger", "a/q#x")
    daemon.wait_for("a/q#x succeeded")
    assert daemon.end() == 0


def test_mails_lead_to_the_page_of_the_run(site: Site, port: int) -> None:
    site.save("a/q.rd", RD.replace('print("hello")', 'raise ValueError("no sky")'))
    daemon = site.serve("--web", "--web-port", str(port), "--dashboard-url", "http://vo.example/jobs/")
    daemon.wait_for("dashboard: on http")
    site.run("trigger", "a/q#x")
    [mail] = site.eventually(site.mails)
    [link] = re.findall(r"http://vo\.example(/jobs/run\?id=\S+)", text_of(mail))
    request = urllib.request.Request(f"http://127.0.0.1:{port}{link}", headers={"Host": "vo.example"})
    with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) as response:
        assert b"ValueError: no sky" in response.read()


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ({"GAVO_EXEC_WEB": "true"}, r"on 127\.0\.0\.1 port 8642, for anyone to look; 1 token\b"),
        ({"GAVO_EXEC_WEB": "true", "GAVO_EXEC_WEB_HOST": "0.0.0.0"}, r"on 0\.0\.0\.0 port 8642, for token to look"),
        (
            {"GAVO_EXEC_WEB": "true", "GAVO_EXEC_WEB_HOST": "::", "GAVO_EXEC_WEB_READING": "anyone"},
            r"whoever reaches :: port 8642 may look",
        ),
    ],
)
def test_the_doctor_says_who_may_look(site: Site, flags: dict[str, str], said: str) -> None:
    site.run("token", "add", "jo")
    site.env.update(flags)
    site.save("a/q.rd", RD)
    done = subprocess.run(
        [sys.executable, "-m", "gavo_exec", "doctor"], env=site.env, capture_output=True, text=True, check=False
    )
    assert re.search(said, done.stdout), done.stdout + done.stderr
