"""``token``: who may ask the daemon over the network."""

from datetime import datetime

import click
from msgspec.structs import asdict

from gavo_exec.cli.exits import DONE
from gavo_exec.cli.options import examples, json_option, moment, settings_options
from gavo_exec.cli.output import instant, show_json, show_table
from gavo_exec.settings import Settings


@click.group("token", epilog=examples("gavo-exec token add jo --scope operate", "gavo-exec token list"))
def token_command() -> None:
    """Say who may ask the daemon over the network, and for what.

    A token goes into the dashboard's login, or as "Authorization: Bearer ..." into requests.  With scope read one can
    look, with operate also trigger, cancel, pause, resume and reload, with admin also stop the daemon.
    """


@token_command.command("add", epilog=examples("gavo-exec token add jo --scope operate"))
@click.argument("name")
@click.option(
    "--scope",
    type=click.Choice(["read", "operate", "admin"]),
    default="read",
    show_default=True,
    help="What it allows.",
)
@click.option(
    "--expires", metavar="INSTANT", callback=moment, help="Until when: ISO 8601, in UTC where it has no zone."
)
@settings_options("state_dir", required=("state_dir",))
def add_command(*, name: str, scope: str, expires: datetime | None, settings: Settings) -> int:
    """Make a token for NAME and print its secret, which is kept nowhere: it cannot be shown again."""
    from gavo_exec.access import Scope
    from gavo_exec.parts import make_state_dir
    from gavo_exec.runtime.clock import SystemClock
    from gavo_exec.services.tokens import TokenFile

    now = SystemClock().now()
    if expires is not None and expires <= now:
        raise click.BadParameter("that has passed", param_hint="--expires")
    make_state_dir(settings.state_dir)
    print(TokenFile(settings.state_dir).add(name, Scope(scope), now=now, expires_at=expires))
    return DONE


@token_command.command("list", epilog=examples("gavo-exec token list"))
@settings_options("state_dir", required=("state_dir",))
@json_option
def list_command(*, settings: Settings, as_json: bool) -> int:
    """Show all tokens, without their secrets."""
    from gavo_exec.services.tokens import TokenFile

    tokens = TokenFile(settings.state_dir).all()
    if as_json:
        show_json([{name: value for name, value in asdict(token).items() if name != "digest"} for token in tokens])
        return DONE
    show_table(
        ("name", "scope", "created (UTC)", "expires (UTC)"),
        [(each.name, each.scope.value, instant(each.created_at), instant(each.expires_at)) for each in tokens],
    )
    return DONE


@token_command.command("remove", epilog=examples("gavo-exec token remove jo"))
@click.argument("name")
@settings_options("state_dir", required=("state_dir",))
def remove_command(*, name: str, settings: Settings) -> int:
    """Take the token of NAME away; it holds no more at once, and neither do logins with it."""
    from gavo_exec.services.tokens import TokenFile

    TokenFile(settings.state_dir).remove(name)
    print(f"removed the token {name}")
    return DONE
