"""``init``: a settings file and a first RD, to begin with."""

import os
import sys
from pathlib import Path

import click

from gavo_exec.cli.exits import DONE
from gavo_exec.cli.options import examples
from gavo_exec.cli.output import clean
from gavo_exec.errors import GavoExecError

FILE_NAME = "gavo-exec.toml"

_FIRST_RD = """\
<resource schema="hello" resdir=".">
  <meta name="title">A first resource descriptor</meta>

  <!-- Runs at once, and then every hour.  at="7:30" would be each day at that time, in UTC. -->
  <execute id="greet" title="Say hello" every="-3600">
    <job><code>
      print("hello from", rd.sourceId)
      execDef.spawnPython("bin/greet.py")
    </code></job>
  </execute>
</resource>
"""

_FIRST_PROGRAM = """\
import platform

print("hello from a program on", platform.node())
"""


@click.command(
    "init",
    epilog=examples(
        "gavo-exec init", "gavo-exec init inputs --mail-to ops@example.org --smtp-host mail.example.org --yes"
    ),
)
@click.argument("directory", metavar="[DIR]", required=False)
@click.option(
    "--state-dir", metavar="DIR", help="Where the daemon keeps its state (default: where such things belong)."
)
@click.option("--mail-to", metavar="ADDRESS", help="Who is told of what goes wrong.")
@click.option("--smtp-host", metavar="HOST", help="The mail server; without one, mails go into a Maildir.")
@click.option(
    "--settings", "file", metavar="FILE", default=FILE_NAME, show_default=True, help="The settings file to write."
)
@click.option("--yes", is_flag=True, help="Ask nothing: what is not said stays at its default.")
@click.option("--force", is_flag=True, help="Write over files that are there.")
def init_command(
    *,
    directory: str | None,
    state_dir: str | None,
    mail_to: str | None,
    smtp_host: str | None,
    file: str,
    yes: bool,
    force: bool,
) -> int:
    """Write a settings file and a first RD into DIR (default: inputs), which is made where it is not there.

    On a terminal it asks for what is not said by options.  A DIR that has RDs already gets none.
    """
    is_asked = not yes and sys.stdin.isatty()
    if is_asked:
        directory = directory or click.prompt("Resource directory, with the RDs in it", default="inputs")
        mail_to = mail_to or click.prompt(
            "Mail address for what goes wrong (empty: none)", default="", show_default=False
        )
        if mail_to and not smtp_host:
            smtp_host = click.prompt("Mail server (empty: mails go into a Maildir)", default="", show_default=False)
    inputs = Path(directory or "inputs")
    if smtp_host and not mail_to:
        raise click.UsageError("--smtp-host needs --mail-to")
    text = _settings_text(
        inputs_dir=os.path.relpath(inputs, Path(file).parent),
        state_dir=os.path.relpath(state_dir, Path(file).parent) if state_dir else "",
        mail_to=mail_to or "",
        smtp_host=smtp_host or "",
    )
    written = {file: text}
    if not any(inputs.rglob("*.rd")) or force:
        written[str(inputs / "hello" / "q.rd")] = _FIRST_RD
        written[str(inputs / "hello" / "bin" / "greet.py")] = _FIRST_PROGRAM
    if not force:
        for path in written:
            if Path(path).exists():
                raise GavoExecError(f"{path} is there already; --force writes over it, --settings names another")
    for path, content in written.items():
        try:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            Path(path).write_text(content, encoding="utf-8")
        except OSError as fault:
            raise GavoExecError(f"{path}: cannot be written: {fault.strerror}") from None
        print(f"wrote {clean(path)}")
    named = "" if file == FILE_NAME else f" --settings {file}"
    print(
        f"\nNow:  gavo-exec doctor{named}   look whether all is well\n"
        f"      gavo-exec check {inputs}\n"
        f"      gavo-exec serve{named}    run the daemon; edits of RDs are taken up as you save them"
    )
    return DONE


def _settings_text(*, inputs_dir: str, state_dir: str, mail_to: str, smtp_host: str) -> str:
    """A settings file with what was said, and with what else there is, as comments."""

    def line(name: str, value: str, example: str) -> str:
        return f"{name} = {_quoted(value)}" if value else f"# {name} = {_quoted(example)}"

    to = f"mail_to = [{_quoted(mail_to)}]" if mail_to else '# mail_to = ["ops@example.org"]'
    return "\n".join(
        [
            "# Settings of gavo-exec: docs/reference/settings.md has all.  Paths are relative to this file's folder.",
            "",
            "# All RDs are below this directory.",
            line("inputs_dir", inputs_dir, "inputs"),
            "",
            "# Runs, mails and the lock of the daemon; on a local disk.",
            line("state_dir", state_dir, "state"),
            "",
            "# Who is told of what goes wrong, and by which server; without one, mails go into a Maildir in state_dir.",
            to,
            line("smtp_host", smtp_host, "mail.example.org"),
            '# smtp_security = "starttls"',
            '# smtp_user = "gavo"',
            '# smtp_password_file = "/etc/gavo-exec/smtp-password"',
            "",
            "# What holds for all executes, unless they say otherwise.",
            "# [defaults]",
            '# "run.timeout" = "6h"',
            '# "when.zone" = "Europe/Berlin"',
            "",
        ]
    )


def _quoted(text: str) -> str:
    """A text as TOML has it."""
    import json

    return json.dumps(text)
