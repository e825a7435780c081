"""What a host has met in a notebook, and which of it a restart of the kernel took away.

From the lists it was shown and from what the kernel's `notebook_status` told it. A name is lost from the restart on until the
host meets it again. Knows no texts but that one tool's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import Enum

_DATAFRAME = re.compile(r"^(\S+) v\d+ · ", re.MULTILINE)
_FUNCTION = re.compile(r"^([\w.-]+)\(", re.MULTILINE)
_SCHEME = "df://"


class Kind(Enum):
    """What a name stands for; the value is the verb."""

    PUBLISHED = "published"
    DEFINED = "defined"


class Known:
    """Of the notebook that is used."""

    def __init__(self) -> None:
        self.restarted: float | None = None
        """When its kernel was last restarted while the host was there, in seconds since 1970."""
        self.lost: dict[str, Kind] = {}
        """Met before a restart, and not since."""
        self._met: dict[str, Kind] = {}

    def restart(self, at: float) -> None:
        """Its kernel is another process, which serves since then."""
        self.restarted = at
        self.lost |= self._met
        self._met = {}

    def clear(self) -> None:
        """Another notebook is used."""
        self.restarted, self.lost, self._met = None, {}, {}

    def meet(self, names: Iterable[str], kind: Kind) -> None:
        """These are there."""
        for name in names:
            self._met[name] = kind
            self.lost.pop(name, None)

    def meet_resources(self, uris: Iterable[object]) -> None:
        """These resources were listed: DataFrames are among them."""
        self.meet((uri.removeprefix(_SCHEME) for uri in uris if isinstance(uri, str) and uri.startswith(_SCHEME)), Kind.PUBLISHED)

    def meet_status(self, text: str) -> None:
        """The kernel said what there is."""
        self.meet(_DATAFRAME.findall(text), Kind.PUBLISHED)
        self.meet(_FUNCTION.findall(text), Kind.DEFINED)

    def lost_of(self, kind: Kind) -> tuple[str, ...]:
        """Names of that kind that are lost."""
        return tuple(name for name, each in self.lost.items() if each is kind)
