"""What is made by the settings."""

from datetime import timedelta
from pathlib import Path

import pytest

from gavo_exec.catalog import Catalog
from gavo_exec.errors import SettingsError
from gavo_exec.incidents import Incident, Kind, State
from gavo_exec.model import REMINDERS, Channel, Rejection
from gavo_exec.parts import is_there, mail_policy, make_carriers, make_heartbeat, make_mailer, make_masker
from gavo_exec.services.postman import CommandCarrier, MaildirMailer, PingCarrier, SendmailMailer, WebhookCarrier
from gavo_exec.settings import Settings
from gavo_exec.testing import EPOCH, FakeClock, ListMailer, ScriptedRunner, make_execute, make_rd

HOOK = "https://hooks.example.org/x"


def carriers(**given: object) -> dict[Channel, object]:
    settings = Settings(inputs_dir="/inputs", state_dir="/state", host="vo.example.org", **given)  # type: ignore[arg-type]
    return dict(make_carriers(settings, ScriptedRunner(), mailer=ListMailer(), clock=FakeClock()))


@pytest.mark.parametrize(
    ("given", "channels"),
    [
        ({}, {Channel.MAIL, Channel.PING}),
        ({"webhook_url": HOOK}, {Channel.MAIL, Channel.PING, Channel.WEBHOOK}),
        ({"notify_command": "/bin/notify -v"}, {Channel.MAIL, Channel.PING, Channel.COMMAND}),
        ({"webhook_url": HOOK, "notify_command": "/bin/notify"}, set(Channel)),
    ],
)
def test_there_is_a_carrier_for_each_channel_that_the_settings_have(
    given: dict[str, str], channels: set[Channel]
) -> None:
    made = carriers(**given)
    assert set(made) == channels
    kinds = {Channel.PING: PingCarrier, Channel.WEBHOOK: WebhookCarrier, Channel.COMMAND: CommandCarrier}
    assert all(isinstance(carrier, kinds[channel]) for channel, carrier in made.items() if channel in kinds)


def test_a_secret_for_webhooks_may_lie_in_a_file_and_has_to_be_one(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("whsec_ not one\n")
    with pytest.raises(SettingsError, match="webhook_secret begins with whsec_, and what follows is not Base64"):
        carriers(webhook_url=HOOK, webhook_secret_file=str(secret))


@pytest.mark.parametrize(
    ("given", "kind"), [({"sendmail": "/usr/sbin/sendmail -t"}, SendmailMailer), ({"maildir": "/mail"}, MaildirMailer)]
)
def test_mails_go_the_way_that_the_settings_have(given: dict[str, str], kind: type) -> None:
    settings = Settings(inputs_dir="/inputs", state_dir="/state", **given)  # type: ignore[arg-type]
    assert isinstance(make_mailer(settings, ScriptedRunner()), kind)


# What is still there


@pytest.mark.parametrize(
    ("kind", "about", "is_so"),
    [
        (Kind.JOB, "test/q#job", True),
        (Kind.JOB, "test/q#other", False),
        (Kind.JOB, "gone/q#job", False),
        (Kind.RD, "test/q", False),  # it is good
        (Kind.RD, "broken/q", True),
        (Kind.JOB, "broken/q#job", True),  # what it has is not known
    ],
)
def test_what_an_incident_is_about_is_there_or_not(kind: Kind, about: str, is_so: bool) -> None:
    rejection = Rejection(rd_id="broken/q", path="/inputs/broken/q.rd", digest="", rejected_at=EPOCH, diagnostics=())
    catalog = Catalog().accept(make_rd(make_execute())).reject(rejection)
    incident = Incident(kind=kind, about=about, state=State.FAILED, since=EPOCH, at=EPOCH)
    assert is_there(incident, catalog) is is_so
    assert is_there(incident, Catalog())  # before anything was read


def test_secrets_of_the_settings_and_of_the_environment_are_hidden(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("whsec_hidden\n")
    settings = Settings(
        inputs_dir="/i", state_dir="/s", smtp_password="geheim", webhook_secret_file=str(secret), secret_names=("DB_*",)
    )
    mask = make_masker(settings, {"DB_USER": "horst", "HOME": "/home/horsta", "TOKEN": "shown"})
    assert mask("geheim whsec_hidden horst shown") == "[secret] [secret] [secret] shown"


def test_whom_to_mail_and_how_often_stands_in_the_settings() -> None:
    settings = Settings(
        inputs_dir="/i",
        state_dir="/s",
        host="vo",
        mail_to=("a@x.org",),
        mail_per_hour=3,
        dashboard_url="https://x.org",
        defaults={"mail.remind": "2h"},
    )
    policy = mail_policy(settings)
    assert (policy.host, policy.recipients, policy.per_hour) == ("vo", ("a@x.org",), 3)
    assert (policy.dashboard_url, policy.reminders) == ("https://x.org", (timedelta(hours=2),))
    assert mail_policy(Settings(inputs_dir="/i", state_dir="/s")).reminders == REMINDERS


def test_the_heart_beats_where_somebody_listens() -> None:
    assert make_heartbeat(Settings(inputs_dir="/i", state_dir="/s"), is_well=lambda: True) is None
    settings = Settings(inputs_dir="/i", state_dir="/s", heartbeat_url="https://x.org")
    assert make_heartbeat(settings, is_well=lambda: True) is not None
