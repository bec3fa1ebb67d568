import subprocess
import sys

import pytest

import gavo_exec

NAMES = [
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


def test_these_names_are_public_and_no_others() -> None:
    assert gavo_exec.__all__ == NAMES
    assert dir(gavo_exec) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_each_public_name_is_there(name: str) -> None:
    value = getattr(gavo_exec, name)
    assert value.__doc__
    assert getattr(value, "__name__", name) == name


def test_what_is_not_public_is_missed_as_of_any_module() -> None:
    with pytest.raises(AttributeError, match=r"^module 'gavo_exec' has no attribute 'cron'$"):
        gavo_exec.cron  # noqa: B018 -- asking is the test


def test_the_version_is_a_version() -> None:
    assert all(part.isdecimal() for part in gavo_exec.__version__.split("."))


def test_importing_the_package_imports_nothing_that_takes_time() -> None:
    script = "import sys, gavo_exec; print(*sorted(name for name in sys.modules if '.' not in name))"
    done = subprocess.run([sys.executable, "-I", "-c", script], capture_output=True, text=True, check=True)
    assert not {"click", "lxml", "msgspec", "rich", "sqlite3", "asyncio"} & set(done.stdout.split())
