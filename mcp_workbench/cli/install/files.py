"""A host's settings file, read and written with care: nobody else's, no link to elsewhere, never half written, and kept before.

Knows nothing of what is in it but that it is text.
"""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from stat import S_IMODE, S_ISREG, S_IWUSR

from mcp_workbench.cli.install import Refused
from mcp_workbench.limits import MIB
from mcp_workbench.platforms import is_somebody_elses

MAX_BYTES = 4 * MIB
"""Settings are read letter by letter: more would take half a minute."""
_MARK = b"\xef\xbb\xbf"
"""With which some editors of Windows begin a file."""


@dataclass(frozen=True, slots=True)
class SettingsFile:
    """What was found at a path."""

    path: Path
    """Of the file itself, not of a link to it."""
    before: bytes | None
    """None: there is none yet."""
    text: str
    mode: int
    """Who may read it."""

    def write(self, text: str, now: datetime) -> Path | None:
        """Put another text in its place, at once or not at all.

        Args:
            text: All of it.
            now: The date of the copy.

        Returns:
            Where a copy of what was there is; None: nothing was.

        Raises:
            Refused: Another program has written to it since it was read.
            OSError: The folder cannot be written to.
        """
        mark = _MARK if (self.before or b"").startswith(_MARK) else b""
        finished = self._beside(mark + text.encode())
        try:
            if _content(self.path) != self.before:
                raise Refused(f"another program has written to {self.path} meanwhile: run this again")
            copy = self.keep(now)
            finished.replace(self.path)
        except BaseException:
            finished.unlink(missing_ok=True)
            raise
        return copy

    def keep(self, now: datetime) -> Path | None:
        """Make the dated copy; None: there is nothing to be kept."""
        if self.before is None:
            return None
        unfinished = self._beside(self.before)
        stem = f"{self.path.name}.{now:%Y-%m-%dT%H-%M-%S}"
        try:
            for name in (f"{stem}.bak", *(f"{stem}.{number}.bak" for number in range(2, 100))):
                copy = self.path.with_name(name)
                if not copy.exists():
                    return unfinished.replace(copy)
            raise Refused(f"there are too many copies {stem}.*.bak: remove them")
        finally:
            unfinished.unlink(missing_ok=True)

    def _beside(self, content: bytes) -> Path:
        """A new file in the same folder, as private as this one, and really on the disk."""
        descriptor, name = tempfile.mkstemp(prefix=f".{self.path.name}.", suffix=".new", dir=self.path.parent)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(self.mode)
        return Path(name)


def read_settings(path: Path, host: str) -> SettingsFile:
    """Read a file that may be there.

    Args:
        path: Where it is looked for.
        host: Whose it is.

    Raises:
        Refused: It is not to be touched.
        OSError: It cannot be read.
    """
    if path.parent.is_symlink():
        raise Refused(f"{path.parent} is a link to {path.parent.resolve()}: if that is the folder, name the file in it with --file")
    path = _unlinked(path)
    if not path.parent.is_dir():
        raise Refused(f"{host} has no folder {path.parent}: start {host} once, or name its settings with --file")
    if not path.exists():
        return SettingsFile(path, None, "", 0o600)
    facts = path.stat()
    if not S_ISREG(facts.st_mode):
        raise Refused(f"{path} is not a plain file")
    if is_somebody_elses(facts):
        raise Refused(f"{path} belongs to another user: run this as that user")
    if not facts.st_mode & S_IWUSR:
        raise Refused(f"{path} is read-only, and somebody has meant that: make it writable first")
    if facts.st_size > MAX_BYTES:
        raise Refused(f"{path} is larger than {MAX_BYTES // MIB} MiB, which no settings are")
    content = path.read_bytes()
    try:
        text = content.removeprefix(_MARK).decode()
    except UnicodeDecodeError:
        raise Refused(f"{path} is not UTF-8: correct it first") from None
    return SettingsFile(path, content, text, S_IMODE(facts.st_mode))


def _unlinked(path: Path) -> Path:
    """The file itself; a link may lead to another file of its folder, and nowhere else."""
    if not path.is_symlink():
        return path
    try:
        target = path.resolve()
    except (OSError, RuntimeError):  # a link to itself: the latter up to Python 3.12
        raise Refused(f"{path} is a link that leads nowhere") from None
    if target.parent != path.parent.resolve():
        raise Refused(f"{path} is a link to {target}: if that is the file to edit, name it with --file")
    return target


def _content(path: Path) -> bytes | None:
    with suppress(FileNotFoundError):
        return path.read_bytes()
    return None
