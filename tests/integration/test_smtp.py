"""Mail to real SMTP servers on loopback sockets: what is taken, and what is said where it is not."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from pathlib import Path
from typing import Any

import pytest

from gavo_exec.errors import DeliveryError
from gavo_exec.services.postman import Postman, ServiceUnavailable, SMTPMailer, TooLarge, by_mail
from gavo_exec.services.store import SQLiteStore
from gavo_exec.testing import FakeClock
from tests.integration.servers import (
    Answer,
    DroppingSMTP,
    ScriptedServer,
    certificate_in,
    context_with,
    conversing,
    dripping,
    noting,
    saying,
    serving,
    silent,
    unused_port,
)

NOW = datetime(2024, 5, 1, 3, 0, 0, tzinfo=UTC)
SHORT = timedelta(seconds=0.1)
SERVER = "the mail server 127.0.0.1:PORT"


def a_mail(subject: str = "hello", *, to: str = "jo@example.org") -> EmailMessage:
    message = EmailMessage(policy=SMTP_POLICY)
    message["From"] = "gavo@example.org"
    message["To"] = to
    message["Subject"] = subject
    message["Message-ID"] = f"<{subject.replace(' ', '-')}@example.org>"
    message.set_content("From here:\n.\n..two dots\nGrüße\n")
    return message


@pytest.fixture(autouse=True)
def _no_thread_outlives_a_test() -> Iterator[None]:
    yield
    assert not [thread for thread in threading.enumerate() if thread.name == "postman-limit"]


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    return certificate_in(tmp_path)


@pytest.fixture
def server_context(certificate: Path) -> ssl.SSLContext:
    return context_with(certificate)


def fault_of(port: int, message: EmailMessage | None = None, **settings: Any) -> DeliveryError:
    """What sending a mail comes to, the port left out of the text."""
    with pytest.raises(DeliveryError) as caught:
        SMTPMailer("127.0.0.1", port=port, **settings).send(message or a_mail())
    caught.value.args = (str(caught.value).replace(f":{port}", ":PORT"),)
    assert str(caught.value).isprintable()
    return caught.value


# What is taken


def test_a_mail_reaches_the_server_as_it_is() -> None:
    server = ScriptedServer({"DATA": "250 2.0.0 Ok: queued as 4F2A"})
    with serving(server) as port:
        said = SMTPMailer("127.0.0.1", port=port).send(a_mail(to="Jo <jo@example.org>, ops@example.org"))
    [envelope] = server.taken
    assert (envelope.mail_from, envelope.rcpt_tos) == ("gavo@example.org", ["jo@example.org", "ops@example.org"])
    assert isinstance(envelope.content, bytes)
    assert b"\r\nSubject: hello\r\n" in envelope.content
    assert b"\r\n.\r\n..two dots\r\n" in envelope.content
    assert "Grüße".encode() in envelope.content
    assert server.quits == 1
    assert said == (
        f"127.0.0.1:{port} took it for jo@example.org, ops@example.org: 250 2.0.0 Ok: queued as 4F2A (not encrypted)"
    )


def test_a_server_is_told_the_size_and_the_kind_of_the_mail_beforehand() -> None:
    heard: list[bytes] = []
    with conversing(noting(heard, b"hi", b"8BITMIME", b"SIZE 1000")) as port:
        SMTPMailer("127.0.0.1", port=port).send(a_mail())
    begin, end = heard.index(b"DATA\r\n"), heard.index(b".\r\n")
    size = sum(len(line.removeprefix(b".")) for line in heard[begin + 1 : end])
    assert heard[1] == b"mail FROM:<gavo@example.org> BODY=8BITMIME SIZE=%d\r\n" % size


def test_a_mail_of_many_pieces_arrives_whole() -> None:
    message = a_mail()
    message.set_content("".join(f".{number}\n" for number in range(300_000)))
    server = ScriptedServer()
    with serving(server) as port:
        SMTPMailer("127.0.0.1", port=port).send(message)
    [envelope] = server.taken
    assert envelope.content == message.as_bytes()


def test_a_server_of_the_old_kind_gets_seven_bits() -> None:
    heard: list[bytes] = []
    with conversing(noting(heard)) as port:
        SMTPMailer("127.0.0.1", port=port).send(a_mail())
    said = b"".join(heard)
    assert said.isascii()
    assert b"mail FROM:<gavo@example.org>\r\n" in said
    assert b"Gr=C3=BC=C3=9Fe" in said or b"base64" in said


def test_no_line_of_a_mail_can_end_it_and_speak_to_the_server() -> None:
    message = a_mail()
    message.set_payload("one\n.\r.\r\nMAIL FROM:<evil@example.org>\n.\ntwo")
    server = ScriptedServer()
    with serving(server) as port:
        SMTPMailer("127.0.0.1", port=port).send(message)
    [envelope] = server.taken
    assert isinstance(envelope.content, bytes)
    assert envelope.content.endswith(b"one\r\n.\r\n.\r\nMAIL FROM:<evil@example.org>\r\n.\r\ntwo\r\n")


def test_blind_copies_stay_blind() -> None:
    message = a_mail()
    message["Bcc"] = "boss@example.org"
    server = ScriptedServer()
    with serving(server) as port:
        SMTPMailer("127.0.0.1", port=port).send(message)
    [envelope] = server.taken
    assert envelope.rcpt_tos == ["jo@example.org", "boss@example.org"]
    assert isinstance(envelope.content, bytes)
    assert b"boss" not in envelope.content
    assert message["Bcc"] == "boss@example.org"


def test_what_the_server_says_to_good_bye_does_not_count() -> None:
    server = ScriptedServer({"QUIT": "451 stay a while"})
    with serving(server) as port:
        SMTPMailer("127.0.0.1", port=port).send(a_mail())
    assert len(server.taken) == 1


# What is refused


LOG_IN_FIRST = f"{SERVER} takes mails from those only who log in: 530 log in first; give smtp_user"
RELAY_HINT = "it passes mails on for those who log in only: give smtp_user, or name your site's own server"


@pytest.mark.parametrize(
    ("answers", "kind", "permanent", "text"),
    [
        ({"MAIL": "451 greylisted"}, DeliveryError, False, "does not take the mail for now: 451 greylisted"),
        ({"MAIL": "552 too large"}, TooLarge, True, "refuses the mail: 552 too large"),
        ({"MAIL": "552 5.3.4 too large"}, TooLarge, True, "refuses the mail: 552 5.3.4 too large"),
        (
            {"MAIL": "550 5.7.1 not you"},
            ServiceUnavailable,  # of which all mails suffer, until it is mended
            False,
            "refuses the sender gavo@example.org: 550 5.7.1 not you; give an address that it takes as mail_from",
        ),
        ({"MAIL": "530 log in first"}, ServiceUnavailable, False, LOG_IN_FIRST.removeprefix(f"{SERVER} ")),
        ({"RCPT": "450 later"}, DeliveryError, False, "refuses jo@example.org: 450 later"),
        (
            {"RCPT": "550 nobody"},
            DeliveryError,
            True,
            "refuses jo@example.org: 550 nobody (is the address in mail_to right?)",
        ),
        (
            {"RCPT": "550 5.1.1 nobody"},
            DeliveryError,
            True,
            "refuses jo@example.org: 550 5.1.1 nobody (is the address in mail_to right?)",
        ),
        ({"RCPT": "554 5.7.1 blocked"}, DeliveryError, True, "refuses jo@example.org: 554 5.7.1 blocked"),
        (
            {"RCPT": "554 5.7.1 Relay access denied"},
            DeliveryError,
            True,
            f"refuses jo@example.org: 554 5.7.1 Relay access denied ({RELAY_HINT})",
        ),
        ({"RCPT": "552 5.2.2 mailbox full"}, DeliveryError, True, "refuses jo@example.org: 552 5.2.2 mailbox full"),
        ({"RCPT": "552 5.2.3 too large"}, TooLarge, True, "refuses jo@example.org: 552 5.2.3 too large"),
        ({"RCPT": "530 log in first"}, ServiceUnavailable, False, LOG_IN_FIRST.removeprefix(f"{SERVER} ")),
        ({"RCPT": "421 going down"}, ServiceUnavailable, False, "takes no mails at present: 421 going down"),
        ({"DATA": "451 disk full"}, DeliveryError, False, "does not take the mail for now: 451 disk full"),
        ({"DATA": "554 spam"}, DeliveryError, True, "refuses the mail: 554 spam"),
        ({"DATA": "523 too large"}, TooLarge, True, "refuses the mail: 523 too large"),
        ({"DATA": "554 5.2.3 too large"}, TooLarge, True, "refuses the mail: 554 5.2.3 too large"),
        ({"DATA": "421 going down"}, ServiceUnavailable, False, "takes no mails at present: 421 going down"),
        (
            {"DATA": "999 what"},
            ServiceUnavailable,
            False,
            "does not answer as mail servers do; look at smtp_host and smtp_port",
        ),
    ],
)
def test_answers_tell_whether_to_try_again(
    answers: dict[str, Answer], kind: type[DeliveryError], permanent: bool, text: str
) -> None:
    server = ScriptedServer(answers)
    with serving(server) as port:
        fault = fault_of(port)
    assert (type(fault), fault.permanent, str(fault)) == (kind, permanent, f"{SERVER} {text}")
    assert server.quits == 1
    assert server.taken == []


def test_a_mail_beyond_the_size_that_the_server_gave_is_not_even_begun() -> None:
    server = ScriptedServer()
    message = a_mail()
    message.set_content("x" * 70 + "\n" + "y\n" * 5000)
    with serving(server, at_most=10_000) as port:
        fault = fault_of(port, message)
        assert SMTPMailer("127.0.0.1", port=port).send(a_mail())
    size = len(message.as_bytes())
    assert isinstance(fault, TooLarge)
    assert str(fault) == f"{SERVER} takes mails of at most 10,000 bytes, and this one has {size:,}"
    assert len(server.options) == 1


@pytest.mark.parametrize("at_most", [b"", b"0", b"all", b"9" * 5000, "²".encode("latin-1")])
def test_an_odd_size_limit_is_none(at_most: bytes) -> None:
    with conversing(
        saying(b"220 hi\r\n", b"250-hi\r\n250 SIZE " + at_most + b"\r\n", b"451 later\r\n", b"221\r\n")
    ) as port:
        fault = fault_of(port)
    assert str(fault) == f"{SERVER} does not take the mail for now: 451 later"


def test_a_server_that_takes_ascii_only_does_not_get_other_addresses() -> None:
    message = a_mail()
    message.replace_header("To", "jö@example.org")
    server = ScriptedServer()
    with serving(server) as port:
        fault = fault_of(port, message)
    assert fault.permanent
    assert str(fault) == f"{SERVER} takes addresses in ASCII only, and this mail has others"


def test_recipients_refused_for_now_are_tried_again_and_nobody_gets_it_twice() -> None:
    server = ScriptedServer({"RCPT": {"b@x.org": "450 later", "c@x.org": "550 5.1.0 nobody"}})
    message = a_mail(to="a@x.org, b@x.org, c@x.org")
    with serving(server) as port:
        mailer = SMTPMailer("127.0.0.1", port=port)
        with pytest.raises(DeliveryError) as caught:
            mailer.send(message)
        assert not caught.value.permanent
        assert str(caught.value) == (
            f"the mail server 127.0.0.1:{port} refuses b@x.org: 450 later; c@x.org: 550 5.1.0 nobody "
            "(delivered to a@x.org)"
        )
        server.answers.clear()
        assert " took it for b@x.org: " in mailer.send(message)
        mailer.send(a_mail("another", to="a@x.org, c@x.org"))
    assert [envelope.rcpt_tos for envelope in server.taken] == [["a@x.org"], ["b@x.org"], ["a@x.org", "c@x.org"]]


def test_recipients_refused_for_good_are_named_with_those_who_got_it() -> None:
    server = ScriptedServer({"RCPT": {"b@x.org": "554 no"}})
    with serving(server) as port:
        fault = fault_of(port, a_mail(to="a@x.org, b@x.org"))
    assert fault.permanent
    assert str(fault) == f"{SERVER} refuses b@x.org: 554 no (delivered to a@x.org)"


def test_a_mail_for_nobody_is_not_tried_again() -> None:
    message = a_mail()
    del message["To"]
    with serving(ScriptedServer()) as port:
        fault = fault_of(port, message)
    assert (fault.permanent, str(fault)) == (True, "the mail has no recipient")


# Where there is no server to speak to


@pytest.mark.parametrize("host", ["mail.invalid", "a..b", "x" * 70])
def test_a_host_that_nobody_knows_is_tried_again(host: str) -> None:
    with pytest.raises(ServiceUnavailable) as caught:
        SMTPMailer(host).send(a_mail())
    assert str(caught.value) == (
        f"the mail server {host}:25 cannot be reached: there is no host of that name; look at smtp_host, and whether "
        "names can be looked up"
    )


def test_a_server_that_is_not_there_is_tried_again() -> None:
    fault = fault_of(unused_port())
    assert isinstance(fault, ServiceUnavailable)
    assert str(fault) == f"{SERVER} cannot be reached: connection refused; look whether it runs, and at smtp_port"


NOT_SMTP = "does not answer as mail servers do; look at smtp_host and smtp_port"


@pytest.mark.parametrize(
    ("talk", "text"),
    [
        (silent, f"{SERVER} did not answer within 0.1 s"),
        (saying(b"SSH-2.0-OpenSSH_9.6\r\n"), f"{SERVER} {NOT_SMTP}"),
        (saying(b"HTTP/1.1 400 Bad Request\r\n\r\n"), f"{SERVER} {NOT_SMTP}"),
        (saying(b"554 not from \x1b[31myou\r\n"), f"{SERVER} takes no mails from here: 554 not from \\x1b[31myou"),
        (saying(b"220 hi\r\n", b"554 no\r\n", b"554 no\r\n"), f"{SERVER} takes no mails from here: 554 no"),
        (saying(b""), f"the connection to {SERVER} broke: Connection unexpectedly closed"),
        (saying(b"220 hi\r\n", b"250 hi\r\n"), f"the connection to {SERVER} broke: Connection unexpectedly closed"),
        (saying(b"220 " + b"x" * 9000 + b"\r\n"), f"the connection to {SERVER} broke: (500, 'Line too long.')"),
    ],
)
def test_a_server_that_speaks_otherwise_is_tried_again(
    talk: Callable[[socket.socket, threading.Event], object], text: str
) -> None:
    with conversing(talk) as port:
        fault = fault_of(port, timeout=SHORT)
    assert (type(fault), str(fault)) == (ServiceUnavailable, text)


@pytest.mark.parametrize(
    "said", [b"", b"220 hi\r\n250-", b"220 hi\r\n250 hi\r\n250 from\r\n250 to\r\n354 go on\r\n250-"]
)
def test_a_server_that_drips_is_not_listened_to_for_ever(said: bytes) -> None:
    with conversing(dripping(said)) as port:
        fault = fault_of(port, timeout=timedelta(seconds=5), longest=SHORT)
    assert (type(fault), str(fault)) == (ServiceUnavailable, f"{SERVER} was too slow: no end within 0.1 s")


@pytest.mark.parametrize("said", [b"", b"\x16\x03\x03\x40\x00"])
def test_a_server_that_drips_its_side_of_tls_is_not_either(said: bytes) -> None:
    with conversing(dripping(said)) as port:
        fault = fault_of(port, security="tls", timeout=timedelta(seconds=5), longest=SHORT)
    assert isinstance(fault, ServiceUnavailable)


def test_a_mail_may_take_ten_times_as_long_as_an_answer() -> None:
    with conversing(dripping(b"")) as port:
        fault = fault_of(port, timeout=timedelta(seconds=0.03))
    assert str(fault) == f"{SERVER} was too slow: no end within 0.3 s"


def test_a_server_that_hangs_up_in_mid_data_is_tried_again() -> None:
    server = ScriptedServer()
    message = a_mail()
    message.set_content("x\n" * 3_000_000)
    with serving(server, protocol=DroppingSMTP) as port:
        small, large = fault_of(port), fault_of(port, message)
    for fault in (small, large):
        assert isinstance(fault, ServiceUnavailable)
        assert not fault.permanent
        assert str(fault).startswith(f"the connection to {SERVER} broke: ")
    assert server.taken == []


def test_a_server_that_hangs_up_in_place_of_an_answer_is_tried_again() -> None:
    with serving(ScriptedServer({"DATA": "drop"})) as port:
        fault = fault_of(port)
    assert isinstance(fault, ServiceUnavailable)
    assert str(fault) == f"the connection to {SERVER} broke: Connection unexpectedly closed"


# Logins and TLS


def test_a_login_opens_the_server() -> None:
    server = ScriptedServer()
    with serving(server, login=True) as port:
        said = SMTPMailer("127.0.0.1", port=port, user="gavo", password="secret").send(a_mail())
    assert said.endswith("(not encrypted, logged in as gavo)")
    assert len(server.taken) == 1
    assert server.logins == [True]


def test_a_refused_login_is_tried_again_since_settings_can_be_mended() -> None:
    with serving(ScriptedServer(), login=True) as port:
        fault = fault_of(port, user="gavo", password="wrong")
    assert isinstance(fault, ServiceUnavailable)
    assert str(fault) == (
        f"{SERVER} does not accept user 'gavo' and the password: "
        "535 5.7.8 Authentication credentials invalid; mend smtp_user or smtp_password"
    )
    assert "wrong" not in str(fault)


OFFERS = b"250-hi\r\n250 AUTH "


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (
            (b"250 hi\r\n", b"221 bye\r\n"),
            "does not offer a login; leave out smtp_user, or look at smtp_port and smtp_security",
        ),
        (
            (OFFERS + b"GSSAPI\r\n", b"221 bye\r\n"),
            "offers no way to log in that is known here (CRAM-MD5, PLAIN or LOGIN)",
        ),
        (
            (OFFERS + b"PLAIN\r\n", b"454 4.7.0 the directory is down\r\n", b"221 bye\r\n"),
            "takes no mails from here: 454 4.7.0 the directory is down",
        ),
    ],
)
def test_a_login_that_cannot_be_tried_says_why(words: tuple[bytes, ...], text: str) -> None:
    with conversing(saying(b"220 hi\r\n", *words)) as port:
        fault = fault_of(port, user="gavo", password="secret")
    assert (type(fault), str(fault)) == (ServiceUnavailable, f"{SERVER} {text}")


def test_a_password_that_cannot_be_sent_is_not_shown_either() -> None:
    with conversing(saying(b"220 hi\r\n", OFFERS + b"PLAIN\r\n", b"221 bye\r\n")) as port:
        fault = fault_of(port, user="gavo", password="geheimnisträger")
    assert str(fault) == f"{SERVER} cannot be logged in to: smtp_user and smtp_password may have ASCII characters only"
    assert fault.__cause__ is None
    assert fault.__suppress_context__


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_certificate_that_nobody_trusts_is_refused(security: str, server_context: ssl.SSLContext) -> None:
    server = ScriptedServer()
    with serving(server, security=security, context=server_context) as port:
        fault = fault_of(port, security=security, user="gavo", password="secret")
    assert isinstance(fault, ServiceUnavailable)
    assert str(fault) == (
        f"{SERVER} has a certificate that is not trusted: self-signed certificate; give the name that it is made out "
        "to as smtp_host, or let this machine trust who signed it"
    )
    assert (server.taken, server.logins) == ([], [])


def test_a_certificate_for_another_name_is_refused(certificate: Path, server_context: ssl.SSLContext) -> None:
    trusting = ssl.create_default_context(cafile=str(certificate))
    with (
        serving(ScriptedServer(), security="tls", context=server_context, host="127.0.0.2") as port,
        pytest.raises(ServiceUnavailable) as caught,
    ):
        SMTPMailer("127.0.0.2", port=port, security="tls", context=trusting).send(a_mail())
    assert "certificate is not valid for '127.0.0.2'; give the name that it is made out to" in str(caught.value)


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_certificate_that_is_trusted_opens_the_way(
    security: Any, certificate: Path, server_context: ssl.SSLContext
) -> None:
    server = ScriptedServer()
    context = ssl.create_default_context(cafile=str(certificate))
    with serving(server, security=security, context=server_context, login=True) as port:
        mailer = SMTPMailer("localhost", port=port, security=security, context=context, user="gavo", password="secret")
        said = mailer.send(a_mail())
    assert said == f"localhost:{port} took it for jo@example.org: 250 OK (encrypted by TLSv1.3, logged in as gavo)"
    assert len(server.taken) == 1


def test_no_mail_and_no_password_goes_in_the_clear_where_the_server_has_no_starttls() -> None:
    server = ScriptedServer()
    with serving(server, login=True) as port:
        fault = fault_of(port, security="starttls", user="gavo", password="secret")
    assert isinstance(fault, ServiceUnavailable)
    assert str(fault) == (
        f"{SERVER} does not offer STARTTLS, and nothing is sent in the clear; look at smtp_port (587 is usual), or "
        "choose another smtp_security"
    )
    assert (server.taken, server.logins) == ([], [])


def test_starttls_that_is_offered_and_refused_sends_nothing() -> None:
    words = (b"220 hi\r\n", b"250-hi\r\n250 STARTTLS\r\n", b"454 4.7.0 not now\r\n", b"221 bye\r\n")
    with conversing(saying(*words)) as port:
        fault = fault_of(port, security="starttls")
    assert (type(fault), str(fault)) == (ServiceUnavailable, f"{SERVER} takes no mails from here: 454 4.7.0 not now")


def test_what_was_said_before_tls_is_not_believed(certificate: Path, server_context: ssl.SSLContext) -> None:
    """What somebody in between slips in after STARTTLS is not taken for an answer of the server."""
    heard: list[bytes] = []

    def talk(connection: socket.socket, leaving: threading.Event) -> None:
        connection.sendall(b"220 hi\r\n")
        connection.recv(1000)
        connection.sendall(b"250-hi\r\n250-AUTH PLAIN\r\n250 STARTTLS\r\n")
        connection.recv(1000)
        connection.sendall(b"220 go on\r\n250-evil\r\n250 AUTH LOGIN\r\n")
        with server_context.wrap_socket(connection, server_side=True) as safe:
            heard.append(safe.recv(1000))
            safe.sendall(b"250 hi\r\n")
            heard.append(safe.recv(1000))

    context = ssl.create_default_context(cafile=str(certificate))
    with conversing(talk) as port:
        mailer = SMTPMailer(
            "localhost", port=port, security="starttls", context=context, user="gavo", password="secret"
        )
        with pytest.raises(ServiceUnavailable) as caught:
            mailer.send(a_mail())
    assert "secret" not in str(caught.value)
    assert not [line for line in heard if b"AUTH" in line]


def test_a_server_that_does_not_speak_tls_at_once_is_named_with_the_remedy() -> None:
    with serving(ScriptedServer()) as port:
        fault = fault_of(port, security="tls", timeout=SHORT)
    assert isinstance(fault, ServiceUnavailable)
    assert str(fault) == (
        f"{SERVER} does not speak TLS with us: WRONG_VERSION_NUMBER; smtp_security = starttls may be right"
    )


# Through the postman


@pytest.fixture
def store() -> Iterator[SQLiteStore]:
    store = SQLiteStore(":memory:", holder="here 1 1", is_alive=lambda _: False)
    yield store
    store.close()


def test_an_outage_of_the_server_loses_no_mail(store: SQLiteStore) -> None:
    server = ScriptedServer({"DATA": "drop"})
    clock = FakeClock(NOW)
    for number in range(5):
        store.put_mail(a_mail(f"m{number}"), now=NOW)
    store.flush()
    with serving(server) as port:
        postman = Postman(store, carry=by_mail(SMTPMailer("127.0.0.1", port=port)), clock=clock)
        assert postman.deliver_due() == 0
        assert server.connections == 1
        server.answers["DATA"] = "451 later"
        clock.move(3600)
        assert postman.deliver_due() == 0
        server.answers.clear()
        clock.move(3600)
        assert postman.deliver_due() == 5
        assert postman.deliver_due() == 0
    assert len(server.taken) == 5


def with_output(size: int) -> EmailMessage:
    message = a_mail()
    message.add_attachment(b"\0" * size, maintype="application", subtype="gzip", filename="output.gz")
    return message


@pytest.mark.parametrize("limits", [{"at_most": 20_000}, {"answers": {"DATA": "552 5.3.4 too large"}}])
def test_a_mail_that_is_too_large_arrives_without_its_attachment(store: SQLiteStore, limits: dict[str, Any]) -> None:
    answers = limits.pop("answers", {})

    class Choosy(ScriptedServer):
        async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
            if len(envelope.content) > 20_000:
                return str(answers["DATA"])
            return await super().handle_DATA(server, session, envelope)

    server = Choosy()
    store.put_mail(with_output(30_000), now=NOW)
    store.flush()
    with serving(server, **limits) as port:
        assert (
            Postman(store, carry=by_mail(SMTPMailer("127.0.0.1", port=port)), clock=FakeClock(NOW)).deliver_due() == 1
        )
    [envelope] = server.taken
    assert isinstance(envelope.content, bytes)
    assert b"\r\nMessage-ID: <hello@example.org>\r\n" in envelope.content
    assert b"The output is not attached, since the mail server refuses mails of that size." in envelope.content
    assert b"application/gzip" not in envelope.content


def test_recipients_who_want_smaller_mails_get_them_and_nobody_gets_two(store: SQLiteStore) -> None:
    server = ScriptedServer({"RCPT": {"b@x.org": "552 5.2.3 too large for this mailbox"}})
    message = with_output(10)
    message.replace_header("To", "a@x.org, b@x.org")

    class Relenting(SMTPMailer):
        def send(self, message: EmailMessage) -> str:
            try:
                return super().send(message)
            finally:
                server.answers.clear()

    store.put_mail(message, now=NOW)
    store.flush()
    with serving(server) as port:
        assert Postman(store, carry=by_mail(Relenting("127.0.0.1", port=port)), clock=FakeClock(NOW)).deliver_due() == 1
    assert [envelope.rcpt_tos for envelope in server.taken] == [["a@x.org"], ["b@x.org"]]
    [full, less] = [envelope.content for envelope in server.taken]
    assert isinstance(full, bytes)
    assert isinstance(less, bytes)
    assert b"application/gzip" in full
    assert b"application/gzip" not in less


def test_a_server_that_takes_other_addresses_gets_them() -> None:
    message = a_mail()
    message.replace_header("To", "jö@example.org")
    heard: list[bytes] = []
    with conversing(noting(heard, b"hi", b"SMTPUTF8", b"8BITMIME")) as port:
        SMTPMailer("127.0.0.1", port=port).send(message)
    assert heard[1:3] == [
        b"mail FROM:<gavo@example.org> SMTPUTF8 BODY=8BITMIME\r\n",
        "rcpt TO:<jö@example.org>\r\n".encode(),
    ]
    assert "To: jö@example.org\r\n".encode() in heard
