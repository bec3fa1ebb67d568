"""What may come of a delivery beside success, and others' words on one line."""

from gavo_exec.errors import DeliveryError, plain

_MOST_WORDS = 500


class ServiceUnavailable(DeliveryError):  # noqa: N818 -- the state's name says more than a suffix
    """Nothing can be delivered at present, whatever it is: the server is down, a setting wrong, the disk full."""


class TooLarge(DeliveryError):  # noqa: N818 -- the state's name says more than a suffix
    """A mail is larger than the server takes; a smaller one may pass."""

    def __init__(self, message: str) -> None:
        super().__init__(message, permanent=True)


def one_line(words: bytes | str) -> str:
    """The words of a server or a program, safe for a line of the log and not too many."""
    text = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
    return plain(" ".join(text[: 4 * _MOST_WORDS].split()))[:_MOST_WORDS]
