"""``mail``: the outbox, with what was delivered from it, and what would go into it."""

import email
import email.policy
from email.message import EmailMessage

import click
import msgspec

from gavo_exec.cli.exits import DONE
from gavo_exec.cli.keys import UnknownError, complete_key, normal_key
from gavo_exec.cli.options import DAEMON_ONLY, examples, json_option, limit_option, settings_options
from gavo_exec.cli.output import clean_block, instant, show_fields, show_json, show_table
from gavo_exec.model import Channel, QueuedMail
from gavo_exec.settings import Settings


@click.group("mail", no_args_is_help=False, epilog=examples("gavo-exec mail list", "gavo-exec mail test"))
def mail_command() -> None:
    """Look at the mails about what goes wrong, and see that they arrive.

    Webhooks, calls of the command that is told what is mailed, and pings that wait are among them.
    """


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
        ("id", "channel", "queued (UTC)", "state", "tries", "next try (UTC)", "subject", "error"),
        [
            (
                str(mail.mail_id),
                mail.channel.value,
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
    show_one(mail, mail_state(mail))
    return DONE


def show_one(mail: QueuedMail, state: str) -> None:
    """Print what became of a mail, and the mail."""
    show_fields(
        [
            ("Channel", mail.channel.value),
            ("State", state),
            ("Queued", f"{instant(mail.queued_at)} UTC"),
            ("Delivered", f"{instant(mail.delivered_at)} UTC" if mail.delivered_at else ""),
            ("Tries", str(mail.attempts)),
            ("Next try", f"{instant(mail.next_attempt_at)} UTC" if mail.next_attempt_at else ""),
            ("Error", mail.error),
        ]
    )
    print()
    if mail.channel is not Channel.MAIL:
        print(clean_block(mail.content.decode("utf-8", "replace")).rstrip())
        return
    show_message(mail.content)


def show_message(content: bytes) -> None:
    """Print a mail's headers and text."""
    headers, text = parts_of(content)
    show_fields(headers)
    print()
    print(clean_block(text).rstrip())


def _fields(mail: QueuedMail) -> dict[str, object]:
    """The mail for JSON, without its content."""
    return {name: value for name, value in msgspec.structs.asdict(mail).items() if name != "content"}


@mail_command.command("test", epilog=examples("gavo-exec mail test", "gavo-exec mail test --to jo@example.org"))
@click.option("--to", metavar="ADDRESS", multiple=True, help="To this address, in place of those in mail_to.")
@settings_options(without=DAEMON_ONLY, required=("state_dir",))
def send_test(*, to: tuple[str, ...], settings: Settings) -> int:
    """Send a mail now, and say what became of it.

    Webhooks and the command that is told what is mailed are tried, too, and so is the heartbeat's address.
    """
    from gavo_exec.cli.mail_trial import try_channels

    return try_channels(settings, to)


@mail_command.command("flush", epilog=examples("gavo-exec mail flush", "gavo-exec mail flush 3 4"))
@click.argument("mail_ids", metavar="[ID]...", nargs=-1, type=click.IntRange(min=0, max=2**63 - 1))
@settings_options(without=DAEMON_ONLY, required=("state_dir",))
def flush_mails(*, mail_ids: tuple[int, ...], settings: Settings) -> int:
    """Try now to deliver all that waits, or these, which may have been given up.

    Where a daemon runs, it is the one to try.  The exit code is 0 where all were delivered.
    """
    from gavo_exec.cli.mail_trial import deliver_now

    return deliver_now(settings, mail_ids)


@mail_command.command("preview", epilog=examples("gavo-exec mail preview weather/q#fetch"))
@click.argument("key", metavar="KEY", shell_complete=complete_key)
@click.option("--html", "as_html", is_flag=True, help="Print the HTML of the mail.")
@settings_options(without=DAEMON_ONLY)
def preview_mail(*, key: str, as_html: bool, settings: Settings) -> int:
    """Show the mail that would be sent if this job failed now.

    It tells of the job's last run that went wrong, or of an invented one where there was none.
    """
    from gavo_exec.cli.mail_trial import preview

    message = preview(settings, normal_key(key))
    if as_html:
        body = message.get_body(("html",))
        print(str(body.get_content()) if body is not None else "")
    else:
        show_message(message.as_bytes())
    return DONE


def parts_of(content: bytes) -> tuple[list[tuple[str, str]], str]:
    """A message's headers as people read them, and its text."""
    message = email.message_from_bytes(content, _class=EmailMessage, policy=email.policy.default)
    body = message.get_body(("plain",))
    headers = [(name, str(message[name])) for name in ("From", "To", "Date", "Subject") if message[name]]
    return headers, str(body.get_content()) if body is not None else ""
