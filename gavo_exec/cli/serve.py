"""``serve``: the daemon itself, in the foreground."""

import click

from gavo_exec.cli.options import examples, settings_options
from gavo_exec.settings import Settings


@click.command("serve", epilog=examples("gavo-exec serve /var/gavo/inputs --mail-to ops@example.org"))
@settings_options(takes_directory=True)
def serve_command(*, settings: Settings) -> int:
    """Run the daemon on the RDs below DIR, until it is told to stop.

    SIGTERM and SIGINT let running jobs end in peace; SIGHUP reads all RDs again.
    """
    # It brings the whole house with it.
    from gavo_exec.daemon import serve

    return serve(settings)
