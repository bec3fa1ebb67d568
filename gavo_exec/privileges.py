"""Started by root, the daemon becomes another user before it reads or makes anything of its own."""

import grp
import os
import pwd
import stat
from pathlib import Path

from gavo_exec.errors import GavoExecError


def become(user: str, *, state_dir: str) -> None:
    """Become a user for good, with their groups; the state directory is theirs from then on.

    Nothing is done where we are that user already.  Raises GavoExecError where there is no such user, or we are neither
    they nor root.
    """
    found = _find(user)
    if os.geteuid() == found.pw_uid == os.getuid():
        return
    if os.geteuid() != 0:
        raise GavoExecError(f"user is {user}, whom only root can become; start it as root, or as {user}")
    try:
        Path(state_dir).mkdir(mode=0o700, parents=True, exist_ok=True)
        for path in (Path(state_dir), *Path(state_dir).rglob("*")):
            status = path.lstat()
            # Not what somebody may have put there as another name of a file of root's.
            if status.st_uid == 0 and (stat.S_ISDIR(status.st_mode) or status.st_nlink == 1):
                os.lchown(path, found.pw_uid, found.pw_gid)
        os.setgroups([gid for gid in os.getgrouplist(found.pw_name, found.pw_gid) if _is_known(gid)] or [found.pw_gid])
        os.setresgid(found.pw_gid, found.pw_gid, found.pw_gid)
        os.setresuid(found.pw_uid, found.pw_uid, found.pw_uid)
    except OSError as fault:
        raise GavoExecError(f"the daemon cannot become {user}: {fault.strerror}") from None
    os.environ.update(HOME=found.pw_dir, USER=found.pw_name, LOGNAME=found.pw_name)


def _find(user: str) -> pwd.struct_passwd:
    """The user of a name or number."""
    try:
        return pwd.getpwuid(int(user)) if user.isdecimal() else pwd.getpwnam(user)
    except KeyError:
        raise GavoExecError(f"there is no user {user}; make one (useradd --system), or mend the setting user") from None


def _is_known(gid: int) -> bool:
    try:
        grp.getgrgid(gid)
    except KeyError:
        return False
    return True
