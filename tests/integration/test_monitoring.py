"""The examples for monitoring go by metrics that there are; and promtool, where there is one, finds them sound."""

import json
import re
import shutil
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest

from gavo_exec.measures import DURATION_SECONDS, LATENESS_SECONDS, Buckets, Measures, RunCount, Success
from gavo_exec.model import Outcome, Reason
from tests.integration.web_place import KEY, NOW, WebPlace, status_of

FOLDER = Path(__file__).parent.parent.parent / "examples" / "monitoring"
PROMTOOL = shutil.which("promtool")
needs_promtool = pytest.mark.skipif(PROMTOOL is None, reason="needs promtool (apt-get install prometheus)")


@pytest.fixture
def names(tmp_path: Path) -> set[str]:
    """The names of all metrics that there may be."""
    place = WebPlace(tmp_path)
    durations, lateness = Buckets(DURATION_SECONDS), Buckets(LATENESS_SECONDS)
    durations.count(3.0, run_id="run-1", at=NOW)
    lateness.count(0.01, run_id="run-1", at=NOW)
    measures = Measures(
        runs=(RunCount(key=KEY, outcome=Outcome.FAILED, runs=1, seconds=3.0),),
        successes=(Success(key=KEY, at=NOW),),
        durations={Outcome.FAILED: durations.taken()},
        lateness={Reason.SCHEDULED: lateness.taken()},
        rejected_edits=1,
        stalls=0,
    )
    place.control.measured = measures
    late = status_of("weather/q#late")
    fields = {name: getattr(late, name) for name in late.__struct_fields__}
    place.control.statuses = [status_of(), type(late)(**{**fields, "due": NOW - timedelta(minutes=20)})]
    text = place.ask("/metrics").text
    place.close()
    return set(re.findall(r"^(gavo_exec_\w+?)(?:\{| )", text, flags=re.MULTILINE))


@pytest.mark.parametrize("file", ["alerts.yml", "grafana.json"])
def test_what_is_asked_for_is_there(names: set[str], file: str) -> None:
    asked = set(re.findall(r"\bgavo_exec_\w+", (FOLDER / file).read_text()))
    assert len(asked) > 5
    assert asked <= names


def test_each_panel_asks_something() -> None:
    panels = json.loads((FOLDER / "grafana.json").read_text())["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    assert all(target["expr"] for panel in panels for target in panel["targets"])


@needs_promtool
def test_promtool_finds_the_metrics_sound(tmp_path: Path) -> None:
    place = WebPlace(tmp_path)
    text = place.ask("/metrics").body
    place.close()
    said = subprocess.run([str(PROMTOOL), "check", "metrics"], input=text, capture_output=True, check=False)
    assert (said.returncode, said.stderr) == (0, b"")


@needs_promtool
@pytest.mark.parametrize("what", [("check", "alerts.yml"), ("test", "alerts_test.yml")])
def test_promtool_finds_the_rules_sound(what: tuple[str, str]) -> None:
    said = subprocess.run(
        [str(PROMTOOL), what[0], "rules", what[1]], cwd=FOLDER, capture_output=True, text=True, check=False
    )
    assert said.returncode == 0, said.stdout + said.stderr
