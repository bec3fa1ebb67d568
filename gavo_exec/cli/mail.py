"""``mail``: the outbox, with what was delivered from it."""

import email
import email.policy
from email.message import EmailMessage

import click
import msgspec

from gavo_exec.cli.exits import DONE
from gavo_exec.cli.keys import UnknownError
from gavo_exec.cli.options import examples, json_option, limit_option, settings_options
from gavo_exec.cli.output import clean_block, instant, show_fields, show_json, show_table
from gavo_exec.model import QueuedMail
from gavo_exec.settings import Settings


@click.group("mail", no_args_is_help=False, epilog=examples("gavo-exec mail list", "gavo-exec mail show 3"))
def mail_command() -> None:
    """Look at the mails about failed runs and broken RDs."""


@mail_command.command("list", epilog=examples("gavo-exec mail list", "gavo-exec mail list --json --limit 10"))
@limit_option
@settings_options("state_dir", required=())
@json_option
def list_mails(*, limit: int, settings: Settings, as_json: bool) -> int:
    """List the latest mails, newest first, with what became of them."""
    from gavo_exec.cli.state import opened_store
    from gavo_exec.cli.views import mail_state

    with opened_store(settings) as store:
        mails = store.mails(limit=limit)
    if as_json:
        show_json([_fields(mail) for mail in mails])
        return DONE
    show_table(
        ("id", "queued (UTC)", "state", "tries", "next try (UTC)", "subject", "error"),
        [
            (
                str(mail.mail_id),
                instant(mail.queued_at),
                mail_state(mail),
                str(mail.attempts),
                instant(mail.next_attempt_at),
                mail.subject,
                mail.error,
            )
            for mail in mails
        ],
    )
    return DONE


@mail_command.command("show", epilog=examples("gavo-exec mail show 3", "gavo-exec mail show 3 --json"))
@click.argument("mail_id", metavar="ID", type=click.IntRange(min=0, max=2**63 - 1))
@settings_options("state_dir", required=())
@json_option
def show_mail(*, mail_id: int, settings: Settings, as_json: bool) -> int:
    """Show one mail: what became of it, its headers and its text."""
    from gavo_exec.cli.state import opened_store
    from gavo_exec.cli.views import mail_state

    with opened_store(settings) as store:
        mail = store.mail(mail_id)
    if mail is None:
        raise UnknownError(f"there is no mail {mail_id} (gavo-exec mail list has them)")
    if as_json:
        show_json({**_fields(mail), "content": mail.content.decode("utf-8", "replace")})
        return DONE
    show_fields(
        [
            ("State", mail_state(mail)),
            ("Queued", f"{instant(mail.queued_at)} UTC"),
            ("Delivered", f"{instant(mail.delivered_at)} UTC" if mail.delivered_at else ""),
            ("Tries", str(mail.attempts)),
            ("Next try", f"{instant(mail.next_attempt_at)} UTC" if mail.next_attempt_at else ""),
            ("Error", mail.error),
        ]
    )
    print()
    headers, text = parts_of(mail.content)
    show_fields(headers)
    print()
    print(clean_block(text).rstrip())
    return DONE


def _fields(mail: QueuedMail) -> dict[str, object]:
    """The mail for JSON, without its content."""
    return {name: value for name, value in msgspec.structs.asdict(mail).items() if name != "content"}


def parts_of(content: bytes) -> tuple[list[tuple[str, str]], str]:
    """A message's headers as people read them, and its text."""
    message = email.message_from_bytes(content, _class=EmailMessage, policy=email.policy.default)
    body = message.get_body(("plain",))
    headers = [(name, str(message[name])) for name in ("From", "To", "Date", "Subject") if message[name]]
    return headers, str(body.get_content()) if body is not None else ""
