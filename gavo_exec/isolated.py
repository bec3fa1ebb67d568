"""The program of a run with a process of its own: the daemon starts it, with the run's key, its id and a descriptor."""

import os
import pickle
import resource
import sys
from functools import cache

import msgspec

from gavo_exec.model import Execute, Policy, ResourceDescriptor, RunRequest, Site
from gavo_exec.ports import JobRunner
from gavo_exec.runtime.clock import SystemClock
from gavo_exec.runtime.executing import JobLoader
from gavo_exec.runtime.isolation import Isolation, carry_out_here, python_path_of
from gavo_exec.runtime.process import ProcessRunner
from gavo_exec.settings import LiveSite, Settings


def isolation(runner: JobRunner, *, settings: Settings, site: Site, output_limit_bytes: int) -> Isolation:
    """What begins runs in processes of their own, by these settings and on this site.

    So much of each child's output is kept for what is said about it.
    """
    without_secrets = settings.without_secrets()

    def hand_over(request: RunRequest) -> bytes:
        python_path = python_path_of(request.execute.policy)
        return pickle.dumps((request, without_secrets, site, output_limit_bytes, python_path))

    return Isolation(runner, module=__name__, hand_over=hand_over)


def main() -> None:
    """Carry out the run that is handed over on standard input."""
    request: RunRequest
    request, settings, site, output_limit_bytes, python_path = pickle.load(sys.stdin.buffer)  # noqa: S301 -- our own
    os.environ.pop("PYTHONPATH", None)  # it was only for us to be found
    if python_path is not None:
        os.environ["PYTHONPATH"] = python_path
    runner = ProcessRunner(output_limit_bytes=output_limit_bytes)
    loader = _loader(request.rd, runner, settings=settings, site=site)
    execute = request.execute
    _limit(execute.policy)
    with os.fdopen(int(sys.argv[-1]), "wb") as report:
        os.set_inheritable(report.fileno(), False)
        request = msgspec.structs.replace(request, execute=_unlimited(execute))
        carry_out_here(request, prepare=loader.prepare, report=report)


def _loader(rd: ResourceDescriptor, runner: JobRunner, *, settings: Settings, site: Site) -> JobLoader:
    """What loads the jobs of this RD; others are found in their files, by what takes its time to be imported."""
    clock = SystemClock()

    @cache
    def find_other(rd_id: str) -> ResourceDescriptor | None:
        from gavo_exec.reading import RDReader, find_in_tree

        return find_in_tree(RDReader(settings, LiveSite(site), clock=clock), rd_id, inputs_dir=settings.inputs_dir)

    def whole(found: ResourceDescriptor) -> ResourceDescriptor:
        from gavo_exec.reading import read_whole

        return found if found is rd else read_whole(found, site=site, clock=clock)

    return JobLoader(
        runner,
        find=lambda rd_id: rd if rd_id == rd.rd_id else find_other(rd_id),
        whole=whole,
        site=site,
        clock=clock,
        choice=settings.job_namespace,
        may_leave_resdir=settings.outside_resdir == "allow",
    )


def _limit(policy: Policy) -> None:
    """Keep this process, and all children that it will have, to what the policy allows."""
    if policy.niceness is not None:
        os.nice(max(0, policy.niceness - os.nice(0)))
    if policy.memory_bytes is not None:
        hard = resource.getrlimit(resource.RLIMIT_AS)[1]
        limit = policy.memory_bytes if hard == resource.RLIM_INFINITY else min(policy.memory_bytes, hard)
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def _unlimited(execute: Execute) -> Execute:
    """The execute without the limits that its process has already."""
    policy = msgspec.structs.replace(execute.policy, niceness=None, memory_bytes=None)
    return msgspec.structs.replace(execute, policy=policy)


if __name__ == "__main__":
    main()
