"""gavo-exec: the job daemon for XML resource descriptors (RDs).

The public names below are imported when first asked for, so that the command starts quickly.
"""

from typing import TYPE_CHECKING

__version__ = "0.1.0"

if TYPE_CHECKING:
    from gavo_exec.descriptor import read
    from gavo_exec.errors import DescriptorError, Diagnostic
    from gavo_exec.model import Execute, Job, Outcome, ResourceDescriptor, Run
    from gavo_exec.schedule import At, Every
    from gavo_exec.settings import Settings

_ROOMS = {
    "At": "schedule",
    "DescriptorError": "errors",
    "Diagnostic": "errors",
    "Every": "schedule",
    "Execute": "model",
    "Job": "model",
    "Outcome": "model",
    "ResourceDescriptor": "model",
    "Run": "model",
    "Settings": "settings",
    "read": "descriptor",
}

__all__ = [
    "At",
    "DescriptorError",
    "Diagnostic",
    "Every",
    "Execute",
    "Job",
    "Outcome",
    "ResourceDescriptor",
    "Run",
    "Settings",
    "__version__",
    "read",
]


def __getattr__(name: str) -> object:
    """Import a public name from its room."""
    if name not in _ROOMS:
        raise AttributeError(f"module 'gavo_exec' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"gavo_exec.{_ROOMS[name]}"), name)


def __dir__() -> list[str]:
    """Only what is public."""
    return __all__
