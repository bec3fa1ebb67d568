"""Where the control socket is, and how to reach it whatever its path is like."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

ON_BEHALF_OF: Final = "On-Behalf-Of"
"""The header that says for whom somebody asks who has become another user."""

SOCKET_NAME: Final = "control.sock"
_LONGEST_PATH: Final = 100
"""Addresses of Unix sockets have room for hardly more than that."""


def socket_path(state_dir: str) -> str:
    """The path of the socket of the daemon on this state directory."""
    return f"{state_dir}/{SOCKET_NAME}"


@contextmanager
def address_of(state_dir: str) -> Iterator[str]:
    """The socket's address, valid within; raises OSError where there is no such directory."""
    path = socket_path(state_dir)
    if len(os.fsencode(path)) <= _LONGEST_PATH:
        yield path
        return
    folder = os.open(state_dir, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{SOCKET_NAME}"
    finally:
        os.close(folder)


def new_socket() -> socket.socket:
    """A Unix socket for streams."""
    return socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
