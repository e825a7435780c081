"""Which of the running kernels a bridge belongs to.

By flag; else the one it was told to use, or was connected with; else those whose notebook lies under or above its
working folder; else the only one. What is left when that is several is for the agent to choose. A bridge that had
a kernel never moves to another notebook by itself: an agent's next call must not land elsewhere unnoticed.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import PurePath

from mcp_workbench.discovery import Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a bridge was started with."""

    kernel: str | None = None
    """Id, the beginning of one, or name."""
    notebook: str | None = None
    """Path of a notebook."""
    cwd: str = "/"
    """The working folder: absolute."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What follows from a wish."""

    entry: Entry | None
    """The one to connect with."""
    candidates: tuple[Entry, ...]
    """Those that `notebook_use` may name; with a flag only those that fit it."""
    several: bool = False
    """Flag and folder leave something to choose."""
    missing: str | None = None
    """What a flag asked for, or the bridge was connected with, and is not there, as a phrase."""
    flag: str | None = None
    """The flag that nothing fits, as it was given."""
    refused: tuple[Entry, ...] = ()
    """Those that run and do not fit it."""


def choose(entries: tuple[Entry, ...], wish: Wish, last: Entry | None) -> Choice:
    """Choose a kernel.

    Args:
        entries: Those that run, latest started first.
        wish: What the bridge was started with.
        last: What it was told to use, or was connected with.

    Returns:
        The choice.
    """
    fitting, flag = _by_flag(entries, wish)
    near = fitting if flag is not None else tuple(entry for entry in fitting if _is_near(entry, wish.cwd))
    left = near or fitting
    # Kernels of other projects are named as well: a host may have started the bridge anywhere.
    candidates = (*near, *(entry for entry in fitting if entry not in near))
    if last is None:
        if flag is not None and not left:
            return Choice(None, (), False, flag, _said(wish), entries)
        return Choice(left[0] if len(left) == 1 else None, candidates, len(left) > 1)
    again = _again(fitting, last)
    if again is None:
        return Choice(None, candidates, bool(candidates), f"the kernel of {last.name}")
    return Choice(again, candidates, len({again, *left}) > 1)


def find_named(name: str, candidates: tuple[Entry, ...]) -> tuple[Entry, ...]:
    """Those that may be meant by a name: exactly so called, by id, path or name without its ending; else by the end of a path; else by
    the beginning of an id."""
    exact = tuple(entry for entry in candidates if name.casefold() in {each.casefold() for each in _names(entry)})
    found = exact or tuple(entry for entry in candidates if _ends_path(name, entry))
    return found or tuple(entry for entry in candidates if len(name) >= 4 and entry.kernel_id.startswith(name))


def labels(candidates: tuple[Entry, ...]) -> dict[str, Entry]:
    """A name for each that tells it apart from the others: its own, or with its path, or its id."""
    found: dict[str, Entry] = {}
    for entry in candidates:
        alike = [other for other in candidates if other.name.casefold() == entry.name.casefold()]
        same_path = [other for other in alike if other.notebook == entry.notebook]
        path = entry.notebook if len(same_path) == 1 else None
        found[entry.name if len(alike) == 1 else path or entry.kernel_id] = entry
    return found


def is_same_notebook(one: Entry, other: Entry) -> bool:
    """Whether two entries are the same notebook's: by kernel id, else by path, else by name and folder."""
    if one.kernel_id == other.kernel_id:
        return True
    if _has_path(one) and _has_path(other):
        return one.notebook == other.notebook
    return not _has_path(one) and not _has_path(other) and (one.name, one.cwd) == (other.name, other.cwd)


def is_restart(before: Entry, after: Entry) -> bool:
    """Whether it is another process: what was defined there is gone. A server that only stopped and started again has forgotten nothing."""
    return (before.pid, before.process_start) != (after.pid, after.process_start)


def _again(entries: tuple[Entry, ...], last: Entry) -> Entry | None:
    for same in (lambda entry: entry.kernel_id == last.kernel_id, lambda entry: is_same_notebook(entry, last)):
        found = [entry for entry in entries if same(entry)]
        if found:
            return found[0]
    return None


def _by_flag(entries: tuple[Entry, ...], wish: Wish) -> tuple[tuple[Entry, ...], str | None]:
    if wish.kernel is not None:
        return find_named(wish.kernel, entries), f"a kernel called {wish.kernel[:100]}"
    if wish.notebook is not None:
        wanted = _real(os.path.join(wish.cwd, wish.notebook))  # noqa: PTH118  # an absolute path replaces the folder
        fitting = tuple(entry for entry in entries if _has_path(entry) and _real(entry.notebook or "") == wanted)
        return fitting, f"a kernel of {wish.notebook[:200]}"
    return entries, None


def _said(wish: Wish) -> str:
    return f"--kernel {wish.kernel[:100]}" if wish.kernel is not None else f"--notebook {(wish.notebook or '')[:200]}"


def _is_near(entry: Entry, cwd: str) -> bool:
    there, here = PurePath(_folder(entry)), PurePath(_real(cwd))
    return there.is_relative_to(here) or here.is_relative_to(there)


def _has_path(entry: Entry) -> bool:
    """A notebook's path is absolute, and is not only the folder that stands in for an unknown one."""
    return entry.notebook is not None and entry.notebook != entry.cwd and PurePath(entry.notebook).is_absolute()


def _folder(entry: Entry) -> str:
    path = entry.notebook
    return _real(os.path.dirname(path) if path is not None and _has_path(entry) else entry.cwd)  # noqa: PTH120  # texts, not files


def _real(path: str) -> str:
    try:
        return os.path.realpath(path) if os.path.isabs(path) else path  # noqa: PTH117  # a text
    except (OSError, ValueError):
        return path  # one that this system cannot take lies nowhere


def _ends_path(name: str, entry: Entry) -> bool:
    """Whether it is the last folders of a notebook's path and its name, with or without the ending: `mine/second.ipynb`."""
    wanted = PurePath(name.casefold()).parts
    if not _has_path(entry) or len(wanted) < 2:
        return False
    path = (entry.notebook or "").casefold()
    return wanted in (PurePath(each).parts[-len(wanted) :] for each in (path, path.removesuffix(".ipynb")))


def _names(entry: Entry) -> set[str]:
    path = PurePath(entry.notebook or entry.name)
    return {entry.kernel_id, entry.name, PurePath(entry.name).stem, path.name, path.stem, str(path)}
