"""What all tests stand on."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

# A loaded machine is no fault of the code: pytest-timeout alone watches how long a test takes.
settings.register_profile(
    "house", parent=settings.get_profile("ci" if os.environ.get("CI") else "default"), deadline=None
)
settings.load_profile("house")

_ACCEPTANCE = Path(__file__).parent / "acceptance"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what lies in acceptance/ as such."""
    for item in items:
        if _ACCEPTANCE in item.path.parents:
            item.add_marker(pytest.mark.acceptance)


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep out what the developer's shell says about gavo-exec and about children's output, and the machine's DaCHS."""
    for name in [name for name in os.environ if name.startswith("GAVO_EXEC_") or name == "PYTHONUNBUFFERED"]:
        monkeypatch.delenv(name)
    for name in ("GAVOSETTINGS", "GAVOCUSTOM"):
        monkeypatch.setenv(name, "/nowhere/gavo.rc")
