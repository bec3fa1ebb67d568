"""Who may have written an RD: judged on the opened file and the folders above it."""

import grp
import os
import pwd
from pathlib import Path

import pytest

from gavo_exec.descriptor import read
from gavo_exec.descriptor.trust import Trust
from gavo_exec.errors import DescriptorError
from gavo_exec.model import ResourceDescriptor

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="files of several users can only be made by root")

NOBODY = pwd.getpwnam("nobody").pw_uid
DAEMON = pwd.getpwnam("daemon").pw_uid
RD = '<resource schema="a" resdir="."><execute title="X" at="7:30"><job><code>pass</code></job></execute></resource>'


@pytest.fixture
def inputs(tmp_path: Path) -> Path:
    """A resource directory whose folders, from the root on, are root's."""
    inputs = tmp_path / "inputs"
    (inputs / "a").mkdir(parents=True)
    (inputs / "a").chmod(0o755)
    inputs.chmod(0o755)
    rd = inputs / "a" / "q.rd"
    rd.write_text(RD)
    rd.chmod(0o644)
    return inputs


def judged(inputs: Path, name: str = "a/q", *, uid: int = DAEMON, strict: bool = False) -> ResourceDescriptor:
    trust = Trust(inputs_dir=str(inputs), uid=uid, is_strict=strict)
    return read(f"{inputs}/{name}.rd", inputs_dir=str(inputs), trust=trust)


def warned(inputs: Path, name: str = "a/q", *, uid: int = DAEMON) -> list[str]:
    return [f"{found.code} {found.message} ({found.hint})" for found in judged(inputs, name, uid=uid).warnings]


def start(path: Path, why: str) -> str:
    return f"W101 others could write what runs as daemon: {why} (chmod go-w {path})"


def test_what_only_root_the_daemon_or_the_owner_may_write_is_trusted(inputs: Path) -> None:
    assert warned(inputs) == []
    os.chown(inputs / "a" / "q.rd", NOBODY, -1)
    assert warned(inputs) == []
    os.chown(inputs / "a", DAEMON, -1)
    assert warned(inputs) == []
    os.chown(inputs / "a", NOBODY, -1)  # it is the owner's of the file
    assert warned(inputs) == []


def test_what_anybody_may_write_is_not(inputs: Path) -> None:
    path = inputs / "a" / "q.rd"
    path.chmod(0o646)
    assert warned(inputs) == [start(path, "anybody may write it")]
    path.chmod(0o644)
    inputs.chmod(0o757)
    assert warned(inputs) == [start(inputs, f"{inputs}, which it is in: anybody may write it")]


def test_strictly_that_is_a_fault_beside_others(inputs: Path) -> None:
    path = inputs / "a" / "q.rd"
    path.write_text(RD.replace("at=", "att="))
    path.chmod(0o666)
    with pytest.raises(DescriptorError) as caught:
        judged(inputs, strict=True)
    codes = [found.code for found in caught.value.diagnostics]
    assert (codes[0], "E202" in codes) == ("E110", True)
    path.chmod(0o644)
    path.write_text(RD)
    assert judged(inputs, strict=True).executes


def test_a_folder_of_another_user_is_not_trusted(inputs: Path) -> None:
    os.chown(inputs / "a", NOBODY, -1)
    [warning] = warned(inputs)
    assert f"{inputs}/a, which it is in, is nobody's, who could put another in its place" in warning


@pytest.mark.parametrize(("group", "is_trusted"), [("root", True), ("daemon", True), ("mail", False), ("users", False)])
def test_groups_of_nobody_else_are_trusted(inputs: Path, group: str, is_trusted: bool) -> None:
    path = inputs / "a" / "q.rd"
    os.chown(path, -1, grp.getgrnam(group).gr_gid)
    path.chmod(0o664)
    expected = [] if is_trusted else [start(path, f"the group {group} may write it")]
    assert warned(inputs) == expected


def test_sticky_folders_protect_what_is_a_trusted_users(inputs: Path) -> None:
    inputs.chmod(0o1777)
    assert warned(inputs) == []
    os.chown(inputs / "a", NOBODY, -1)
    assert len(warned(inputs)) == 2  # nobody's folder, in a folder where nobody may put another


def test_links_that_lead_out_are_not_trusted_and_others_are_judged_where_they_lead(inputs: Path) -> None:
    elsewhere = inputs.parent / "elsewhere.rd"
    elsewhere.write_text(RD)
    elsewhere.chmod(0o644)
    (inputs / "a" / "out.rd").symlink_to(elsewhere)
    [warning] = warned(inputs, "a/out")
    assert f"it is {elsewhere}, which is outside the resource directory" in warning
    (inputs / "b").symlink_to(inputs / "a")
    assert warned(inputs, "b/q") == []
    (inputs / "a" / "q.rd").chmod(0o666)
    assert len(warned(inputs, "b/q")) == 1


def test_files_that_an_rd_draws_on_are_judged_too(inputs: Path) -> None:
    library = inputs / "a" / "lib.rd"
    library.write_text('<resource schema="a"><procDef id="p"><code>pass</code></procDef></resource>')
    library.chmod(0o666)
    path = inputs / "a" / "q.rd"
    path.write_text(RD.replace("<job><code>pass</code></job>", '<job procDef="a/lib#p"/>'))
    [warning] = judged(inputs).warnings
    assert (warning.position.path, warning.code) == (str(library), "W101")


def test_rds_without_executes_are_nobodys_business(inputs: Path) -> None:
    path = inputs / "a" / "q.rd"
    path.write_text('<resource schema="a"><table id="x"/></resource>')
    path.chmod(0o666)
    assert warned(inputs) == []


def test_what_is_judged_is_the_file_that_was_opened(inputs: Path) -> None:
    """Though another has been put in its place by the time that it is looked at."""
    path = inputs / "a" / "q.rd"
    path.chmod(0o666)
    trust = Trust(inputs_dir=str(inputs), uid=DAEMON, is_strict=False)
    descriptor = os.open(path, os.O_RDONLY)
    path.rename(inputs / "a" / "old.rd")
    path.write_text(RD)
    path.chmod(0o644)
    trust.look(str(path), descriptor)
    os.close(descriptor)
    assert len(trust.judgement()) == 1
