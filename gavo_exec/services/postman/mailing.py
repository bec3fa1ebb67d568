"""Carries what is in the outbox as a mail, where need be without what is attached."""

from copy import deepcopy
from email import message_from_bytes
from email.message import EmailMessage, Message, MIMEPart
from email.policy import default as default_policy

from gavo_exec.model import QueuedMail
from gavo_exec.ports import Mailer
from gavo_exec.services.postman.faults import TooLarge
from gavo_exec.services.postman.postman import Carry

_AS_IT_IS = default_policy.clone(refold_source="none")

LEFT_OUT = "The output is not attached, since the mail server refuses mails of that size."
"""What a mail says from which attachments were taken."""


def by_mail(mailer: Mailer) -> Carry:
    """What carries mails by this mailer.

    Where one is too large for the server, it is sent again at once without what is attached, and says so.
    """

    def carry(mail: QueuedMail) -> str:
        message = message_from_bytes(mail.content, policy=_AS_IT_IS)
        try:
            return mailer.send(message)
        except TooLarge as exc:
            smaller = without_attachments(message)
            if smaller is None:
                raise TooLarge(f"{exc}; nothing is attached that could be left out") from exc
            refusal = str(exc)
        try:
            answer = mailer.send(smaller)
        except TooLarge as exc:
            raise TooLarge(f"{exc}, even without what was attached") from exc
        return f"{answer}; what was attached was left out: {refusal}"

    return carry


def without_attachments(message: EmailMessage) -> EmailMessage | None:
    """The mail without what is attached to it, which its text says; None where nothing is."""
    smaller = deepcopy(message)
    if not _strip(smaller):
        return None
    for part in smaller.walk():
        if part.get_content_type() == "text/plain":
            _rewrite(part, f"{part.get_content().rstrip()}\n\n{LEFT_OUT}\n")
        elif part.get_content_type() == "text/html":
            _rewrite(part, _with_paragraph(part.get_content()))
    return smaller


def _strip(part: Message) -> bool:
    """Take the attachments from a part; answers whether there were any."""
    if not part.is_multipart():
        return False
    parts = [each for each in part.get_payload() if isinstance(each, Message)]
    kept = [each for each in parts if each.get_content_disposition() != "attachment"]
    if not kept:  # there would be no mail left
        return False
    stripped = [_strip(each) for each in kept]
    part.set_payload([*kept])
    return len(kept) < len(parts) or any(stripped)


def _rewrite(part: MIMEPart, text: str) -> None:
    """Give a part another text, in the encoding that it has."""
    encoding = str(part.get("Content-Transfer-Encoding", "")).lower()
    part.set_content(text, subtype=part.get_content_subtype(), cte=encoding if encoding != "7bit" else None)
    del part["MIME-Version"]  # it is the whole mail's


def _with_paragraph(html: str) -> str:
    """The page with the words at its end."""
    end = html.lower().rfind("</body>")
    end = len(html) if end < 0 else end
    return f"{html[:end]}<p>{LEFT_OUT}</p>\n{html[end:]}"
