"""How RDs are read by an operator's settings, on a site as it stands."""

from gavo_exec import descriptor
from gavo_exec.model import ResourceDescriptor
from gavo_exec.ports import Clock
from gavo_exec.reload import Read
from gavo_exec.runtime import jobcode
from gavo_exec.settings import LiveSite, Settings


def make_reader(settings: Settings, site: LiveSite, *, clock: Clock, thorough: bool = False) -> Read:
    """What reads RDs by these settings, as of today; ``thorough`` as in ``descriptor.read``."""
    run_items = jobcode.run_items if settings.code_items == "run" else None

    def read(path: str, *, inputs_dir: str) -> ResourceDescriptor:
        today = clock.now().astimezone().date()
        return descriptor.read(
            path, inputs_dir=inputs_dir, today=today, thorough=thorough, site=site.now(), run_items=run_items
        )

    return read
