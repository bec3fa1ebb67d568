"""What the service manager is told, on a real socket as systemd has one."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from gavo_exec.services.notify import ServiceManager, status_line


class Systemd:
    """The other end of $NOTIFY_SOCKET."""

    def __init__(self, address: str) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(address)
        self.socket.setblocking(False)

    def heard(self) -> list[str]:
        found = []
        while True:
            try:
                found.append(self.socket.recv(65_536).decode())
            except BlockingIOError:
                return found


@pytest.fixture(params=["path", "abstract"])
def named(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Systemd, str]]:
    """A socket, and what the environment calls it."""
    address = str(tmp_path / "notify")
    if request.param == "abstract":
        address = f"@{address}"
    systemd = Systemd(address.replace("@", "\0"))
    yield systemd, address
    systemd.socket.close()


def test_each_word_of_the_protocol(named: tuple[Systemd, str]) -> None:
    systemd, address = named
    environ = {"NOTIFY_SOCKET": address, "PATH": "/bin"}
    manager = ServiceManager.of(environ, pid=1)
    assert environ == {"PATH": "/bin"}
    manager.ready()
    with manager.reloading():
        (ready, reloading) = systemd.heard()
    manager.stopping(60)
    again, stopping = systemd.heard()
    assert (ready, again) == ("READY=1", "READY=1")
    assert reloading.startswith("RELOADING=1\nMONOTONIC_USEC=")
    assert stopping == "STOPPING=1\nEXTEND_TIMEOUT_USEC=60000000\nSTATUS=stopping"


def test_signs_of_life_come_with_the_turns_of_the_loop_and_not_more_often_than_needed(
    named: tuple[Systemd, str],
) -> None:
    systemd, address = named
    manager = ServiceManager.of({"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "90000000", "WATCHDOG_PID": "7"}, pid=7)
    manager.status = lambda: "3 jobs"
    assert manager.most_sleep_seconds == 30
    for _ in range(1000):
        manager.turn()
    assert systemd.heard() == ["WATCHDOG=1", "STATUS=3 jobs"]


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"WATCHDOG_USEC": "0"},
        {"WATCHDOG_USEC": "soon"},
        {"WATCHDOG_USEC": "5000000", "WATCHDOG_PID": "8"},
    ],
)
def test_who_does_not_want_signs_of_life_gets_none(named: tuple[Systemd, str], environ: dict[str, str]) -> None:
    systemd, address = named
    manager = ServiceManager.of({"NOTIFY_SOCKET": address, **environ}, pid=7)
    manager.turn()
    assert manager.most_sleep_seconds == float("inf")
    assert systemd.heard() == []


def test_without_a_service_manager_nothing_is_done() -> None:
    manager = ServiceManager.of({"WATCHDOG_USEC": "5000000"}, pid=7)
    manager.status = lambda: pytest.fail("nobody wants to know")
    manager.ready()
    manager.turn()
    manager.stopping(1)
    assert manager.most_sleep_seconds == float("inf")


@pytest.mark.parametrize("address", ["/nowhere/notify", "@nobody listens here"])
def test_a_service_manager_that_does_not_listen_harms_nobody(address: str) -> None:
    ServiceManager(address, watchdog_seconds=3).turn()


def test_one_whose_queue_is_full_holds_nobody_up(named: tuple[Systemd, str]) -> None:
    systemd, address = named
    manager = ServiceManager(address)
    for _ in range(5000):
        manager.ready()
    assert systemd.heard()


@pytest.mark.parametrize(
    ("numbers", "line"),
    [
        ((1, 0, 0, ""), "1 job, 0 running"),
        ((412, 3, 0, "07:30:00"), "412 jobs, 3 running, next 07:30:00 UTC"),
        ((2, 0, 1, ""), "2 jobs, 0 running; 1 broken RD"),
        ((2, 0, 2, "07:30:00"), "2 jobs, 0 running, next 07:30:00 UTC; 2 broken RDs"),
    ],
)
def test_the_line_of_status(numbers: tuple[int, int, int, str], line: str) -> None:
    jobs, running, broken, next_due = numbers
    assert status_line(jobs=jobs, running=running, broken=broken, next_due=next_due) == line
