"""Delivers the outbox: the thread that goes through what is due by one channel, again and again."""

import logging
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from time import monotonic
from zlib import crc32

from gavo_exec.errors import DeliveryError, StoreError
from gavo_exec.model import Channel, QueuedMail
from gavo_exec.ports import Clock, Store
from gavo_exec.services.postman.faults import ServiceUnavailable

Carry = Callable[[QueuedMail], str]
"""Hands something from the outbox over, and answers in words who has taken it; or raises DeliveryError."""

_LOG = logging.getLogger("gavo_exec.services.postman")

FIRST_DELAY = timedelta(minutes=1)
LONGEST_DELAY = timedelta(hours=1)
GIVE_UP_AFTER = timedelta(days=5)
FEWEST_ATTEMPTS = 10
"""A mail is not given up for its age alone: it may be old because no daemon ran."""

_LONGEST_WAIT = LONGEST_DELAY * 1.1
_LONGEST_SLEEP = timedelta(seconds=30)  # so that a stepped clock is noticed, and what others have hastened
_STOP_GRACE = timedelta(seconds=10)


class Postman:
    """The thread that delivers what is due in the outbox by one channel.

    What is not taken waits for its next try without holding up the others.  When nothing can be delivered at all, one
    at a time finds out, at growing distance, whether that has passed.
    """

    def __init__(self, store: Store, *, carry: Carry, clock: Clock, channel: Channel = Channel.MAIL) -> None:
        self._store = store
        self._carry = carry
        self._clock = clock
        self._channel = channel
        self._refusals = 0  # tries in a row for which the service was unavailable
        self._away_until = datetime.min.replace(tzinfo=UTC)
        self._probe_id = 0  # what was tried in vain when it was last unavailable
        self._unnoted: Callable[[], None] | None = None
        self._woken = threading.Event()
        self._stopping = threading.Event()
        self._abandoned = threading.Event()
        name = "postman" if channel is Channel.MAIL else f"postman-{channel.value}"
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)

    def start(self) -> None:
        """Begin to deliver."""
        self._thread.start()

    @property
    def is_started(self) -> bool:
        """Whether it was started."""
        return self._thread.ident is not None

    def wake(self) -> None:
        """Look into the outbox soon, as something was put there."""
        self._woken.set()

    def ask_to_stop(self) -> None:
        """Deliver once more what is due, and end."""
        self._stopping.set()
        self._woken.set()

    def stop(self, grace: timedelta = _STOP_GRACE) -> None:
        """Deliver once more what is due, for at most ``grace``; what is left stays in the outbox."""
        self.ask_to_stop()
        if self.is_started:
            self._thread.join(grace.total_seconds())
        self._abandoned.set()

    def deliver_due(self) -> int:
        """Try all that is due; answers how many were taken.

        Raises StoreError; what was taken and could not be noted as such is noted first next time, not sent again.
        """
        delivered = 0
        while not self._abandoned.is_set():
            self._note()
            now = self._clock.now()
            if self._is_away(now):
                break
            mail = self._store.due_mail(self._horizon(now), self._channel)
            if mail is None:
                break
            delivered += self._deliver(mail)
        return delivered

    def _horizon(self, now: datetime) -> datetime:
        """Up to when things count as due: no retry is planned further ahead than a clock that was set back makes it."""
        next_at = self._store.next_mail_at(self._channel)
        return next_at if next_at is not None and next_at > now + _LONGEST_WAIT else now

    def _is_away(self, now: datetime) -> bool:
        """Whether the service was unavailable a short while ago, and nobody has said since to try all the same."""
        if not now < self._away_until <= now + _LONGEST_WAIT:
            return False
        probe = self._store.mail(self._probe_id)
        is_hastened = probe is not None and probe.next_attempt_at is not None and probe.next_attempt_at <= now
        if is_hastened:
            self._away_until = now
        return not is_hastened

    def _deliver(self, mail: QueuedMail) -> bool:
        """Try one, and note what came of it."""
        try:
            self._hand_over(mail)
        except ServiceUnavailable as exc:
            self._refusals += 1
            self._away_until = self._clock.now() + delay_after(self._refusals, mail.mail_id)
            self._probe_id = mail.mail_id
            self._note_failure(mail, exc, self._away_until)
            return False
        except DeliveryError as exc:
            self._note_failure(mail, exc, self._clock.now() + delay_after(mail.attempts + 1, mail.mail_id))
            taken = False
        else:
            now = self._clock.now()
            self._unnoted = lambda: self._store.mail_delivered(mail.mail_id, now=now)
            taken = True
        self._refusals = 0
        self._note()
        return taken

    def _hand_over(self, mail: QueuedMail) -> None:
        """Hand one over; whatever goes wrong is a DeliveryError."""
        try:
            self._carry(mail)
        except DeliveryError:
            raise
        except Exception as exc:
            _LOG.exception("%s %d (%s) could not be handed over", self._channel.value, mail.mail_id, mail.subject)
            raise DeliveryError(f"{type(exc).__name__}: {exc}") from exc

    def _note_failure(self, mail: QueuedMail, exc: DeliveryError, retry_at: datetime) -> None:
        """Note that something was not taken."""
        now, error = self._clock.now(), str(exc)
        is_old = now - mail.queued_at >= GIVE_UP_AFTER and mail.attempts + 1 >= FEWEST_ATTEMPTS
        again = None if exc.permanent or is_old else retry_at
        fate = "it is given up" if again is None else f"next try at {again:%Y-%m-%d %H:%M:%S} UTC"
        what = self._channel.value
        _LOG.warning("%s %d (%s) was not taken: %s; %s", what, mail.mail_id, mail.subject, error, fate)
        self._unnoted = lambda: self._store.mail_failed(mail.mail_id, error=error, retry_at=again, now=now)
        self._note()

    def _note(self) -> None:
        """Tell the store what came of the last try, if it does not know yet."""
        if self._unnoted is not None:
            self._unnoted()
            self._unnoted = None

    def _work(self) -> None:
        """Deliver and sleep until stopped."""
        while True:
            is_last = self._stopping.is_set()
            self._woken.clear()
            try:
                self.deliver_due()
                pause = self._pause()
            except StoreError as exc:
                _LOG.warning("the postman cannot use the outbox: %s", exc)
                pause = _LONGEST_SLEEP
            except Exception:
                _LOG.exception("the postman goes on after an error of its own")
                pause = _LONGEST_SLEEP
            if is_last or self._abandoned.is_set():
                return
            self._woken.wait(pause.total_seconds())

    def _pause(self) -> timedelta:
        """How long to sleep."""
        now = self._clock.now()
        next_at = self._store.next_mail_at(self._channel)
        if next_at is None:
            return _LONGEST_SLEEP
        if self._is_away(now):
            next_at = max(next_at, self._away_until)
        return min(max(next_at - now, timedelta(0)), _LONGEST_SLEEP)


def delay_after(attempts: int, mail_id: int = 0) -> timedelta:
    """How long to wait after so many tries that failed: a minute, doubled each time, up to an hour.

    And up to a tenth longer, so that not all that wait knock at once.
    """
    jitter = crc32(f"{mail_id} {attempts}".encode()) / 2**32 / 10
    return min(FIRST_DELAY * (1 << min(attempts - 1, 10)), LONGEST_DELAY) * (1 + jitter)


class Postmen:
    """The postmen of all channels; that of pings begins to work when there is something for it."""

    def __init__(self, store: Store, *, carriers: Mapping[Channel, Carry], clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._by_channel = {
            channel: Postman(store, carry=carry, clock=clock, channel=channel) for channel, carry in carriers.items()
        }
        self._is_at_work = False

    def start(self) -> None:
        """Begin to deliver, first what waits for its next try: whoever starts us may have mended what was wrong."""
        self._store.hasten_mails(now=self._clock.now())
        self._is_at_work = True
        for channel, postman in self._by_channel.items():
            if channel is not Channel.PING or self._store.next_mail_at(channel) is not None:
                postman.start()

    def wake(self, channels: frozenset[Channel]) -> None:
        """Look into the outbox soon, as something was put there for these; for one thread."""
        for channel in channels & self._by_channel.keys():
            postman = self._by_channel[channel]
            if self._is_at_work and not postman.is_started:
                postman.start()
            postman.wake()

    def stop(self, grace: timedelta = _STOP_GRACE) -> None:
        """Deliver once more what is due, for at most ``grace``; what is left stays in the outbox."""
        until = monotonic() + grace.total_seconds()
        for postman in self._by_channel.values():
            postman.ask_to_stop()
        for postman in self._by_channel.values():
            postman.stop(timedelta(seconds=max(0.0, until - monotonic())))

    def deliver_due(self) -> int:
        """Try all that is due, on this thread; answers how many were taken.  Raises StoreError."""
        return sum(postman.deliver_due() for postman in self._by_channel.values())
