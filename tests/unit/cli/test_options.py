"""Flags derived from the table of settings."""

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from gavo_exec.cli.options import settings_options
from gavo_exec.settings import SETTINGS, Settings


@click.command()
@settings_options(takes_directory=True)
def everything(*, settings: Settings) -> None:
    """Say the settings."""
    click.echo(repr(settings))


@click.command()
@settings_options("state_dir", required=())
def little(*, settings: Settings) -> None:
    """Say some settings."""
    click.echo(f"{settings.state_dir} {settings.workers} {settings.inputs_dir!r}")


def called(command: click.Command, *arguments: str, **environ: str) -> str:
    result = CliRunner().invoke(command, arguments, env={"HOME": "/nowhere", **environ}, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output.strip()


def test_each_setting_but_secrets_has_its_flag() -> None:
    flags = {option for parameter in everything.params for option in parameter.opts}
    for setting in SETTINGS:
        assert (f"--{setting.name.replace('_', '-')}" in flags) == (setting.type != "secret")


def test_flags_win_over_the_environment_which_wins_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text("workers = 3\nrescan_seconds = 5\noutput_limit_bytes = 2048\n")
    shown = called(
        everything, "/in", "--settings", str(file), "--workers", "7",
        GAVO_EXEC_WORKERS="5", GAVO_EXEC_RESCAN_SECONDS="8", GAVO_EXEC_STATE_DIR="/state",
    )  # fmt: skip
    for part in ("inputs_dir='/in'", "workers=7", "rescan_seconds=8.0", "output_limit_bytes=2048"):
        assert part in shown


def test_lists_are_given_by_repetition_or_with_commas() -> None:
    shown = called(everything, "/in", "--mail-to", "a@example.org", "--mail-to", "b@example.org,c@example.org")
    assert "mail_to=('a@example.org', 'b@example.org', 'c@example.org')" in shown


def test_relative_directories_are_below_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert f"inputs_dir='{tmp_path}/in'" in called(everything, "in")


def test_a_command_takes_the_flags_it_names_and_all_settings_from_elsewhere() -> None:
    assert called(little, "--state-dir", "/s", GAVO_EXEC_WORKERS="5") == "/s 5 ''"
    assert CliRunner().invoke(little, ["--workers", "5"]).exit_code == 2
