"""Who may come in: long-lived tokens and single-use tickets.

A token travels in a header only. A ticket is for clients that cannot set headers: it rides in the path,
is good for one connection and for a short time. Both classes are used from two threads (the notebook's
adds and mints, the protocol loop checks), so each guards its table with a lock that is held for
microseconds. Nothing here knows HTTP; the gate beside it does.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from mcp_workbench.errors import WorkbenchError
from mcp_workbench.events import NOTEBOOK, STDIO, Principal
from mcp_workbench.secret import Secret, hidden

DEFAULT_NAME = "default"
MAX_TTL_S = 3600.0

LEAST_TOKEN_CHARS = 32
_TOKEN = re.compile(rf"[A-Za-z0-9\-_.~+/=]{{{LEAST_TOKEN_CHARS},512}}")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.@-]{0,63}")


def _digest(secret: bytes) -> bytes:
    return hashlib.sha256(secret).digest()


@dataclass(frozen=True, slots=True)
class _Ticket:
    principal: Principal
    expires: float
    """On the clock of its `Tickets`."""


class Tickets:
    """Single-use, short-lived secrets, each standing for one principal.

    Args:
        clock: Seconds that only grow; tests pass their own.
        limit: Tickets that may wait to be used at once.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic, limit: int = 1000) -> None:
        self._clock = clock
        self.limit = limit
        self._waiting: dict[bytes, _Ticket] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._waiting)

    def __repr__(self) -> str:
        return f"<Tickets: {len(self)} waiting>"

    def mint(self, principal: Principal, *, ttl_s: float = 60.0) -> str:
        """Make a ticket; callable from any thread.

        Args:
            principal: Whose connection it will open.
            ttl_s: Seconds it stays good, more than 0 and at most 3,600.

        Returns:
            The ticket, 43 characters that are safe in a path.

        Raises:
            ValueError: `ttl_s` is out of range.
            WorkbenchError: Too many unused tickets are waiting.
        """
        if not 0 < ttl_s <= MAX_TTL_S:
            raise ValueError(f"ttl_s must be more than 0 and at most {MAX_TTL_S:g} seconds, got {ttl_s:g}")
        secret = Secret.random()
        with self._lock:
            now = self._clock()
            self._drop_expired(now)
            if len(self._waiting) >= self.limit:
                raise WorkbenchError(f"{self.limit:,} tickets are waiting to be used: use or let expire some before asking for more")
            self._waiting[_digest(secret.reveal().encode())] = _Ticket(principal, now + ttl_s)
        return secret.reveal()

    def peek(self, presented: str) -> Principal | None:
        """Say whose ticket this is without using it up; None when unknown, used or expired."""
        with self._lock:
            ticket = self._waiting.get(_digest(presented.encode()))
            return ticket.principal if ticket is not None and self._clock() < ticket.expires else None

    def redeem(self, presented: str) -> Principal | None:
        """Use a ticket up; None when it is unknown, used or expired."""
        with self._lock:
            ticket = self._waiting.pop(_digest(presented.encode()), None)
            return ticket.principal if ticket is not None and self._clock() < ticket.expires else None

    def forget(self, name: str) -> None:
        """Drop every ticket of the principal called `name`."""
        with self._lock:
            self._waiting = {key: ticket for key, ticket in self._waiting.items() if ticket.principal.name != name}

    def _drop_expired(self, now: float) -> None:
        self._waiting = {key: ticket for key, ticket in self._waiting.items() if now < ticket.expires}


class OneSecret:
    """A single secret that opens one endpoint, and stands for one principal.

    Args:
        secret: What must be presented.
        name: Whom it stands for.
    """

    def __init__(self, secret: Secret, name: str) -> None:
        self._digest = _digest(secret.reveal().encode())
        self._principal = Principal(name)

    def check(self, presented: bytes) -> Principal | None:
        """Say whether it is the secret; in constant time."""
        return self._principal if hmac.compare_digest(_digest(presented), self._digest) else None


class Credentials:
    """The tokens of one server, each with the name of its principal; the first is `default`.

    Code of this very process is a principal of its own, `notebook`, whose tokens never leave the process.

    Args:
        tickets: Tickets made for these principals; revoking a name ends its tickets too.
        token: The token of `default`, where its owner chose one that lasts; None: a random one.

    Raises:
        ValueError: The chosen token is too weak, or cannot stand in a header.
    """

    def __init__(self, *, tickets: Tickets | None = None, token: str | Secret | None = None) -> None:
        token = hidden(token)
        self.tickets = Tickets() if tickets is None else tickets
        self._tokens: dict[str, Secret] = {}
        self._digests: dict[str, bytes] = {}
        self._lock = threading.Lock()
        if token is not None and not _TOKEN.fullmatch(token.reveal()):
            raise ValueError(
                f"a chosen token has {LEAST_TOKEN_CHARS} to 512 letters, digits or -_.~+/=; make one with secrets.token_urlsafe(32)"
            )
        self._keep(DEFAULT_NAME, Secret.random() if token is None else token)
        self._own = {on_main: Secret.random() for on_main in (False, True)}
        self._own_digests = {on_main: _digest(secret.reveal().encode()) for on_main, secret in self._own.items()}

    def __repr__(self) -> str:
        return f"<Credentials: {', '.join(self.names()) or 'none'}>"

    def add(self, name: str) -> str:
        """Make a token for a new principal; callable from any thread.

        Args:
            name: A letter, then up to 63 letters, digits or `_ . @ -`.

        Returns:
            The token. It is shown to nobody else by this class.

        Raises:
            ValueError: The name is taken or not a name.
        """
        if not _is_name(name):
            raise ValueError(f"a token's name is a letter followed by up to 63 letters, digits or _.@-, got {_shown(name)}")
        if name == NOTEBOOK:
            raise ValueError(f"{NOTEBOOK!r} is the principal of this notebook's own code; choose another name")
        if name == STDIO:
            raise ValueError(f"{STDIO!r} is the principal of the host that started a script; choose another name")
        return self._keep(name, Secret.random()).reveal()

    def _keep(self, name: str, token: Secret) -> Secret:
        with self._lock:
            if name in self._tokens:
                raise ValueError(f"a token named {name!r} exists: revoke it first, or choose another name")
            self._tokens[name] = token
            self._digests[name] = _digest(token.reveal().encode())
        return token

    def revoke(self, name: str) -> None:
        """Make a token and its tickets worthless; closing its sessions is the caller's part.

        Raises:
            ValueError: There is no token of that name.
        """
        with self._lock:
            self._must_know(name)
            del self._tokens[name], self._digests[name]
        self.tickets.forget(name)

    def check(self, presented: bytes) -> Principal | None:
        """Say whose token this is; takes the same time whichever token it is or resembles."""
        digest = _digest(presented)
        found: Principal | None = None
        with self._lock:
            for name, known in self._digests.items():
                if hmac.compare_digest(known, digest):
                    found = Principal(name)
            for on_main, known in self._own_digests.items():
                if hmac.compare_digest(known, digest):
                    found = Principal(NOTEBOOK, own=on_main)
        return found

    def token(self, name: str = DEFAULT_NAME) -> str:
        """The token itself, for whoever asks for it by name; raises like `secret`."""
        return self.secret(name).reveal()

    def secret(self, name: str = DEFAULT_NAME) -> Secret:
        """The token, to be carried to where it is needed.

        Raises:
            ValueError: There is no token of that name.
        """
        with self._lock:
            self._must_know(name)
            return self._tokens[name]

    def all(self) -> tuple[Secret, ...]:
        """Every token there is, for those who are to keep them out of what they write."""
        with self._lock:
            return (*self._tokens.values(), *self._own.values())

    def own_token(self, *, on_main: bool) -> Secret:
        """A token of `notebook`, for a client in this very process; it never leaves the process, and nobody can revoke it.

        Args:
            on_main: Whether code of the main thread opens the client, and may wait for its calls (`Principal.own`).
        """
        return self._own[on_main]

    def names(self) -> tuple[str, ...]:
        """Names of all tokens, oldest first."""
        return tuple(self._tokens)

    def _must_know(self, name: object) -> None:
        if not isinstance(name, str) or name not in self._tokens:
            raise ValueError(f"there is no token named {_shown(name)}; there are: {', '.join(self._tokens) or 'none'}")


def _is_name(name: object) -> bool:
    return isinstance(name, str) and _NAME.fullmatch(name) is not None


def _shown(name: object) -> str:
    return repr(name[:80]) if isinstance(name, str) else f"a {type(name).__name__}"
