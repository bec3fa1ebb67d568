"""The control socket: HTTP and JSON on a Unix socket in the state directory, for its owner alone.

The server asks whatever is a ``Control``; the client is what commands use.
"""

from gavo_exec.services.control.client import Client
from gavo_exec.services.control.server import ControlServer

__all__ = ["Client", "ControlServer"]
