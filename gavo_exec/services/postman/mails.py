"""Mails out of the outbox: as they are, and without what is attached where that is too much for a server."""

from collections.abc import Callable
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default as default_policy
from html import escape

from gavo_exec.errors import DeliveryError
from gavo_exec.model import QueuedMail
from gavo_exec.ports import Mailer

_AS_IT_IS = default_policy.clone(refold_source="none")
_LEFT_OUT = "The output is not attached, since the mail server takes no mails of that size."


class TooLarge(DeliveryError):  # noqa: N818 -- the state's name says more than a suffix
    """A mail is larger than the server takes."""

    def __init__(self, message: str) -> None:
        super().__init__(message, permanent=True)


def by_mail(mailer: Mailer) -> Callable[[QueuedMail], str]:
    """What hands mails to a mailer; those that are too large once more, without what is attached."""

    def carry(mail: QueuedMail) -> str:
        message = message_from_bytes(mail.content, policy=_AS_IT_IS)
        try:
            return mailer.send(message)
        except TooLarge:
            if not without_attachments(message):
                raise
        return f"{mailer.send(message)} (without attachments, as it was too large)"

    return carry


def without_attachments(message: EmailMessage) -> bool:
    """Take away what is attached to a mail, and say so in it; answers whether there was anything."""
    attached = list(message.iter_attachments()) if message.is_multipart() else []
    if not attached:
        return False
    payload = message.get_payload()
    assert isinstance(payload, list)  # noqa: S101 -- it is multipart
    message.set_payload([part for part in payload if part not in attached])
    for kind, note in (("plain", f"\n{_LEFT_OUT}\n"), ("html", f"<p>{escape(_LEFT_OUT)}</p>")):
        body = message.get_body((kind,))
        if body is not None:
            text = str(body.get_content())
            end = text.rfind("</body>") if kind == "html" else -1
            text = f"{text[:end]}{note}{text[end:]}" if end >= 0 else f"{text}{note}"
            body.set_content(text, subtype=kind, charset="utf-8", cte="quoted-printable")
    return True
