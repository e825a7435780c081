"""What a client of ours sends along when it opens a connection: its token and further headers, and to whom.

The same rules for WebSocket and HTTP: a credential leaves this machine only encrypted, unless told otherwise, and
nothing that could end a header early is sent. No error shows a value.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping

from mcp_workbench.secret import Secret

_HEADER_NAME = re.compile(r"[-!#$%&'*+.^_`|~0-9A-Za-z]+")


def outgoing_headers(
    token: Secret | None, headers: Mapping[str, Secret], *, host: str, place: str, protected: bool, instead: str
) -> dict[str, Secret]:
    """The headers of a client, checked.

    Args:
        token: Sent as `Authorization: Bearer`.
        headers: Further ones.
        host: Where they go.
        place: The same for people, with its port.
        protected: The way there is encrypted, or known to be safe.
        instead: The scheme that encrypts, for the sentence that refuses.

    Raises:
        ValueError: Something could not be sent as it is, or a credential would leave this machine unprotected.
    """
    extra = dict(headers)
    if token is not None:
        extra["Authorization"] = Secret(f"Bearer {token.reveal().strip()}")  # a token read from a file often ends in a newline
    if any(not _can_be_sent(name, value) for name, value in extra.items()):
        raise ValueError("token and headers must be printable ASCII text without line breaks, and a header's name one word")
    if any(name.lower() == "authorization" for name in extra) and not (protected or is_loopback(host)):
        raise ValueError(
            f"a token would travel unencrypted to {place}: use {instead}, or allow_remote=True if you know the way there is safe"
        )
    return extra


def _can_be_sent(name: str, value: Secret) -> bool:
    """RFC 9110 section 5: what could end a header early must not stand in one. A library would say so with the value."""
    return _HEADER_NAME.fullmatch(name) is not None and value.reveal().isascii() and value.reveal().isprintable()


def is_loopback(host: str) -> bool:
    """Whether a host is this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
