"""What operators can set, and where it can be said.

Every setting has one name in the settings file (``inputs_dir``), as a flag (``--inputs-dir``) and in the environment
(``GAVO_EXEC_INPUTS_DIR``).  Flags win over the environment, which wins over the file, which wins over the configuration
of a DaCHS site.
"""

from gavo_exec.settings.dachs import LiveSite, find_site, locate, read_site
from gavo_exec.settings.documents import reference, schema
from gavo_exec.settings.places import default_state_dir, find_file, hide_secrets, is_loopback, load
from gavo_exec.settings.setting import Setting
from gavo_exec.settings.table import SETTINGS, Settings

__all__ = [
    "SETTINGS",
    "LiveSite",
    "Setting",
    "Settings",
    "default_state_dir",
    "find_file",
    "find_site",
    "hide_secrets",
    "is_loopback",
    "load",
    "locate",
    "read_site",
    "reference",
    "schema",
]
