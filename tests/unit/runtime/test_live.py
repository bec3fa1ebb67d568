"""Runs followed live: from their beginning, in order, without holding anybody up."""

from datetime import timedelta

from msgspec import structs

from gavo_exec.control import Happening, Printed, RunBegan, RunEnded
from gavo_exec.events import RunFinished, RunStarted
from gavo_exec.model import RunRequest
from gavo_exec.runtime.active import ActiveRun
from gavo_exec.runtime.live import Follower, Live
from gavo_exec.runtime.output import BoundedOutput
from gavo_exec.testing import EPOCH, make_execute, make_request, make_run


class Stage:
    """Runs that go on, and whoever follows them."""

    def __init__(self) -> None:
        self.active: dict[str, ActiveRun] = {}
        self.live = Live(self.active.get)

    def begin(self, run_id: str = "r1", key: str = "test/q#job") -> ActiveRun:
        request = make_request(make_execute(key), run_id=run_id)
        active = self.active[run_id] = ActiveRun(request, BoundedOutput(1000), EPOCH)
        self.live(RunStarted(request=request, started_at=EPOCH))
        return active

    def end(self, request: RunRequest, output: str = "") -> None:
        self.active.pop(request.run_id, None)
        run = make_run(request, finished_at=EPOCH + timedelta(seconds=1))
        self.live(RunFinished(run=structs.replace(run, output=output), request=request))


def told(follower: Follower) -> list[Happening]:
    found = []
    while (happening := follower.next(0)) is not None:
        found.append(happening)
    return found


def words(happenings: list[Happening]) -> list[str]:
    found = []
    for happening in happenings:
        match happening:
            case Printed(output=output):
                found.append(output.decode())
            case RunBegan(run=run):
                found.append(f"<{run.run_id}")
            case RunEnded(run=run):
                found.append(f"{run.run_id}>")
    return found


def test_a_run_is_followed_from_its_beginning_to_its_end() -> None:
    stage = Stage()
    with stage.live.following(run_id="r1") as follower:
        active = stage.begin()
        active.output.append(b"one\n")
        active.output.append(b"two\n")
        stage.begin("r2")
        stage.end(active.request)
        assert words(told(follower)) == ["<r1", "one\n", "two\n", "r1>"]


def test_what_was_printed_before_comes_first() -> None:
    stage = Stage()
    active = stage.begin()
    active.output.append(b"one\n")
    with stage.live.following(run_id="r1") as follower:
        follower.begin(active)
        follower.begin(active)  # as the event and whoever began to follow may do both
        active.output.append(b"two\n")
        assert words(told(follower)) == ["<r1", "one\n", "two\n"]


def test_all_runs_of_a_key_are_followed_and_no_others() -> None:
    stage = Stage()
    with stage.live.following(key="test/q#job") as follower:
        for run_id in ("r1", "r2"):
            active = stage.begin(run_id)
            active.output.append(run_id.encode())
            stage.end(active.request)
        stage.end(stage.begin("r3", "test/q#other").request)
        assert words(told(follower)) == ["<r1", "r1", "r1>", "<r2", "r2", "r2>"]


def test_of_a_run_that_was_over_too_soon_all_it_printed_comes_at_its_end() -> None:
    stage = Stage()
    with stage.live.following(run_id="r1") as follower:
        stage.end(make_request(run_id="r1"), "all of it\n")
        assert words(told(follower)) == ["<r1", "all of it\n", "r1>"]


def test_who_does_not_read_is_told_how_much_was_left_out_and_fills_no_memory() -> None:
    stage = Stage()
    with stage.live.following(run_id="r1") as follower:
        active = stage.begin()
        for _ in range(20):
            active.output.append(b"x" * (1 << 20))
        *printed, last = [each for each in told(follower) if isinstance(each, Printed)]
        assert sum(len(each.output) for each in (*printed, last)) == 9 << 20
        active.output.append(b"again\n")
        assert words(told(follower)) == [f"[... {11 << 20:,} bytes left out, since they were not read ...]\nagain\n"]


def test_who_has_left_is_given_nothing_any_more() -> None:
    stage = Stage()
    with stage.live.following(run_id="r1") as follower:
        active = stage.begin()
    active.output.append(b"one\n")
    stage.end(active.request)
    assert words(told(follower)) == ["<r1"]
