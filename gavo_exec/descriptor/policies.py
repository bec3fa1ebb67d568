"""Portable properties to policies: what an execute says itself, else its resource, else the operator's settings."""

import os.path
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time
from functools import lru_cache
from glob import escape
from typing import Any, NamedTuple

from gavo_exec.descriptor.check import Checked
from gavo_exec.descriptor.places import Part, Place
from gavo_exec.descriptor.report import Report
from gavo_exec.descriptor.scope import Scope
from gavo_exec.elements.portable import ENV, PREFIXES, find_portable, parse_property
from gavo_exec.elements.values import PropertyFault
from gavo_exec.macros import expand
from gavo_exec.model import DEFAULT_POLICY, Limit, Missed, Overlap, Policy
from gavo_exec.schedule import At, Every, Loaded, Rarity, Schedule, Window, delay_for, narrowed, rarity

_OF_SCHEDULES = frozenset({"when.zone", "when.only", "when.not", "when.jitter"})
"""What is no part of the policy, but makes another schedule."""
_OF_INSTANTS = frozenset({*_OF_SCHEDULES, "when.missed", "when.grace", "when.files", "when.settle"})
"""What has no bearing on executes that run when their RD is loaded."""
_FIELDS = {
    "when.grace": "grace",
    "when.settle": "settle",
    "run.timeout": "timeout",
    "run.retries": "retries",
    "run.retryDelay": "retry_delay",
    "run.priority": "priority",
    "run.niceness": "niceness",
    "run.memory": "memory_bytes",
    "mail.to": "mail_to",
    "mail.after": "mail_after",
    "mail.remind": "reminders",
    "mail.ping": "ping",
}
"""What policies call a property whose value they have as it is."""


class Given(NamedTuple):
    """A portable property that an RD has: its text, be it faulty (None: unset), and where its name stands."""

    text: str | None
    place: Place


def is_portable(checked: Checked) -> bool:
    """Whether a property's name is one of those kept for settings."""
    name = checked.value("name")
    return name is not None and name.text.startswith(PREFIXES)


class Policies:
    """What the portable properties of one RD come to; ``defaults`` are the operator's, and without fault.

    ``of_resource`` is to be filled before anything is asked.
    """

    def __init__(self, defaults: Mapping[str, str], *, resdir: str, today: date, report: Report) -> None:
        self.of_resource: dict[str, Given] = {}
        self._defaults = defaults
        self._resdir = resdir
        self._today = today
        self._report = report
        self._shared: dict[str, str] | None = None

    def take(
        self, given: dict[str, Given], checked: Checked, properties: Mapping[str, str | None], scope: Scope
    ) -> None:
        """Add a portable property to those given, if there is such a one; its value is among all properties."""
        name = checked.value("name")
        if name is None:
            return
        try:
            portable = find_portable(name.text)
        except PropertyFault as fault:
            place = name.place.within(fault.start, fault.end)
            self._report.add("E209", str(fault), place, hint=fault.hint, fix=fault.fix)
            return
        if portable.is_for_later:
            message = f"the property {name.text} has no effect: this version has no such setting"
            hint = "the name is kept for versions to come; properties of other names are for job code"
            self._report.add("W207", message, name.place, hint=hint)
            return
        value = properties[name.text]
        given[name.text] = Given(value, name.place)
        if value is None:
            return
        try:
            parse_property(name.text, value)
        except PropertyFault as fault:
            self._report_value(fault, value, checked, scope)

    def _report_value(self, fault: PropertyFault, value: str, checked: Checked, scope: Scope) -> None:
        """Report that a value cannot be used, unless that comes of a macro in it that was told of already."""
        text = checked.content
        if expand(text, scope.macros).faults:
            return
        place = Place(checked.node, Part.TEXT)
        if text == value:
            self._report.add("E304", str(fault), place.within(fault.start, fault.end), hint=fault.hint, fix=fault.fix)
        else:  # macros stand in it, or it is joined to the one before: all of it is at fault
            place = place.within(len(text) - len(text.lstrip()), len(text.rstrip()))
            self._report.add("E304", str(fault), place, hint=fault.hint)

    def policy_of(self, own: Mapping[str, Given]) -> Policy:
        """The policy of an execute that has these properties itself, none of them faulty."""
        texts = self._texts(own)
        if not texts:
            return DEFAULT_POLICY
        items = tuple(item for item in sorted(texts.items()) if item[0] not in _OF_SCHEDULES)
        has_paths = "when.files" in texts or "run.workdir" in texts
        return _policy(items, self._resdir if has_paths else "")

    def schedule_of(self, own: Mapping[str, Given], schedule: Schedule, *, key: str, place: Place) -> Schedule:
        """The schedule of an execute that has these properties itself, narrowed by what they say of the calendar.

        ``place`` is where the schedule stands; it is reported where nothing, or little, is left of it.
        """
        texts = self._texts(own)
        if not isinstance(schedule, At | Every) or _OF_SCHEDULES.isdisjoint(texts):
            return schedule
        try:
            zone = parse_property("when.zone", texts.get("when.zone", "UTC"))
            only, excluded = (
                parse_property(name, texts[name]) if name in texts else () for name in ("when.only", "when.not")
            )
            most = parse_property("when.jitter", texts.get("when.jitter", "0"))
        except PropertyFault:
            return schedule  # it was told of, and the RD is refused
        window = Window(only=only, excluded=excluded, zone=zone)
        if only or excluded:
            where = next((own[name].place for name in ("when.only", "when.not") if name in own), place)
            self._look_for_rarity(narrowed(schedule, zone=zone, window=window), where)
        delay = delay_for(key, int(most.total_seconds()))
        return narrowed(schedule, zone=zone, window=window, delay_seconds=delay)

    def _look_for_rarity(self, schedule: Schedule, place: Place) -> None:
        """Report a schedule of which its window leaves nothing, or little."""
        found = _rarity(schedule, self._today) if isinstance(schedule, At | Every) else None
        if found is None:
            return
        if found.due is None:
            message = f"the execute is never due: {schedule.describe()}"
            hint = (
                "see that when.only and when.not, of the execute, the resource or the settings, leave some of its times"
            )
            self._report.add("E305", message, place, hint=hint)
        else:
            message = f"the execute is rarely due, next on {found.due:%Y-%m-%d}: {schedule.describe()}"
            hint = "see that this is what when.only and when.not are to leave of its times"
            self._report.add("W209", message, place, hint=hint)

    def _texts(self, own: Mapping[str, Given]) -> dict[str, str]:
        """What holds for an execute: its own properties, then those of the resource, then the operator's."""
        if self._shared is None:
            self._shared = _overlaid(self._defaults, self.of_resource)
        return _overlaid(self._shared, own) if own else self._shared

    def look_for_idle(self, executes: Iterable[tuple[Mapping[str, Given], Schedule]]) -> None:
        """Warn of properties that can have no effect, given the executes' own properties and their schedules."""
        reasons: dict[str, set[tuple[str, str]]] = {}
        for own, schedule in executes:
            texts = self._texts(own)
            names = set(texts)
            for name, given in own.items():
                if name in texts:
                    self._warn(name, given, _why_idle(name, texts, schedule))
                names.discard(name)
            for name in names & self.of_resource.keys():
                reasons.setdefault(name, set()).add(_why_idle(name, texts, schedule))
        for name, found in reasons.items():
            if len(found) == 1 and (reason := found.pop()):
                self._warn(name, self.of_resource[name], reason)

    def _warn(self, name: str, given: Given, why: tuple[str, str]) -> None:
        """Warn of a property, if there is a reason."""
        reason, hint = why
        if reason:
            self._report.add("W208", f"{name} has no effect: {reason}", given.place, hint=hint)


def _overlaid(texts: Mapping[str, str], given: Mapping[str, Given]) -> dict[str, str]:
    """The texts with those given in their places; what is unset is left out."""
    found = {name: text for name, text in texts.items() if name not in given}
    return found | {name: each.text for name, each in given.items() if each.text is not None}


def _why_idle(name: str, texts: Mapping[str, str], schedule: Schedule) -> tuple[str, str]:
    """Why a property has no effect in this company, and what to do about it; '' where it may have one."""
    if isinstance(schedule, Loaded) and name in _OF_INSTANTS:
        return "the execute runs whenever its RD is loaded, and only then", "remove it"
    if name == "when.settle" and "when.files" not in texts:
        return "there is no when.files", "say which files in when.files, or remove it"
    if name == "run.retryDelay" and texts.get("run.retries", "0").strip() == "0":
        return "there are no run.retries", "say how many in run.retries, or remove it"
    if name == "when.zone" and isinstance(schedule, Every) and texts.keys().isdisjoint({"when.only", "when.not"}):
        return "every counts seconds, and there is neither when.only nor when.not", "remove it"
    return "", ""


@lru_cache(maxsize=1000)
def _rarity(schedule: At | Every, today: date) -> Rarity | None:
    """What its window leaves of a schedule, if that is little; the same where it is asked again."""
    return rarity(schedule, datetime.combine(today, time(), UTC))


@lru_cache(maxsize=1000)
def _policy(items: tuple[tuple[str, str], ...], resdir: str) -> Policy:
    """The policy that these names and texts mean; one object for equal ones."""
    values: dict[str, Any] = {name: parse_property(name, text) for name, text in items}
    fields: dict[str, Any] = {_FIELDS[name]: value for name, value in values.items() if name in _FIELDS}
    if "when.missed" in values:
        fields["missed"] = Missed(values["when.missed"])
    if "when.files" in values:
        # What is in the resdir's own name stands for itself.
        fields["files"] = os.path.normpath(os.path.join(escape(resdir), values["when.files"]))  # noqa: PTH118 -- a pattern
    if "run.overlap" in values:
        fields["overlap"] = Overlap(values["run.overlap"])
    if "run.isolate" in values:
        fields["is_isolated"] = values["run.isolate"] == "process"
    if "mail.locals" in values:
        fields["shows_locals"] = values["mail.locals"] == "yes"
    if "run.limit" in values:
        name, at_most = values["run.limit"]
        fields["limit"] = Limit(name=name, at_most=at_most)
    if "run.workdir" in values:
        fields["workdir"] = os.path.normpath(os.path.join(resdir, values["run.workdir"]))  # noqa: PTH118 -- a string
    fields["env"] = tuple((name.removeprefix(ENV), value) for name, value in values.items() if name.startswith(ENV))
    policy = Policy(**fields)
    return DEFAULT_POLICY if policy == DEFAULT_POLICY else policy
