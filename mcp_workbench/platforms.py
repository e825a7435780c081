"""What not every operating system has, each with what is done where it is missing.

Nobody else calls these parts of `os` and `socket` (ruff keeps it): here one reads at a glance what Linux,
macOS and Windows get. What was run where: docs/platforms.md.
"""

from __future__ import annotations

import errno
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

IS_WINDOWS = sys.platform == "win32"

_getrlimit: Callable[[], tuple[int, int]] | None
try:
    import resource
except ImportError:  # Windows, where sockets are no files and some thousands cost only memory
    _getrlimit = None
else:
    _getrlimit = partial(resource.getrlimit, resource.RLIMIT_NOFILE)


def machine_name() -> str:
    """What tells this machine apart from others that share its home folder."""
    # Elsewhere the name may follow the network a laptop is in, and home folders are seldom shared.
    return socket.gethostname() if sys.platform == "linux" else "this"


def call_in_forked_children(function: Callable[[], None]) -> None:
    """Have every forked child of this process call a function first; does nothing where processes cannot fork."""
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=function)


def most_open_files() -> int | None:
    """How many files and sockets this process may have open at once (`ulimit -n`); None: there is no such bound."""
    if _getrlimit is None:
        return None
    soft, _ = _getrlimit()
    return None if soft < 0 else soft


# --- processes -----------------------------------------------------------------------------------------------


def process_start(pid: int) -> int | None:
    """Clock ticks from boot to the start of a process; None when it is dead or the system does not tell (it does on Linux)."""
    state = _proc_stat(pid)
    return None if state is None or state[0] in "ZX" else int(state[19])


def is_alive(pid: int, start: int | None) -> bool:
    """Whether the process of that number, started then, still lives.

    Args:
        pid: Its number.
        start: What `process_start` gave for it; None: unknown, then only the number is looked at.

    Returns:
        On Windows always True: no harmless question exists there in the standard library (`os.kill` ends the process), so
        connecting will tell.
    """
    if Path("/proc/self/stat").exists():
        found = process_start(pid)
        return found is not None and start in (None, found)
    if IS_WINDOWS:
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        # Somebody else's process has the number now; ours would answer us.
        return False
    return True


def become(command: Sequence[str], folder: Path) -> int:
    """Run a program in the place of this one, in a folder of its own: signals are its own then.

    Returns:
        On Windows, where no process takes another's place, the exit code of a child; a Ctrl-C, which it gets too, is left to it.
        Elsewhere it does not return.
    """
    if not IS_WINDOWS:
        sys.stdout.flush()
        sys.stderr.flush()
        os.chdir(folder)
        os.execv(command[0], list(command))  # noqa: S606  # its caller's own command
    child = subprocess.Popen(list(command), cwd=folder)  # noqa: S603  # its caller's own command
    while True:
        try:
            return child.wait()
        except KeyboardInterrupt:
            continue


def _proc_stat(pid: int) -> list[str] | None:
    """Fields of /proc/<pid>/stat from the third on; the second, the name, may hold anything."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    return text.rpartition(")")[2].split()


# --- programs of others, as children --------------------------------------------------------------------------

_HARMLESS_POSIX = ("HOME", "LANG", "LC_ALL", "LC_CTYPE", "LOGNAME", "PATH", "SHELL", "TERM", "TMPDIR", "TZ", "USER")
_HARMLESS_WINDOWS = (
    *("APPDATA", "COMSPEC", "HOMEDRIVE", "HOMEPATH", "LOCALAPPDATA", "PATH", "PATHEXT", "PROCESSOR_ARCHITECTURE", "PROGRAMDATA"),
    *("PROGRAMFILES", "SYSTEMDRIVE", "SYSTEMROOT", "TEMP", "TMP", "USERNAME", "USERPROFILE", "WINDIR"),
)
_KEEPER = 'read -r _ || { sleep 1; kill -TERM "-$1"; sleep 2; kill -KILL "-$1"; }'


def harmless_variables() -> dict[str, str]:
    """What a program needs of this process's environment to find its way; keys and tokens, which others may hold, are not among it."""
    names = _HARMLESS_WINDOWS if IS_WINDOWS else _HARMLESS_POSIX
    return {name: os.environ[name] for name in names if name in os.environ}


def start_group(command: Sequence[str], *, env: Mapping[str, str], cwd: str | os.PathLike[str] | None) -> subprocess.Popen[bytes]:
    """Start a program on three unbuffered pipes, in a group of its own: the Ctrl-C of this terminal is not for it.

    On Windows `npx` and the like are found, which are `npx.cmd` there.

    Raises:
        OSError: It cannot be started.
    """
    apart: dict[str, Any] = {"start_new_session": True}
    program, *arguments = command
    if IS_WINDOWS:
        apart = {"creationflags": getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0) | getattr(subprocess, "CREATE_NO_WINDOW", 0)}
        program = shutil.which(program, path=env.get("PATH")) or program
    pipe = subprocess.PIPE
    return subprocess.Popen([program, *arguments], stdin=pipe, stdout=pipe, stderr=pipe, bufsize=0, env=dict(env), cwd=cwd, **apart)  # noqa: S603  # its caller's own command


def end_group(process: subprocess.Popen[bytes], *, at_once: bool = False) -> None:
    """Ask a program of `start_group`, and what it has started, to end, or end them.

    Windows has no way to ask a program without a window: it is ended.
    """
    if IS_WINDOWS:
        taskkill = Path(os.environ.get("SYSTEMROOT", r"C:\Windows")) / "System32" / "taskkill.exe"
        with suppress(OSError):
            subprocess.run([taskkill, "/T", "/F", "/PID", str(process.pid)], capture_output=True, check=False)  # noqa: S603  # the system's own
        return
    with suppress(ProcessLookupError, PermissionError):  # macOS says the latter of a group that has ended and was not waited for
        os.killpg(process.pid, signal.SIGKILL if at_once else signal.SIGTERM)


class Keeper:
    """Ends a program of `start_group` when this process has died without doing so.

    The end of its stdin tells a program that its client is gone, and most listen. For those that do not, a shell waits
    beside it for the end of this process. Where there is no shell (Windows), what does not listen stays.
    """

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._shell: subprocess.Popen[bytes] | None = None
        if IS_WINDOWS:
            return
        command = ["/bin/sh", "-c", _KEEPER, "mcp-workbench-keeper", str(process.pid)]
        null = subprocess.DEVNULL
        with suppress(OSError):  # a system without a shell there
            self._shell = subprocess.Popen(  # noqa: S603  # ours
                command, stdin=subprocess.PIPE, stdout=null, stderr=null, bufsize=0, cwd="/", start_new_session=True
            )

    def release(self) -> None:
        """The program has ended; waits for the shell to end too, which is soon."""
        shell, self._shell = self._shell, None
        if shell is not None and shell.stdin is not None:
            with suppress(OSError), shell.stdin:  # somebody else may have ended it
                shell.stdin.write(b"\n")
            shell.wait()

    def forget_in_child(self) -> None:
        """After a fork: a copy of its pipe would hide that the parent has died."""
        if self._shell is not None and self._shell.stdin is not None:
            self._shell.stdin.close()


# --- files only their owner may read -------------------------------------------------------------------------


def make_private_folder(path: Path) -> None:
    """Make a folder that only its owner may enter, or make an existing one so.

    On Windows the folder inherits the access rules of the user's own folders.

    Raises:
        PermissionError: What is there is a link, no folder, or somebody else's.
    """
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    if IS_WINDOWS:
        return
    facts = path.lstat()
    if not stat.S_ISDIR(facts.st_mode) or facts.st_uid != os.geteuid():
        raise PermissionError(errno.EPERM, "must be a folder of your own, for it will hold a token: move what is there away", str(path))
    if stat.S_IMODE(facts.st_mode) != 0o700:
        path.chmod(0o700)


def create_private_file(path: Path) -> int:
    """A descriptor for writing a file that is new, and that only its owner may read.

    Raises:
        FileExistsError: Something is there, be it a link that leads nowhere.
    """
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0), 0o600)


def open_unfollowed(path: Path) -> int:
    """A descriptor for reading a file; a link is not followed and a pipe not waited for, where the system can."""
    return os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))


def not_private(facts: os.stat_result) -> str | None:
    """Why an open file must not be trusted with a token, as a phrase; None: only its owner, who we are, can have written it."""
    if not stat.S_ISREG(facts.st_mode):
        return "is not a plain file"
    if IS_WINDOWS:
        return None
    if facts.st_uid != os.geteuid():
        return "belongs to another user"
    if stat.S_IMODE(facts.st_mode) & 0o077:
        return "could be read or written by others: its mode must be 0600"
    return None


def is_somebody_elses(facts: os.stat_result) -> bool:
    """Whether a file belongs to another user; Windows is not asked, whose own rules say who may write."""
    return not IS_WINDOWS and facts.st_uid != os.geteuid()


# --- sockets -------------------------------------------------------------------------------------------------


def reuse_address(listener: socket.socket) -> None:
    """Let a listening socket take a port that was just given up."""
    if not IS_WINDOWS:
        # There the option would let another process take the port over.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
