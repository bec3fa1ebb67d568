"""A mail server in every bad mood there is."""

import asyncio
import re
import socket
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from email import message_from_bytes, policy
from email.message import EmailMessage

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session


class MoodyServer:
    """A mail server that is what ``mood`` says, on one port for all its life."""

    def __init__(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as found:
            self.port = found.getsockname()[1]
        self.mood = "down"
        self.taken: list[bytes] = []
        self.tries: Counter[str] = Counter()
        self.before_answer: Callable[[], None] = lambda: None
        """Called when a mail has been taken, and the client does not know yet."""
        self._known: set[str] = set()
        self._up: Controller | None = None

    def be(self, mood: str) -> None:
        """Change the mood."""
        self.mood = mood
        if mood == "down":
            self.close()
        elif self._up is None:
            self._up = _Controller(self, hostname="127.0.0.1", port=self.port)
            self._up.start()

    def close(self) -> None:
        if self._up is not None:
            self._up.stop(no_assert=True)
            self._up = None

    @property
    def mails(self) -> list[EmailMessage]:
        return [message_from_bytes(content, policy=policy.default) for content in self.taken]

    async def handle_MAIL(  # noqa: N802 -- aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self.tries[self.mood] += 1
        if self.mood == "refusing":
            return "421 4.3.2 not today"
        envelope.mail_from = address
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 -- same
        content = envelope.content
        assert isinstance(content, bytes)
        if self.mood == "greylisting":
            found = re.search(rb"^Message-ID: *(\S+)", content, re.MULTILINE | re.IGNORECASE)
            name = found[1].decode() if found is not None else ""
            if name not in self._known:
                self._known.add(name)
                return "451 4.7.1 come back later"
        if self.mood == "slow":
            with suppress(TimeoutError):
                await asyncio.wait_for(asyncio.Event().wait(), 0.5)
        self.taken.append(content)
        await asyncio.to_thread(self.before_answer)
        return "250 2.0.0 queued"


class _ClosingSMTP(SMTP):
    """A server that may go away in the middle of a mail."""

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802 -- aiosmtpd's name
        handler = self.event_handler
        assert isinstance(handler, MoodyServer)
        if handler.mood == "closing":
            await self.push("354 go on")
            assert self.transport is not None
            self.transport.close()  # what is on its way to us is answered by a reset
        else:
            await super().smtp_DATA(arg)


class _Controller(Controller):
    def factory(self) -> SMTP:
        return _ClosingSMTP(self.handler, hostname="mail.test")
