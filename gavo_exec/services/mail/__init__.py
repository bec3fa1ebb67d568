"""The listener that mails: decides which events somebody has to be told of, and puts what they are told in the outbox.

Whatever comes from RDs and children (titles, keys, output) is hostile: headers are made of single, bounded, printable
lines only, bodies of bounded printable lines.
"""

import logging
from datetime import datetime, timedelta
from email.message import EmailMessage

from gavo_exec.events import (
    DescriptorAccepted,
    DescriptorRejected,
    DescriptorRemoved,
    Event,
    RunFinished,
    RunOverdue,
    Stalled,
)
from gavo_exec.model import Outcome
from gavo_exec.ports import Clock, Store
from gavo_exec.services.mail.envelope import MailPolicy, unusable_addresses
from gavo_exec.services.mail.letters import (
    compose_debug_output,
    compose_failure,
    compose_overdue,
    compose_recovery,
    compose_rejection,
    compose_stall,
)
from gavo_exec.services.mail.texts import block, duration, one_line

__all__ = ["MailListener", "MailPolicy", "block", "compose_failure", "duration", "one_line"]

STALL_REMINDER = timedelta(days=1)
"""How long after a mail about a stall another one at the same place is not mailed."""

_LOG = logging.getLogger(__name__)


class MailListener:
    """Puts a mail into the outbox for each bad or overdue run, each broken version of an RD, and each RD mended.

    Stalls are mailed once a day for each place that stalls.
    """

    hears = frozenset({RunFinished, RunOverdue, Stalled, DescriptorAccepted, DescriptorRejected, DescriptorRemoved})

    def __init__(self, store: Store, *, clock: Clock, policy: MailPolicy) -> None:
        self._store = store
        self._clock = clock
        self._policy = policy
        # What the store knows as broken has been mailed: the rejection and its mail were written together.
        self._mailed = {rd_id: {rejection.digest} for rd_id, (rejection, _) in store.rejections().items()}
        self._stalls_mailed: dict[tuple[str, str], datetime] = {}
        for text in unusable_addresses(policy):
            _LOG.warning("%.200r is no mail address that can be used; mend the settings for mail", text)

    def __call__(self, event: Event) -> None:
        """Mail about an event, if somebody has to know."""
        message = self._compose(event)
        if message is not None:
            self._store.put_mail(message, now=self._clock.now())

    def _compose(self, event: Event) -> EmailMessage | None:
        """The mail about an event, if there is to be one."""
        now = self._clock.now()
        match event:
            # Of what is tried again the last attempt is told; that it was not the first stands in its mail.
            case RunFinished(run=run) if run.outcome is not None and run.outcome.is_bad and event.retry is None:
                return compose_failure(event, policy=self._policy, now=now)
            case RunFinished(run=run, request=request) if (
                run.outcome is Outcome.SUCCEEDED and request is not None and request.execute.debug and run.output
            ):
                return compose_debug_output(event, policy=self._policy, now=now)
            case RunOverdue():
                return compose_overdue(event, policy=self._policy, now=now)
            case Stalled() if self._is_news(event):
                return compose_stall(event, policy=self._policy, now=now)
            case DescriptorRejected() | DescriptorAccepted() | DescriptorRemoved():
                return self._compose_about_rd(event, now)
        return None

    def _compose_about_rd(
        self, event: DescriptorRejected | DescriptorAccepted | DescriptorRemoved, now: datetime
    ) -> EmailMessage | None:
        """The mail about an RD that is broken, or good again."""
        match event:
            case DescriptorRejected(rejection=rejection):
                digests = self._mailed.setdefault(rejection.rd_id, set())
                if rejection.digest not in digests:
                    digests.add(rejection.digest)
                    return compose_rejection(event, policy=self._policy, now=now)
            # The RD may have been mended while no daemon ran, so what was mailed counts, not event.recovered.
            case DescriptorAccepted(rd_id=rd_id) if self._mailed.pop(rd_id, None) is not None:
                return compose_recovery(event, policy=self._policy, now=now)
            case DescriptorRemoved(rd_id=rd_id):
                self._mailed.pop(rd_id, None)
        return None

    def _is_news(self, stall: Stalled) -> bool:
        """Whether somebody is to be told of a stall: one at this place has not been mailed lately."""
        mailed = {place: at for place, at in self._stalls_mailed.items() if stall.at - at < STALL_REMINDER}
        is_news = (place := (stall.key, stall.where)) not in mailed
        if is_news:
            mailed[place] = stall.at
        self._stalls_mailed = mailed
        return is_news
