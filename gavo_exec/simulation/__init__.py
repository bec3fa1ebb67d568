"""What will happen, by the real agenda with a clock that jumps: runs of days to come, and the next of each job."""

from gavo_exec.simulation.coming import Coming, coming_runs
from gavo_exec.simulation.life import USUAL, Life, Plan
from gavo_exec.simulation.tally import Finding, JobSum, Kind, Report, SimulatedRun, Tally

__all__ = [
    "USUAL",
    "Coming",
    "Finding",
    "JobSum",
    "Kind",
    "Plan",
    "Report",
    "SimulatedRun",
    "coming_runs",
    "simulate",
]


def simulate(plan: Plan, *, tell: int = 0) -> Report:
    """Live through a plan; the first runs, so many, are told one by one."""
    tally = Tally((execute.key for _, execute in plan.catalog.executes()), most=tell)
    Life(plan, tally).live()
    return tally.report()
