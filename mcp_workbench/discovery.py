"""How bridge, gateway and command line find running kernels: one small file per server, and one for its live views.

A file lies in Jupyter's runtime folder, in a folder only its owner may enter, and holds the address
and the token: `kernel-<id>.json` for agents' programs, `view-<id>.json` for what shows people the live
views. A killed kernel leaves its files behind, so a reader trusts a file only while the process that
wrote it lives: same machine, same process id, same start time. Files that others could have written
are never read. Knows nothing of servers and sessions.
"""

from __future__ import annotations

import ipaddress
import json
import os
import re
import secrets
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from mcp_workbench.platforms import is_alive, machine_name, make_private_folder, not_private, open_unfollowed, process_start
from mcp_workbench.secret import Secret
from mcp_workbench.wording import plain

SCHEMA = 1
MAX_FILE_BYTES = 64 * 1024
MAX_TEXT_CHARS = 4096
"""As long as a path may be on Linux."""

_KERNEL, _VIEW = "kernel", "view"
"""How the names of the two kinds of files begin."""
_NOT_IN_FILE_NAMES = re.compile(r"[^A-Za-z0-9_-]")
# U+DC80 to U+DCFF stand for bytes of a path that are not UTF-8; other lone surrogates can be neither a path nor encoded.
_NOT_IN_TEXTS = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udc7f\udd00-\udfff]")
_RANGES = {"pid": range(1, 2**31), "process_start": range(2**63), "started": range(2**32)}
"""The last in seconds since 1970: until 2106."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One running server, as its discovery file tells it."""

    kernel_id: str
    """Jupyter's kernel id, or one from `plain_kernel_id()`."""
    name: str
    """What people call it, usually the notebook's name."""
    url: str
    """`ws://` address of the MCP endpoint, or of the views'."""
    token: Secret
    """Opens the endpoint."""
    pid: int
    process_start: int | None
    """Clock ticks from boot to the start of the process; None where the system does not tell."""
    host: str
    """Name of the machine: a home folder may be shared, loopback and process ids are not."""
    started: float
    """When the server started, in seconds since 1970."""
    executable: str
    """Path of the interpreter."""
    cwd: str
    notebook: str | None = None
    """Path of the notebook; None when unknown."""
    http_url: str | None = None
    """`http://` address of the MCP endpoint, where there is one."""
    schema: int = SCHEMA


@dataclass(frozen=True, slots=True)
class Ignored:
    """A file that was not used, and why."""

    path: Path
    reason: str


@dataclass(frozen=True, slots=True)
class Survey:
    """What a look into the folder found."""

    entries: tuple[Entry, ...]
    """Live servers, latest started first."""
    ignored: tuple[Ignored, ...]
    """Files that could not be trusted or read; stale ones are removed and not listed."""


class _Unusable(ValueError):
    """Why a file is not used, as a phrase."""


def describe_this_process(
    *,
    kernel_id: str,
    name: str,
    url: str,
    token: Secret,
    cwd: str | None = None,
    notebook: str | None = None,
    http_url: str | None = None,
) -> Entry:
    """An entry for a server that runs in this process and starts now; everything else about it is looked up.

    Args:
        kernel_id: Jupyter's kernel id, or one from `plain_kernel_id()`.
        name: What people call it; what is not printable in it becomes its escape.
        url: Address of the endpoint.
        token: Opens it.
        cwd: Its working folder; default: looked up.
        notebook: Path of the notebook, where known.
        http_url: Address of the endpoint over HTTP, where there is one.

    Returns:
        The entry, to be given to `write`.
    """
    return Entry(
        kernel_id=kernel_id,
        name=plain(name),
        url=url,
        token=token,
        pid=os.getpid(),
        process_start=process_start(os.getpid()),
        host=machine_name(),
        started=time.time(),
        executable=sys.executable,
        cwd=str(Path.cwd()) if cwd is None else cwd,
        notebook=notebook,
        http_url=http_url,
    )


def plain_kernel_id() -> str:
    """An id for a server outside a Jupyter kernel, or for a second one in it: `pid-<pid>-<n>`, the lowest n not in use."""
    n = 1
    while any(_exists(_path(kind, f"pid-{os.getpid()}-{n}")) for kind in (_KERNEL, _VIEW)):
        n += 1
    return f"pid-{os.getpid()}-{n}"


def _exists(path: Path) -> bool:
    """Whether a file is there; what may not be looked at will not be written to either, and that is told then."""
    with suppress(OSError):
        return path.exists()
    return False


def folder() -> Path:
    """Where the files are; need not exist."""
    # Imported late: jupyter_core takes longer to import than everything else here.
    from jupyter_core.paths import jupyter_runtime_dir

    return Path(jupyter_runtime_dir()) / "mcp-workbench"


def write(entry: Entry) -> Path:
    """Publish a server; an older file for the same kernel is replaced in one step.

    Args:
        entry: What to tell.

    Returns:
        The file, to be given to `remove` when the server stops.

    Raises:
        OSError: The folder cannot be made or written to, is a link or belongs to somebody else.
        ValueError: No reader would use it: the message says why.
    """
    return _write(_KERNEL, entry)


def write_view(entry: Entry) -> Path:
    """Publish where a server's live views are; as `write`, in a file of its own, which `find` never reads."""
    return _write(_VIEW, entry)


def _write(kind: str, entry: Entry) -> Path:
    from jupyter_core.paths import secure_write

    values = {each.name: getattr(entry, each.name) for each in fields(entry)}
    _check_values(values)
    make_private_folder(folder())
    path = _path(kind, entry.kernel_id)
    # Readers never see half a file: it gets its name when it is complete.
    draft = path.with_name(f".{path.stem}-{secrets.token_hex(4)}.tmp")
    try:
        with secure_write(str(draft)) as file:
            file.write(json.dumps(values, default=Secret.reveal))
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    return path


def remove(path: Path) -> None:
    """Take a server's file away; fine when it is gone already."""
    path.unlink(missing_ok=True)


def find() -> list[Entry]:
    """Live servers of this user on this machine, latest started first; files of dead ones are removed."""
    return list(survey().entries)


def find_views() -> list[Entry]:
    """The same for their live views."""
    return list(_survey(_VIEW).entries)


def survey() -> Survey:
    """Like `find`, and tell which files were ignored and why."""
    return _survey(_KERNEL)


def _survey(kind: str) -> Survey:
    entries: list[Entry] = []
    ignored: list[Ignored] = []
    try:
        paths = sorted(folder().glob(f"{kind}-*.json"))
    except OSError as error:
        return Survey((), (Ignored(folder(), f"cannot be listed: {error.strerror}"),))
    for path in paths:
        try:
            entry, inode = _read(path)
        except FileNotFoundError:
            continue
        except _Unusable as reason:
            ignored.append(Ignored(path, str(reason)))
        except OSError as error:
            ignored.append(Ignored(path, f"cannot be read: {error.strerror}"))
        else:
            if is_alive(entry.pid, entry.process_start):
                entries.append(entry)
            else:
                _remove_stale(path, inode)
    return Survey(tuple(sorted(entries, key=lambda entry: entry.started, reverse=True)), tuple(ignored))


def _path(kind: str, kernel_id: str) -> Path:
    # The id may come from a file name that somebody chose; inside the file it stands unchanged.
    stem = _NOT_IN_FILE_NAMES.sub("_", kernel_id)[:128]
    return folder() / f"{kind}-{stem}.json"


def _read(path: Path) -> tuple[Entry, int]:
    """The entry in a file and the file's inode, by which a newer file under the same name is told apart."""
    with os.fdopen(open_unfollowed(path), "rb") as file:
        facts = os.fstat(file.fileno())
        if (fault := not_private(facts)) is not None:
            raise _Unusable(fault)
        if facts.st_size > MAX_FILE_BYTES:
            raise _Unusable("is larger than any discovery file")
        try:
            content = json.loads(file.read(MAX_FILE_BYTES), object_hook=_with_hidden_token)
        except (ValueError, RecursionError):
            raise _Unusable("is not JSON") from None
    return _parse(content), facts.st_ino


def _with_hidden_token(content: dict[str, Any]) -> dict[str, Any]:
    if isinstance(content.get("token"), str):
        content["token"] = Secret(content["token"])
    return content


_TYPES: dict[str, tuple[type, ...]] = {
    **{each.name: (str,) for each in fields(Entry)},
    "token": (Secret,),
    "pid": (int,),
    "process_start": (int, type(None)),
    "notebook": (str, type(None)),
    "http_url": (str, type(None)),
    "started": (float, int),
    "schema": (int,),
}


def _parse(content: Any) -> Entry:
    if not isinstance(content, dict):
        raise _Unusable("does not hold an object")
    if content.get("schema") != SCHEMA:
        raise _Unusable(f"has another schema than {SCHEMA}: it was written by another version of mcp-workbench")
    wrong = [name for name, types in _TYPES.items() if type(content.get(name)) not in types]
    if wrong:
        raise _Unusable(f"has missing or mistyped fields: {', '.join(wrong)}")
    if content["host"] != machine_name():
        raise _Unusable("was written on another machine")
    _check_values(content)
    return Entry(**{name: content[name] for name in _TYPES if name in content})


def _check_values(content: dict[str, Any]) -> None:
    """Refuse what would end or deceive those who compute with it; the types are right."""
    for name, allowed in _RANGES.items():
        # Of NaN every comparison is false.
        if content[name] is not None and not allowed.start <= content[name] <= allowed.stop - 1:
            raise _Unusable(f"has a number that cannot be: {name} is from {allowed.start} to {allowed.stop - 1}")
    for name in _TYPES:
        if not _is_usable_text(content.get(name)):
            raise _Unusable(f"has a text that cannot be: {name} is one line without control characters, at most {MAX_TEXT_CHARS} long")
    if not _leads_to_this_machine(content["url"], ("ws", "wss")):
        raise _Unusable("has an address that leads elsewhere: url is ws:// or wss:// to localhost or a loopback address such as 127.0.0.1")
    http_url = content.get("http_url")
    if http_url is not None and not _leads_to_this_machine(http_url, ("http", "https")):
        raise _Unusable("has an address that leads elsewhere: http_url is http:// or https:// to localhost or a loopback address")


def _is_usable_text(value: object) -> bool:
    """Here alone is a token revealed: a frame that raises must not hold it."""
    text = value.reveal() if isinstance(value, Secret) else value
    return not isinstance(text, str) or (len(text) <= MAX_TEXT_CHARS and _NOT_IN_TEXTS.search(text) is None)


def _leads_to_this_machine(url: str, schemes: tuple[str, ...]) -> bool:
    """A token found in a file of this machine is sent nowhere else."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
        local = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
    return local and parts.scheme in schemes and "@" not in parts.netloc and port != 0


def _remove_stale(path: Path, inode: int) -> None:
    # A restarted kernel keeps its id: its new file must not fall to a verdict on the old one. What cannot
    # be removed now is stale again at the next look.
    with suppress(OSError):
        if path.stat().st_ino == inode:
            path.unlink()
