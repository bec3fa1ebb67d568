"""The one table of all settings, from which their checks, flags, reference and schema derive."""

import posixpath
import shlex
import socket
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta

from gavo_exec.settings.paths import read_secret
from gavo_exec.settings.setting import Setting

SECRET_NAMES = ("*PASSWORD*", "*PASSWD*", "*SECRET*", "*TOKEN*", "*API_KEY*", "*APIKEY*")
SECRETS = frozenset({"smtp_password", "webhook_secret"})
"""The settings that are nobody's business."""
SMTP_PORTS = {"none": 25, "starttls": 587, "tls": 465}


def _says(description: str, *, metavar: str = "TEXT", default: str = "", kind: str = "", unit: str = "") -> Meta:
    """What to tell about a setting; ``kind`` is path, secret or url where it is more than its type."""
    extra = {"metavar": metavar, "default": default, "kind": kind, "unit": unit}
    return Meta(description=description, extra=extra)


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """All settings; paths are absolute, and what follows from other settings is filled in."""

    inputs_dir: Annotated[
        str, _says("The resource directory: all RDs are below it.", metavar="DIR", kind="path", default="none")
    ]
    state_dir: Annotated[
        str,
        _says(
            "Where runs, outgoing mail and the lock of the daemon are kept.",
            metavar="DIR",
            kind="path",
            default="`$STATE_DIRECTORY`, else `/var/lib/gavo-exec` for root and `~/.local/state/gavo-exec` for others",
        ),
    ]
    dachs_config: Annotated[
        str,
        _says(
            "The configuration of DaCHS (`gavo.rc`), for what is not set here and for what macros ask for; `none` is "
            "none.",
            metavar="FILE",
            kind="path",
            default="the `gavo.rc` that belongs to `inputs_dir`, if there is one",
        ),
    ] = ""
    preload_rds: Annotated[
        tuple[str, ...],
        _says(
            "The ids of the RDs to load; all others are left alone. As a variable or a flag, separated by commas.",
            metavar="RD",
            default="all RDs",
        ),
    ] = ()
    code_items: Annotated[
        Literal["refuse", "run"],
        _says(
            "Whether the Python code in `codeItems` of LOOPs may run while RDs are read, by whatever command; RDs "
            "whose executes need it are refused otherwise."
        ),
    ] = "refuse"
    trust: Annotated[
        Literal["strict", "warn", "off"],
        _says(
            "What becomes of RDs that others than root, the daemon's user and the file's owner could write, or put "
            "others in place of, and of symbolic links that lead out of the resource directory: they are refused "
            "(strict), warned of, or taken as they are.",
            default="strict for root, warn for others",
        ),
    ] = "warn"
    outside_resdir: Annotated[
        Literal["refuse", "allow"],
        _says(
            "Whether paths that job code gives to `rd.getAbsPath`, `rd.openRes` and `execDef.spawnPython` may lead out "
            "of its resource directory: by being absolute, or by `..`. Symbolic links are followed wherever they lead."
        ),
    ] = "refuse"
    user: Annotated[
        str,
        _says(
            "Whom the daemon and all jobs run as, where it is started by root: a name or a number. What it needs root "
            "for, as secrets in files, it reads before.",
            metavar="USER",
            default="the user who starts it",
        ),
    ] = ""
    defaults: Annotated[
        Mapping[str, str],
        _says(
            "Portable properties for all executes, as `run.timeout`; what an execute, or its resource, says itself "
            "goes before these. As a variable or a flag: `run.timeout=1h; when.zone=Europe/Berlin`.",
            metavar="NAME=VALUE",
            default="none",
        ),
    ] = msgspec.field(default_factory=dict)
    workers: Annotated[
        int, _says("How many jobs can run at the same time.", metavar="N", unit="jobs"), Meta(ge=1, le=1000)
    ] = 32
    stop_grace_seconds: Annotated[
        float,
        _says("How long running jobs may take to end when the daemon stops.", metavar="SECONDS", unit="seconds"),
        Meta(ge=0, le=86_400),
    ] = 30.0
    output_limit_bytes: Annotated[
        int,
        _says(
            "How much of a run's output is kept: its beginning and its end; the middle is left out.",
            metavar="BYTES",
            unit="bytes",
        ),
        Meta(ge=1024, le=1_073_741_824),
    ] = 1_048_576
    rescan_seconds: Annotated[
        float,
        _says(
            "How often the resource directory is looked through for changes that came without an event, as on NFS. "
            "Very large trees are looked through less often.",
            metavar="SECONDS",
            unit="seconds",
        ),
        Meta(ge=0.1, le=86_400),
    ] = 10.0
    history_days: Annotated[
        float,
        _says(
            "How long runs are kept that did not go wrong, and mails that were delivered. The last run of each job, "
            "and its last success, are kept in any case.",
            metavar="DAYS",
            unit="days",
        ),
        Meta(ge=0, le=36_500),
    ] = 90.0
    history_failed_days: Annotated[
        float,
        _says(
            "How long runs are kept that went wrong, mails that were given up, and who did what.",
            metavar="DAYS",
            unit="days",
        ),
        Meta(ge=0, le=36_500),
    ] = 365.0
    history_runs: Annotated[
        int,
        _says(
            "How many runs are kept, about; of more, the oldest go, those that went wrong last of all.",
            metavar="N",
            unit="runs",
        ),
        Meta(ge=1, le=1_000_000_000),
    ] = 1_000_000
    history_bytes: Annotated[
        int,
        _says(
            "How large the state file may become, about; where it is larger, the oldest runs go.",
            metavar="BYTES",
            unit="bytes",
        ),
        Meta(ge=1_048_576, le=1_099_511_627_776),
    ] = 1_073_741_824
    log_format: Annotated[
        Literal["plain", "json"], _says("How log lines are written: for people, or one JSON object a line.")
    ] = "plain"
    job_namespace: Annotated[
        Literal["auto", "own", "dachs"],
        _says(
            "Whose names job code finds in scope: those of DaCHS's procedures where DaCHS can be imported, and "
            "gavo-exec's own elsewhere (auto); always gavo-exec's own; or always those of DaCHS, without which runs "
            "fail. rd and execDef are gavo-exec's in any case."
        ),
    ] = "auto"
    mail_to: Annotated[
        tuple[str, ...],
        _says(
            "Who is told of failed runs and broken RDs. As a variable or a flag, separated by commas.",
            metavar="ADDRESS",
            default="the user who runs the daemon; has to be given with `smtp_host`",
        ),
    ] = ()
    mail_from: Annotated[
        str, _says("The sender of mails.", metavar="ADDRESS", default="the user who runs the daemon")
    ] = ""
    smtp_host: Annotated[
        str, _says("The mail server. Without it and `sendmail`, mails go to `maildir`.", metavar="HOST")
    ] = ""
    smtp_port: Annotated[
        int,
        _says("The mail server's port.", metavar="PORT", default="25, or 587 for `starttls`, or 465 for `tls`"),
        Meta(ge=1, le=65_535),
    ] = 0
    smtp_security: Annotated[
        Literal["none", "starttls", "tls"],
        _says(
            "How the connection to the mail server is protected.",
            default="none, or starttls where `smtp_user` is given",
        ),
    ] = "none"
    smtp_user: Annotated[str, _says("Whom to log in to the mail server as.", metavar="NAME")] = ""
    smtp_password: Annotated[
        str, _says("The password for that. Better kept in a file of its own: see `smtp_password_file`.", kind="secret")
    ] = ""
    smtp_password_file: Annotated[
        str, _says("The file with the password, on its first line.", metavar="FILE", kind="path")
    ] = ""
    sendmail: Annotated[
        str,
        _says(
            "A command that takes mails on its standard input, as `/usr/sbin/sendmail -t -i` does; it runs without a "
            "shell.",
            metavar="COMMAND",
        ),
    ] = ""
    smtp_timeout_seconds: Annotated[
        float,
        _says("How long the mail server may take to answer.", metavar="SECONDS", unit="seconds"),
        Meta(ge=1, le=3600),
    ] = 30.0
    mail_per_hour: Annotated[
        int,
        _says(
            "How many mails about what goes wrong are sent to the same people in an hour; what is beyond waits for the "
            "next hour, and is told in one mail then.",
            metavar="N",
            unit="mails",
        ),
        Meta(ge=1, le=1000),
    ] = 20
    secret_names: Annotated[
        tuple[str, ...],
        _says(
            "The names of variables of the environment, in which * stands for anything, whose values are not shown in "
            "mails and other messages; upper and lower case are the same. As a variable or a flag, separated by "
            "commas.",
            metavar="NAME",
            default=", ".join(f"`{name}`" for name in SECRET_NAMES),
        ),
    ] = SECRET_NAMES
    webhook_url: Annotated[
        str,
        _says(
            "An address that is told all that is mailed, as JSON by POST.",
            metavar="URL",
            kind="url",
        ),
    ] = ""
    webhook_secret: Annotated[
        str,
        _says(
            "The secret that these calls are signed with, after Standard Webhooks: `whsec_` and Base64, or any text. "
            "Better kept in a file of its own: see `webhook_secret_file`.",
            kind="secret",
        ),
    ] = ""
    webhook_secret_file: Annotated[
        str, _says("The file with that secret, on its first line.", metavar="FILE", kind="path")
    ] = ""
    notify_command: Annotated[
        str,
        _says(
            "A command that is told all that is mailed, as JSON on its standard input; it runs without a shell.",
            metavar="COMMAND",
        ),
    ] = ""
    heartbeat_url: Annotated[
        str,
        _says(
            "An address that is called every `heartbeat_seconds` while the daemon is well, in the way of Healthchecks. "
            "Who watches it learns when the daemon is not.",
            metavar="URL",
            kind="url",
        ),
    ] = ""
    heartbeat_seconds: Annotated[
        float,
        _says("How often that is.", metavar="SECONDS", unit="seconds"),
        Meta(ge=1, le=86_400),
    ] = 60.0
    dashboard_url: Annotated[
        str, _says("The address of the dashboard, for links in mails.", metavar="URL", kind="url")
    ] = ""
    web: Annotated[
        bool,
        _says(
            "Whether the daemon shows itself over HTTP: the dashboard, metrics, a calendar, and the control API. Needs "
            "what `gavo-exec[web]` installs.",
            default="false",
        ),
    ] = False
    web_host: Annotated[
        str,
        _says(
            "The address that this listens on. Anything but the loopback is for networks that are trusted, or goes "
            "through a proxy that speaks HTTPS.",
            metavar="ADDRESS",
        ),
    ] = "127.0.0.1"
    web_port: Annotated[
        int, _says("The port that it listens on.", metavar="PORT", default="8642"), Meta(ge=1, le=65_535)
    ] = 8642
    web_names: Annotated[
        tuple[str, ...],
        _says(
            "By which names it may be reached, beside `localhost`, `host`, `web_host` and that of `dashboard_url`; "
            "requests for others are refused. As a variable or a flag, separated by commas.",
            metavar="NAME",
            default="none",
        ),
    ] = ()
    web_reading: Annotated[
        Literal["anyone", "token"],
        _says(
            "Who may look: anyone who reaches it, or only who has a token (`gavo-exec token add`). Whoever wants to do "
            "something needs one in any case.",
            default="anyone on the loopback, token elsewhere",
        ),
    ] = "anyone"
    otlp_endpoint: Annotated[
        str,
        _says(
            "Where traces go, by OTLP over HTTP, as `http://localhost:4318/v1/traces`: one for each run. Needs what "
            "`gavo-exec[otel]` installs.",
            metavar="URL",
            kind="url",
        ),
    ] = ""
    maildir: Annotated[
        str,
        _says(
            "The Maildir that mails are put into where there is neither `smtp_host` nor `sendmail`.",
            metavar="DIR",
            kind="path",
            default="`Maildir` in `state_dir`",
        ),
    ] = ""
    host: Annotated[
        str, _says("What this machine is called in mails and records.", metavar="NAME", default="the host's name")
    ] = ""

    def __post_init__(self) -> None:
        """Fill in what follows from the rest."""
        host = self.host or socket.gethostname()
        derived = {
            "host": host,
            "smtp_port": self.smtp_port or SMTP_PORTS[self.smtp_security],
            "maildir": self.maildir or f"{self.state_dir}/Maildir",
            "preload_rds": tuple(_rd_id(name, self.inputs_dir) for name in self.preload_rds),
        }
        for name, value in derived.items():
            msgspec.structs.force_setattr(self, name, value)

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """Names and values, without secrets."""
        values = msgspec.structs.asdict(self)
        return [(name, "..." if value and name in SECRETS else value) for name, value in values.items()]

    def __repr__(self) -> str:
        return f"Settings({', '.join(f'{name}={value!r}' for name, value in self.__rich_repr__())})"

    @property
    def transport(self) -> Literal["smtp", "sendmail", "maildir"]:
        """How mails leave."""
        if self.smtp_host:
            return "smtp"
        return "sendmail" if self.sendmail else "maildir"

    @property
    def sendmail_argv(self) -> tuple[str, ...]:
        """The words of the sendmail command."""
        return tuple(shlex.split(self.sendmail))

    @property
    def state_file(self) -> str:
        """The file that runs and mails are kept in."""
        return f"{self.state_dir}/state.sqlite"

    @property
    def notify_argv(self) -> tuple[str, ...]:
        """The words of the command that is told what is mailed."""
        return tuple(shlex.split(self.notify_command))

    def read_smtp_password(self) -> str:
        """The password for the mail server, from its file where it is in one; '' where there is none.

        Raises SettingsError where the file cannot be read.
        """
        return read_secret(self.smtp_password, self.smtp_password_file, "password")

    def read_webhook_secret(self) -> str:
        """The same for the secret that webhooks are signed with."""
        return read_secret(self.webhook_secret, self.webhook_secret_file, "secret")

    def with_secrets_read(self) -> "Settings":
        """These settings with what is in secret files, which the daemon's user need not be able to read.

        Raises SettingsError where one cannot be read.
        """
        return msgspec.structs.replace(
            self,
            smtp_password=self.read_smtp_password(),
            smtp_password_file="",
            webhook_secret=self.read_webhook_secret(),
            webhook_secret_file="",
        )

    def without_secrets(self) -> "Settings":
        """These settings for those who need no secrets."""
        others = ("smtp_user", "smtp_password_file", "webhook_url", "webhook_secret_file", "heartbeat_url")
        return msgspec.structs.replace(self, **dict.fromkeys((*SECRETS, *others), ""))


def _rd_id(name: str, inputs_dir: str) -> str:
    """The RD id that is meant by a name of an RD: with or without ``.rd``, as a path, or with ``//``."""
    name = f"__system__/{name[2:]}" if name.startswith("//") else name
    return posixpath.normpath(name.removeprefix(f"{inputs_dir}/")).removesuffix(".rd")


_KINDS = {bool: "switch", int: "int", float: "float", str: "text", Mapping[str, str]: "table"}


def _settings() -> Iterator[Setting]:
    """The table, as the annotations of Settings have it."""
    defaults = {field.name: field.default for field in msgspec.structs.fields(Settings)}
    for name, annotation in get_type_hints(Settings, include_extras=True).items():
        plain, *metas = get_args(annotation)
        says = metas[0]
        limits = metas[1] if len(metas) > 1 else Meta()
        choices = get_args(plain) if get_origin(plain) is Literal else ()
        kind: Any = says.extra["kind"] or ("choice" if choices else _KINDS.get(plain, "list"))
        yield Setting(
            name=name,
            type=kind,
            description=says.description,
            default=says.extra["default"]
            or (f"{defaults[name]:,}" if kind in ("int", "float") else str(defaults[name])),
            metavar=says.extra["metavar"] if not choices else "|".join(choices),
            unit=says.extra["unit"],
            choices=choices,
            minimum=limits.ge,
            maximum=limits.le,
            annotation=annotation,
        )


SETTINGS: tuple[Setting, ...] = tuple(_settings())
"""All settings, in order."""
BY_NAME = {setting.name: setting for setting in SETTINGS}
