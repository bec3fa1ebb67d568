"""Every command explains itself, and the documents derived from that are up to date."""

from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from gavo_exec.cli import main
from gavo_exec.cli.app import group
from gavo_exec.cli.documents import man_page, reference

ROOT = Path(__file__).parents[3]


def commands(parent: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    yield path, parent
    context = click.Context(parent)
    for name in parent.list_commands(context):
        command = parent.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name), command


COMMANDS = list(commands(group))


def test_the_reference_is_up_to_date() -> None:
    assert (ROOT / "docs/reference/cli.md").read_text(encoding="utf-8") == reference()


def test_the_manual_page_is_up_to_date() -> None:
    assert (ROOT / "docs/man/gavo-exec.1").read_text(encoding="utf-8") == man_page()


@pytest.mark.parametrize("path", [path for path, _ in COMMANDS], ids=" ".join)
def test_help_has_an_example_that_is_no_wrong_use(path: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*path, "--help"]) == 0
    out = capsys.readouterr().out
    assert f"  gavo-exec {' '.join(path)}".rstrip() in out[out.index("\n  Example") :]


@pytest.mark.parametrize(
    "example",
    [
        line.split()[1:]
        for _, command in COMMANDS
        for line in (command.epilog or "").splitlines()
        if line.strip().startswith("gavo-exec ") and "COMMAND" not in line
    ],
    ids=" ".join,
)
def test_examples_are_understood(example: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "inputs/weather").mkdir(parents=True)
    (tmp_path / "inputs/weather/q.rd").touch()
    words = example[: example.index(">")] if ">" in example else example
    command: click.Command = group
    context = click.Context(group)
    while isinstance(command, click.Group):
        found = command.get_command(context, words.pop(0))
        assert found is not None
        command = found
    command.make_context("command", words)  # raises what is not understood


def test_every_option_is_in_both_documents() -> None:
    for _, command in COMMANDS:
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                flag = parameter.opts[-1]
                assert f"`{flag}" in reference() or flag == "--version"
                assert f"\\fB{flag}".replace("-", "\\-") in man_page() or flag == "--version"


def test_the_manual_page_has_no_request_by_accident() -> None:
    known = {".TH", ".SH", ".SS", ".PP", ".TP", ".B", ".nf", ".fi", ".RS", ".RE", '.\\"'}
    for line in man_page().splitlines():
        assert not line.startswith("'")
        assert not line.startswith(".") or line.split()[0] in known
