"""That the benchmarks run, with counts too small to mean anything; and what is said of goals."""

from math import isfinite

import pytest

from benchmarks.figures import FIGURES, Figure, Goal, growth, ratio, sized, value
from benchmarks.run import main, measure, rows_of, shown, verdicts, without_absent

QUICK = {figure.name: figure._replace(at_once=True) for figure in map(without_absent, sized(is_quick=True))}
LIKE_OTHERS = {"dispatch-large", "planning-monthly", "planning-weekly", "spawning-1", "registering-120"}
"""Figures whose scripts others run in the same way."""


@pytest.mark.parametrize("name", [name for name in QUICK if name not in LIKE_OTHERS])
def test_every_contender_has_a_value_for_every_column(name: str) -> None:
    figure = QUICK[name]
    found = measure(figure)
    assert found.keys() == figure.contenders.keys()
    for values in found.values():
        assert len(values) == len(figure.columns)
        assert all(isfinite(each) and each >= 0 for each in values)
    # All goals can be told, whatever the other figures that they need come to.
    assert len(list(verdicts(figure, {goal.other: found for goal in figure.goals} | {name: found}))) == len(
        figure.goals
    )
    assert len(list(rows_of(figure, found))) == 2 + len(figure.contenders)


def test_figures_are_told_apart_by_their_names() -> None:
    assert len(set(FIGURES)) == len(FIGURES) == len(QUICK)
    for figure in sized(is_quick=False):
        assert {goal.other for goal in figure.goals} <= {"", *FIGURES}
        assert figure.against in {"", *figure.contenders}


TABLE = Figure(
    name="t",
    title="Something",
    columns=("ms", "MB"),
    contenders={"ours": (), "theirs": ()},
    against="theirs",
    goals=(
        Goal(1, "x theirs", ratio("ours", "theirs"), "<=", 0.5),
        Goal(2, "MB", value("ours", 1), "<=", 4),
        Goal(3, "of what it was", growth("ours"), ">=", 0.9, other="before"),
    ),
)


def test_a_table_has_values_and_ratios() -> None:
    assert list(rows_of(TABLE, {"ours": [5.0, 2000.0], "theirs": [10.0, 0.0]})) == [
        "\nSomething (medians of 5, x theirs)",
        "                            ms                    MB",
        "  ours              5    0.50x                 2,000",
        "  theirs           10    1.00x                     0",
    ]


def test_goals_are_reached_or_missed_as_far_as_they_can_be_told() -> None:
    found = {"ours": [5.0, 8.0], "theirs": [10.0, 1.0]}
    assert [(verdict.goal.number, verdict.is_reached) for verdict in verdicts(TABLE, {"t": found})] == [
        (1, True),
        (2, False),
    ]
    both = list(verdicts(TABLE, {"t": found, "before": {"ours": [10.0, 1.0]}}))
    assert [str(verdict) for verdict in both] == [
        "  goal  1 reached        0.5 <= 0.5    x theirs",
        "  goal  2 MISSED           8 <= 4      MB",
        "  goal  3 MISSED         0.5 >= 0.9    of what it was",
    ]


def test_large_numbers_have_commas_and_small_ones_four_digits() -> None:
    assert [shown(number) for number in (1234567.8, 999.44, 0.012345, 0.0)] == ["1,234,568", "999.4", "0.01235", "0"]


def test_some_figures_can_be_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    lines: list[object] = []
    assert main(["--quick", "keeping"], say=lines.append) == 0
    assert "the store alone" in str(lines[0])
    assert any("of CPU a run for the store" in str(line) for line in lines)
    with pytest.raises(SystemExit):
        main(["flying"])
    assert "there is no figure flying" in capsys.readouterr().err
