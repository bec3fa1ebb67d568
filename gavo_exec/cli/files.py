"""``schema``: what editors can know about RDs."""

import click

from gavo_exec.cli.exits import DONE
from gavo_exec.cli.options import examples


@click.command("schema", epilog=examples("gavo-exec schema > rd.rng"))
def schema_command() -> int:
    """Print the RELAX NG schema of RDs, for editors and validators."""
    from gavo_exec.descriptor.schema import relax_ng

    print(relax_ng().decode().rstrip())
    return DONE
