"""What will happen, and why something did not: by the real agenda, with a clock that jumps, and by what is recorded."""

from gavo_exec.simulation.case import Case, Explanation, Verdict
from gavo_exec.simulation.coming import Coming, coming_runs
from gavo_exec.simulation.explanation import explain
from gavo_exec.simulation.life import USUAL, Life, Plan
from gavo_exec.simulation.tally import Finding, JobSum, Kind, Report, SimulatedRun, Tally

__all__ = [
    "USUAL",
    "Case",
    "Coming",
    "Explanation",
    "Finding",
    "JobSum",
    "Kind",
    "Plan",
    "Report",
    "SimulatedRun",
    "Verdict",
    "coming_runs",
    "explain",
    "simulate",
]


def simulate(plan: Plan, *, tell: int = 0) -> Report:
    """Live through a plan; the first runs, so many, are told one by one."""
    tally = Tally((execute.key for _, execute in plan.catalog.executes()), most=tell)
    Life(plan, tally).live()
    return tally.report()
