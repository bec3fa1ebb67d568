"""Delivers the outbox: the postmen, and the ways that what is in it may go.

Mails go to an SMTP server, a sendmail command or a Maildir; other channels are webhooks, a command, and checks that
watch jobs.
"""

from gavo_exec.services.postman.calls import NoAnswer, PingCarrier, WebhookCarrier, call
from gavo_exec.services.postman.faults import ServiceUnavailable, TooLarge
from gavo_exec.services.postman.heartbeat import Heartbeat
from gavo_exec.services.postman.local import CommandCarrier, MaildirMailer, SendmailMailer
from gavo_exec.services.postman.mailing import by_mail
from gavo_exec.services.postman.postman import Carry, Postman, Postmen, delay_after
from gavo_exec.services.postman.smtp import SMTPMailer

__all__ = [
    "Carry",
    "CommandCarrier",
    "Heartbeat",
    "MaildirMailer",
    "NoAnswer",
    "PingCarrier",
    "Postman",
    "Postmen",
    "SMTPMailer",
    "SendmailMailer",
    "ServiceUnavailable",
    "TooLarge",
    "WebhookCarrier",
    "by_mail",
    "call",
    "delay_after",
]
