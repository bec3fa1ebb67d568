"""``doctor``: whether all is as it should be, and if not, what is to be done."""

from collections.abc import Iterator

import click

from gavo_exec.cli.ailments import CHECKS, Finding, name_of
from gavo_exec.cli.exits import DONE, FAILED
from gavo_exec.cli.options import DAEMON_ONLY, examples, json_option, settings_options
from gavo_exec.cli.output import clean, counted, show_json
from gavo_exec.errors import GavoExecError
from gavo_exec.settings import Settings


@click.command(
    "doctor", epilog=examples("gavo-exec doctor", "gavo-exec doctor --settings /etc/gavo-exec/settings.toml")
)
@settings_options(without=DAEMON_ONLY, required=())
@json_option
def doctor_command(*, settings: Settings, as_json: bool) -> int:
    """Look whether all is as it should be: state, mail, clock, zones, limits, RDs, DaCHS; and say what to do.

    Nothing is changed, and no mail is sent.  The exit code is 1 where something is bad.
    """
    findings = list(_findings(settings))
    if as_json:
        show_json(findings)
    else:
        for finding in findings:
            print(f"{finding.verdict:<4}  {clean(finding.subject)}: {clean(finding.message)}")
            if finding.advice:
                print(f"      -> {clean(finding.advice)}")
        bad, notes = (sum(each.verdict == verdict for each in findings) for verdict in ("bad", "note"))
        print(f"\n{counted(len(findings), 'finding')}: {bad} bad, {counted(notes, 'note')}")
    return FAILED if any(finding.verdict == "bad" for finding in findings) else DONE


def _findings(settings: Settings) -> Iterator[Finding]:
    """All findings; a check that fails is one."""
    for check in CHECKS:
        try:
            yield from check(settings)
        except GavoExecError as fault:
            yield Finding(subject=name_of(check), verdict="bad", message=str(fault))
        except Exception as fault:
            message = f"the look at it failed: {type(fault).__name__}: {fault}"
            yield Finding(subject=name_of(check), verdict="note", message=message)
