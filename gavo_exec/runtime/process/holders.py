"""Names that tell processes apart for good, over reuse of their numbers and over restarts of the machine."""

import os
import re
import select
from contextlib import suppress
from pathlib import Path


def process_holder() -> str:
    """This process for the store's claims: ``host pid start boot``, which no other process will ever be called."""
    pid = str(os.getpid())
    return f"{os.uname().nodename} {pid} {start_of(pid)} {_boot()}"


def is_alive(holder: str) -> bool:
    """Whether the process of that name still runs.

    A name from another machine is that of a process gone, since the state is on a local disk: it was moved here, or
    restored.  Names are told apart by the boot, so that a machine may be renamed while it runs.
    """
    pid, start, boot = holder.split(" ")[-3:] if holder.count(" ") >= 3 else ("", "", "")
    return boot == _boot() and start == start_of(pid) != ""


def start_of(pid: str) -> str:
    """When a process started, in the kernel's own count; empty where there is none, or only its unreaped rest."""
    if not re.fullmatch("[0-9]{1,10}", pid):
        return ""
    if Path("/proc/self/stat").exists():
        try:
            # After the name, which may contain anything, come the state and, 19 fields on, the ticks since the boot.
            fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
        except OSError:
            return ""
        return "" if fields[0] in {b"Z", b"X"} else fields[19].decode()
    import psutil  # slow to import, and not needed on Linux

    try:
        process = psutil.Process(int(pid))
        return "" if process.status() == psutil.STATUS_ZOMBIE else str(process.create_time())
    except (psutil.Error, OverflowError):
        return ""


def wait_until_gone(pid: int) -> None:
    """Wait until there is no process of this number any more."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    except (AttributeError, OSError):
        import psutil  # as above

        with suppress(psutil.Error):
            psutil.Process(pid).wait()
        return
    try:
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        poll.poll()
    finally:
        os.close(descriptor)


def _boot() -> str:
    """What tells this boot of this machine from all others."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        import psutil  # as above

        return str(psutil.boot_time())
