"""Which mount a path is on, by a table of mounts."""

from pathlib import Path

import pytest

from gavo_exec.runtime.mounts import Mounts, read_mounts

TABLE = """\
27 1 254:0 / / rw,relatime - ext4 /dev/vda rw
30 27 0:25 / /data rw - autofs systemd-1 rw
31 30 0:26 / /data rw shared:7 - nfs4 server:/export rw,vers=4.2
32 31 0:27 / /data/local rw - xfs /dev/sdb rw
33 27 0:28 / /mnt/with\\040blank rw - vfat /dev/sdc rw
34 27 0:29 /sub /home rw - btrfs /dev/sdd rw
a line that is none
"""


@pytest.mark.parametrize(
    ("path", "point", "is_ours"),
    [
        ("/", "/", True),
        ("/var/lib/x", "/", True),
        ("/data", "/data", False),
        ("/data/2024/x.fits", "/data", False),
        ("/database/x", "/", True),
        ("/data/local/a/b", "/data/local", True),
        ("/mnt/with blank/x", "/mnt/with blank", False),
        ("/home/ana/x", "/home", True),
    ],
)
def test_the_nearest_mount_above_counts(path: str, point: str, is_ours: bool) -> None:
    mounts = Mounts(TABLE)
    assert mounts.point_of(path) == point
    assert mounts.has_our_clock(path) is is_ours


def test_without_a_table_no_clock_is_believed() -> None:
    def fail() -> str:
        raise FileNotFoundError

    mounts = read_mounts(fail)
    assert mounts.point_of("/data/x") == "/"
    assert not mounts.has_our_clock("/data/x")


@pytest.mark.skipif(not Path("/proc/self/mountinfo").exists(), reason="there is no such table here")
def test_the_systems_own_table_can_be_read() -> None:
    assert read_mounts().point_of("/proc/self/status") == "/proc"
    assert not read_mounts().has_our_clock("/proc/self/status")
