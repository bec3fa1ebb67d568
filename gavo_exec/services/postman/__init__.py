"""Delivers the outbox: the postmen, and the ways that what is in it may go.

Mails go to an SMTP server, a sendmail command or a Maildir; other channels are webhooks, a command, and checks that
watch jobs.
"""

from gavo_exec.services.postman.calls import PingCarrier, WebhookCarrier
from gavo_exec.services.postman.heartbeat import Heartbeat
from gavo_exec.services.postman.local import CommandCarrier, MaildirMailer, SendmailMailer
from gavo_exec.services.postman.mails import TooLarge, by_mail
from gavo_exec.services.postman.postman import Carry, Postman, Postmen, ServiceUnavailable, delay_after
from gavo_exec.services.postman.smtp import SMTPMailer

__all__ = [
    "Carry",
    "CommandCarrier",
    "Heartbeat",
    "MaildirMailer",
    "PingCarrier",
    "Postman",
    "Postmen",
    "SMTPMailer",
    "SendmailMailer",
    "ServiceUnavailable",
    "TooLarge",
    "WebhookCarrier",
    "by_mail",
    "delay_after",
]
