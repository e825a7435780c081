"""The files of one recording: `x`, and where it grew past its bound the older `x.1`, `x.2` …, the highest number the oldest.

Whole lines or nothing: where the disk is full what was begun is taken back, and older files are left until there is room for the next.
Only what is a recording is moved or removed. Bytes only; knows nothing of what they say.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from mcp_workbench.exploring.recording.format import FORMAT
from mcp_workbench.platforms import create_private_file, open_unfollowed

MOST_KEPT = 10_000
"""Older files of one recording."""
_BEGINNING = re.compile(rb'\s{0,9}\{\s{0,9}"format"\s{0,9}:\s{0,9}"%b"' % FORMAT.encode())
"""Of each of its files."""


class Files:
    """Files of a recording, from the first to the newest. One thread at a time.

    Args:
        path: The newest.
        header: Given the number of a file, counted from 1, its first lines.
        max_bytes: Size past which the next file begins; a file exceeds it by its first lines and one more at most. None: never.
        keep: Older files that are kept.
        overwrite: Take away what a former recording left under these names.
        gone: Told that the newest was moved or removed by somebody, and that the next is begun in its place.

    Raises:
        FileExistsError: Something is there, and it is not to be overwritten, or is no recording.
        TypeError: `max_bytes` or `keep` is no whole number.
        ValueError: One of them is none that can be.
        OSError: It cannot be made.
    """

    def __init__(
        self,
        path: Path,
        header: Callable[[int], bytes],
        *,
        max_bytes: int | None = None,
        keep: int = 5,
        overwrite: bool = False,
        gone: Callable[[], None] = lambda: None,
    ) -> None:
        if max_bytes is not None:
            _check("max_bytes is the size of a file in bytes, or None", max_bytes, 1)
        _check("keep is how many older files are kept", keep, 0, MOST_KEPT)
        self.path, self._header, self._max_bytes, self._keep, self._gone = path, header, max_bytes, keep, gone
        self.part = 0
        """Number of the newest, counted from 1."""
        self.bytes = 0
        """Written in all, of all files."""
        self._size = 0
        self._first_lines = 0
        self._file: int | None = None
        self._is_moving = False
        """The newest is to be moved on, and is not yet."""
        self._surplus: Path | None = None
        """One older file more than are kept, until there is a new one."""
        _make_room(path, overwrite=overwrite)
        self._begin()

    def write(self, lines: Sequence[bytes]) -> tuple[int, OSError | None]:
        """Append lines, each with its end.

        Returns:
            How many were written, and why not the others.
        """
        try:
            self.look()
        except OSError as error:
            return 0, error
        done = 0
        while done < len(lines):
            try:
                if self._file is not None and self._is_full(lines[done]):
                    self.look()
                    self._is_moving = self._file is not None
                    self.close()
                self._go_on()
            except OSError as error:
                return done, error
            written, failure = self._append(lines[done : done + self._fitting(lines, done)])
            done += written
            if failure is not None:
                return done, failure
        return done, None

    def look(self) -> None:
        """Find out whether the newest is where it was, and begin the next where it is not.

        Raises:
            OSError: That cannot be told, or it cannot be begun.
        """
        if self._file is not None and not _is_at(self._file, self.path):
            self.abandon()
            self._gone()
        self._go_on()

    def close(self) -> None:
        """Everything is on the disk, as far as the system says."""
        if self._file is not None:
            with suppress(OSError):  # a pipe, or a file system that cannot
                os.fsync(self._file)
            self.abandon()

    def abandon(self) -> None:
        """Give the descriptor back, and write nothing any more."""
        file, self._file = self._file, None
        if file is not None:
            os.close(file)

    def _is_full(self, line: bytes) -> bool:
        return self._max_bytes is not None and self._size > self._first_lines and self._size + len(line) > self._max_bytes

    def _fitting(self, lines: Sequence[bytes], begin: int) -> int:
        """How many of the lines from `begin` on go into this file, one at least."""
        if self._max_bytes is None:
            return len(lines) - begin
        room, count = self._max_bytes - self._size - len(lines[begin]), 1
        for line in lines[begin + 1 :]:
            room -= len(line)
            if room < 0:
                break
            count += 1
        return count

    def _append(self, lines: Sequence[bytes]) -> tuple[int, OSError | None]:
        data, at, file = memoryview(b"".join(lines)), 0, self._file
        if file is None:
            return 0, OSError("no file is open")
        try:
            while at < len(data):
                at += os.write(file, data[at:])
        except OSError as error:
            whole, count = 0, 0
            for line in lines:
                if whole + len(line) > at:
                    break
                whole, count = whole + len(line), count + 1
            self._take_back(file, self._size + whole)
            self.bytes += whole
            return count, error
        self._size += len(data)
        self.bytes += len(data)
        return len(lines), None

    def _take_back(self, file: int, size: int) -> None:
        """Cut off the half of a line."""
        self._size = size
        with suppress(OSError):  # then the half line stays, and readers say so
            os.ftruncate(file, size)
            os.lseek(file, size, os.SEEK_SET)

    def _go_on(self) -> None:
        """Have a file that is open."""
        if self._is_moving:
            self._move_on()
            self._is_moving = False
        if self._file is None:
            self._begin()

    def _move_on(self) -> None:
        """Each to the next number, up to the first that is free; none is deleted before the new one is there."""
        for file in files_of(self.path):
            if os.path.lexists(file) and not _is_recording(file):
                raise FileExistsError(errno.EEXIST, f"{file.name} is no recording, and in the way; move it away")
        free = next(number for number in range(1, self._keep + 2) if number > self._keep or not _older(self.path, number).exists())
        for number in range(free, 1, -1):
            _older(self.path, number - 1).replace(_older(self.path, number))
        self._surplus = _older(self.path, free) if free > self._keep else None
        with suppress(FileNotFoundError):  # moved or deleted by somebody else meanwhile
            self.path.replace(_older(self.path, 1))

    def _begin(self) -> None:
        try:
            self._file = create_private_file(self.path)
        except FileExistsError:
            raise FileExistsError(errno.EEXIST, f"{self.path.name} is another file now; move it away") from None
        self._size = 0
        self.part += 1
        _, error = self._append([self._header(self.part)])
        if error is not None:
            self.part -= 1
            self.abandon()
            self.path.unlink(missing_ok=True)
            raise error
        self._first_lines = self._size
        surplus, self._surplus = self._surplus, None
        if surplus is not None:
            surplus.unlink(missing_ok=True)


def files_of(path: Path) -> list[Path]:
    """The files of a recording that are there, oldest first; `path` itself is the last, whether it is there or not."""
    pattern = re.compile(re.escape(path.name) + r"\.(\d{1,6})")
    found = [(int(match[1]), each) for each in path.parent.glob("*") if (match := pattern.fullmatch(each.name))]
    return [each for _, each in sorted(found, reverse=True)] + [path]


def _older(path: Path, number: int) -> Path:
    return path.with_name(f"{path.name}.{number}")


def _check(what: str, value: object, least: int, most: int | None = None) -> None:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{what}: a whole number, got {value!r}")
    if value < least or (most is not None and value > most):
        bounds = f"{least} or more" if most is None else f"{least} to {most:,}"
        raise ValueError(f"{what}: {bounds}, got {value:,}")


def _is_at(file: int, path: Path) -> bool:
    """Whether what was opened is what is there now."""
    try:
        return os.path.samestat(os.fstat(file), path.lstat())
    except (FileNotFoundError, NotADirectoryError):
        return False


def _is_recording(path: Path) -> bool:
    """Whether it begins as a recording does, or is empty."""
    if path.is_symlink() or not path.is_file():
        return False
    with os.fdopen(open_unfollowed(path), "rb") as file:
        beginning = file.read(100)
    return not beginning or _BEGINNING.match(beginning) is not None


def _make_room(path: Path, *, overwrite: bool) -> None:
    there = [each for each in (files_of(path) if path.parent.is_dir() else []) if os.path.lexists(each)]
    for each in there:
        if each.is_symlink() or not each.is_file():
            raise FileExistsError(f"{each} is a link or no plain file; a recording is written into a file of its own: choose another name")
        if not overwrite:
            raise FileExistsError(f"{each} exists: choose another name, or say overwrite=True to replace it")
        if not _is_recording(each):
            raise FileExistsError(f"{each} exists and is no recording, and overwrite=True replaces nothing else: choose another name")
    for each in there:
        each.unlink(missing_ok=True)
