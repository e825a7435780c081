"""The files of one recording: `x`, and where it grew past its bound the older `x.1`, `x.2` …, the highest number the oldest.

Whole lines or nothing: where the disk is full what was begun is taken back. Bytes only; knows nothing of what they say.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from mcp_workbench.platforms import create_private_file


class Files:
    """Files of a recording, from the first to the newest. One thread at a time.

    Args:
        path: The newest.
        header: Given the number of a file, counted from 1, its first lines.
        max_bytes: Size past which the next file begins; a file exceeds it by its first lines and one more at most. None: never.
        keep: Older files that are kept.
        overwrite: Take away what a former recording left under these names.

    Raises:
        FileExistsError: Something is there, and it is not to be overwritten, or is no plain file.
        OSError: It cannot be made.
    """

    def __init__(
        self, path: Path, header: Callable[[int], bytes], *, max_bytes: int | None = None, keep: int = 5, overwrite: bool = False
    ) -> None:
        self.path, self._header, self._max_bytes, self._keep = path, header, max_bytes, keep
        self.part = 0
        """Number of the newest, counted from 1."""
        self.bytes = 0
        """Written in all, of all files."""
        self._size = 0
        self._first_lines = 0
        self._file: int | None = None
        _make_room(path, overwrite=overwrite)
        self._begin()

    def write(self, lines: Sequence[bytes]) -> tuple[int, OSError | None]:
        """Append lines, each with its end.

        Returns:
            How many were written, and why not the others.
        """
        done = 0
        while done < len(lines):
            try:
                if self._file is None or self._is_full(lines[done]):
                    self._rotate()
            except OSError as error:
                return done, error
            written, failure = self._append(lines[done : done + self._fitting(lines, done)])
            done += written
            if failure is not None:
                return done, failure
        return done, None

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

    def _rotate(self) -> None:
        self.close()
        with suppress(FileNotFoundError):  # moved or deleted by somebody else meanwhile
            for number in range(self._keep, 0, -1):
                _move(_older(self.path, number), _older(self.path, number + 1) if number < self._keep else None)
            _move(self.path, _older(self.path, 1) if self._keep else None)
        self._begin()

    def _begin(self) -> None:
        self._file = create_private_file(self.path)
        self._size = 0
        self.part += 1
        _, error = self._append([self._header(self.part)])
        if error is not None:
            self.part -= 1
            self.abandon()
            self.path.unlink(missing_ok=True)
            raise error
        self._first_lines = self._size


def files_of(path: Path) -> list[Path]:
    """The files of a recording that are there, oldest first; `path` itself is the last, whether it is there or not."""
    pattern = re.compile(re.escape(path.name) + r"\.(\d{1,6})")
    found = [(int(match[1]), each) for each in path.parent.glob("*") if (match := pattern.fullmatch(each.name))]
    return [each for _, each in sorted(found, reverse=True)] + [path]


def _older(path: Path, number: int) -> Path:
    return path.with_name(f"{path.name}.{number}")


def _move(path: Path, to: Path | None) -> None:
    if to is None:
        path.unlink(missing_ok=True)
    elif path.exists():
        path.replace(to)


def _make_room(path: Path, *, overwrite: bool) -> None:
    for each in files_of(path) if path.parent.is_dir() else []:
        if each.is_symlink() or (each.exists() and not each.is_file()):
            raise FileExistsError(f"{each} is a link or no plain file; a recording is written into a file of its own: choose another name")
        if each.exists() and not overwrite:
            raise FileExistsError(f"{each} exists: choose another name, or say overwrite=True to replace it")
        each.unlink(missing_ok=True)
