"""``schema``: the schema of RDs, for editors."""

import click

from gavo_exec.cli.exits import DONE
from gavo_exec.cli.options import examples


@click.command(
    "schema",
    epilog=examples("gavo-exec schema > gavo-exec.rng", "gavo-exec schema --format rnc > gavo-exec.rnc"),
)
@click.option(
    "--format",
    "syntax",
    metavar="[rng|rnc]",
    type=click.Choice(["rng", "rnc"]),
    default="rng",
    show_default=True,
    help="RELAX NG in XML (rng) or in its compact syntax (rnc).",
)
def schema_command(*, syntax: str) -> int:
    """Print the RELAX NG schema of RDs, for editors and validators."""
    from gavo_exec.descriptor.schema import relax_ng, relax_ng_compact

    print((relax_ng if syntax == "rng" else relax_ng_compact)().rstrip())
    return DONE
