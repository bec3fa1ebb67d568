"""What the answers of SMTP servers mean, and what to do about the usual refusals."""

import re
from typing import NamedTuple

from gavo_exec.errors import DeliveryError
from gavo_exec.services.postman.faults import ServiceUnavailable, TooLarge, one_line

_ENHANCED = re.compile(r"([245])\.(\d{1,3}\.\d{1,3})(?!\S)")

_ABOUT_THE_SERVICE = frozenset({421, 454, 530, 534, 535, 538})

_ABOUT_SIZE = frozenset({"3.4", "2.3"})
"""What enhanced codes say, after their class, where a mail is too large."""


class Answer(NamedTuple):
    """What a server said."""

    code: int
    text: str

    @classmethod
    def of(cls, code: int, words: bytes | str) -> "Answer":
        """The answer on one line, without enhanced codes that repeat themselves on each line of it."""
        text = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
        first, *rest = text.split("\n")
        if found := _ENHANCED.match(first):
            rest = [line.removeprefix(f"{found[0]} ") for line in rest]
        return cls(code, one_line("\n".join([first, *rest])))

    def __str__(self) -> str:
        """As it came."""
        return f"{self.code} {self.text}".rstrip()

    @property
    def is_good(self) -> bool:
        """Whether the server does what was asked."""
        return 200 <= self.code < 300

    @property
    def is_about_service(self) -> bool:
        """Whether it speaks of the service or the login rather than of the mail."""
        return self.code in _ABOUT_THE_SERVICE

    @property
    def is_final(self) -> bool:
        """Whether asking again is of no use; once the settings are mended, it may be."""
        return self.code >= 500 and not self.is_about_service

    @property
    def is_about_size(self) -> bool:
        """Whether it refuses the mail for its size."""
        found = _ENHANCED.match(self.text)
        if found and found[1] == "5":
            return found[2] in _ABOUT_SIZE  # 552 alone may speak of a full mailbox
        return self.code in {523, 552}

    @property
    def is_of_smtp(self) -> bool:
        """Whether it is an answer that an SMTP server may give."""
        return 200 <= self.code < 600


def refusal_of_mail(where: str, answer: Answer) -> DeliveryError:
    """What it means that a server refuses a mail as such."""
    if fault := _fault_of_service(where, answer):
        return fault
    if not answer.is_final:
        return DeliveryError(f"{where} does not take the mail for now: {answer}")
    text = f"{where} refuses the mail: {answer}"
    return TooLarge(text) if answer.is_about_size else DeliveryError(text, permanent=True)


def refusal_of_sender(where: str, sender: str, answer: Answer) -> DeliveryError:
    """What it means that a server refuses the beginning of a mail, which names its sender and its size."""
    if answer.is_about_size or not answer.is_final:
        return refusal_of_mail(where, answer)
    # All mails have this sender, so that it is the setting that is to be mended, while they wait.
    return ServiceUnavailable(
        f"{where} refuses the sender {sender}: {answer}; give an address that it takes as mail_from"
    )


def reason_for(recipient: str, answer: Answer) -> str:
    """Why a recipient does not get the mail, and what to do about it."""
    return f"{recipient}: {answer}{_hint_for_recipient(answer)}"


def _hint_for_recipient(answer: Answer) -> str:
    found = _ENHANCED.match(answer.text)
    enhanced = found[2] if found else ""
    if not answer.is_final or answer.is_about_size:
        return ""
    if "relay" in answer.text.lower():
        return " (it passes mails on for those who log in only: give smtp_user, or name your site's own server)"
    if enhanced in {"1.1", "1.2", "1.3", "1.6", "1.10", "4.4"} or (not enhanced and answer.code in {550, 551, 553}):
        return " (is the address in mail_to right?)"
    return ""


def _fault_of_service(where: str, answer: Answer) -> ServiceUnavailable | None:
    """The fault where the answer is about the service rather than the mail."""
    if not answer.is_of_smtp:
        return not_smtp(where)
    if answer.code == 530:
        return ServiceUnavailable(f"{where} takes mails from those only who log in: {answer}; give smtp_user")
    if answer.is_about_service:
        return ServiceUnavailable(f"{where} takes no mails at present: {answer}")
    return None


def not_smtp(where: str) -> ServiceUnavailable:
    """The fault of a server that speaks otherwise."""
    return ServiceUnavailable(f"{where} does not answer as mail servers do; look at smtp_host and smtp_port")
