"""``serve``: the daemon itself, in the foreground."""

import logging
import os
import threading

import click

from gavo_exec.cli.options import examples, settings_options
from gavo_exec.settings import Settings

_PATIENCE_SECONDS = 3.0
_log = logging.getLogger("gavo_exec")


@click.command("serve", epilog=examples("gavo-exec serve /var/gavo/inputs --mail-to ops@example.org"))
@settings_options(takes_directory=True)
def serve_command(*, settings: Settings) -> int:
    """Run the daemon on the RDs below DIR, until it is told to stop.

    SIGTERM and SIGINT let running jobs end in peace, a second one ends them; SIGHUP reads all RDs again.
    """
    # It brings the whole house with it.
    from gavo_exec.serving import serve

    code = serve(settings)
    _leave_in_time(code)
    return code


def _leave_in_time(code: int) -> None:
    """Exit before long even where Python waits for what job code has left running: threads, or a pool of them."""
    from gavo_exec.services.log.lines import close

    def leave() -> None:
        ours = {threading.main_thread(), threading.current_thread()}
        names = ", ".join(thread.name for thread in threading.enumerate() if thread not in ours)
        _log.warning("leaving without what jobs have left running: threads %s", names)
        close(1.0)
        os._exit(code)

    if threading.active_count() > 1:
        watch = threading.Timer(_PATIENCE_SECONDS, leave)
        watch.daemon = True
        watch.start()
