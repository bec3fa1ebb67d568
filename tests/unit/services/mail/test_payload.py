"""What other channels than mail are told, beside its published schema."""

import json
from collections.abc import Sequence
from typing import Any

import jsonschema
import pytest
from msgspec.structs import replace

from gavo_exec.cli.json_reference import notification_schema
from gavo_exec.incidents import Kind, State
from gavo_exec.services.mail.items import Item
from gavo_exec.services.mail.masking import Masker
from gavo_exec.services.mail.payload import payload
from tests.unit.cli.test_json import strange, validator
from tests.unit.services.mail.cases import (
    BROKEN,
    DASHBOARD,
    DUE,
    MISSED,
    NOW,
    OVERDUE,
    POLICY,
    RAISED,
    REJECTION,
    RUN,
    STALLED,
    a_stall,
    an_incident,
    known,
)
from tests.unit.services.mail.test_hostile import HOSTILE, hostile_items


def told(items: Sequence[Item], mask: Masker | None = None) -> Any:
    content = payload(items, policy=DASHBOARD, now=NOW, mask=mask or Masker(), subject="[archive] 1 FAILED")
    return json.loads(content)


def test_its_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(notification_schema())
    assert validator("notification").schema == notification_schema()
    for component in notification_schema()["$defs"].values():
        assert set(component.get("properties", {})) == set(component.get("required", []))


def test_a_failure_is_told_with_all_that_is_known() -> None:
    incident = replace(an_incident(RAISED), last_success_at=DUE)
    assert told([Item(incident=incident, run=RAISED)]) == {
        "version": 1,
        "subject": "[archive] 1 FAILED",
        "host": "archive",
        "sent_at": "2024-05-01T03:05:00Z",
        "dashboard_url": "https://archive.example.org/jobs?a=1&b=2",
        "incidents": [
            {
                "kind": "job",
                "about": "weather/q#fetch",
                "title": "Fetch the weather",
                "state": "failed",
                "cause": "ValueError: no temperature in row 7",
                "since": "2024-05-01T03:02:14Z",
                "at": "2024-05-01T03:02:14Z",
                "count": 1,
                "over_at": None,
                "is_gone": False,
                "run_id": "0190ab",
                "place": "/inputs/weather/q.rd, line 12",
                "excerpt_path": "/inputs/weather/q.rd",
                "excerpt_line": 19,
                "excerpt": [
                    {"line": 16, "text": 'rows = json.load(open("rows.json"))'},
                    {"line": 17, "text": "for row in rows:"},
                    {"line": 18, "text": '    if row["t"] is None:'},
                    {"line": 19, "text": "        raise ValueError(f\"no temperature in row {row['id']}\")"},
                    {"line": 20, "text": "    insert(row)"},
                    {"line": 21, "text": ""},
                    {"line": 22, "text": 'execDef.spawn(["bin/plot.sh", "--all"])'},
                ],
                "last_success_at": "2024-05-01T03:00:00Z",
                "next_due": "2024-05-01T04:00:00Z",
                "output_tail": "123 rows",
            }
        ],
    }


@pytest.mark.parametrize(
    ("item", "shown"),
    [
        (Item(incident=an_incident(), run=RUN), {"state": "failed", "over_at": None, "excerpt_line": 22}),
        (Item(incident=known(over_at=NOW)), {"state": "recovered", "over_at": "2024-05-01T03:05:00Z"}),
        (Item(incident=an_incident(over_at=NOW)), {"state": "failed", "over_at": "2024-05-01T03:05:00Z"}),
        (Item(incident=an_incident(over_at=NOW, gone=True)), {"state": "failed", "is_gone": True}),
        (Item(incident=an_incident(state=State.OVERDUE, at=OVERDUE.at)), {"state": "overdue", "output_tail": ""}),
        (
            Item(incident=an_incident(MISSED, kind=Kind.MISSED, state=State.MISSED, count=4), run=MISSED),
            {"kind": "missed", "count": 4, "excerpt": [], "excerpt_line": None},
        ),
        (Item(incident=BROKEN, rejection=REJECTION), {"kind": "rd", "state": "broken_rd", "run_id": ""}),
        (Item(incident=a_stall(replace(STALLED, key=""))), {"kind": "stall", "state": "stalled", "about": ""}),
    ],
)
def test_each_kind_follows_the_schema(item: Item, shown: dict[str, Any]) -> None:
    value = told([item])
    assert strange(value, "notification") == []
    [incident] = value["incidents"]
    assert {name: incident[name] for name in shown} == shown


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_texts_follow_it_too_and_are_bounded(text: str) -> None:
    policy = replace(POLICY, host=text, dashboard_url=text)
    content = payload(hostile_items(text), policy=policy, now=NOW, mask=Masker(), subject="s")
    assert len(content) < 400_000
    assert strange(json.loads(content), "notification") == []


def test_what_strays_from_the_schema_is_noticed() -> None:
    value = told([Item(incident=an_incident())])
    assert strange({**value, "version": 2}, "notification") != []
    assert strange({**value, "sent_at": "now"}, "notification") != []
    assert strange({**value, "incidents": [{}]}, "notification") != []


def test_a_thousand_incidents_are_told_in_bounds() -> None:
    run = replace(RUN, output="z\n" * 100_000)
    items = [
        Item(incident=an_incident(about=f"a/q#{number}"), run=run if number < 10 else None) for number in range(1000)
    ]
    content = payload(items, policy=POLICY, now=NOW, mask=Masker(), subject="s")
    assert len(content) < 2_000_000
    assert len(json.loads(content)["incidents"]) == 1000
