"""What is said again and again."""

from gavo_exec.runtime.repeats import Repeats


def test_it_is_said_once_a_minute_with_how_often_it_was() -> None:
    repeats = Repeats()
    said = [repeats.say("no room", now) for now in (0, 1, 2, 59.9, 60, 61, 120)]
    assert said == [
        "no room",
        "",
        "",
        "",
        "no room (and 3 more times in the last 60 s)",
        "",
        "no room (and 1 more times in the last 60 s)",
    ]


def test_once_it_is_over_it_is_said_anew() -> None:
    repeats = Repeats()
    assert not repeats.is_over()
    repeats.say("no room", 0)
    assert repeats.is_over()
    assert not repeats.is_over()
    assert repeats.say("no room", 1) == "no room"
