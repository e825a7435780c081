"""The command line: `mcp-workbench bridge | demo | lab | list | panel | config | tap | replay | bench`.

`app` names the commands and imports each one only when it runs, so that `--help` stays quick; `demo` is the story
that a newcomer sees first, `kernels` starts Jupyter kernels for it, `listing` finds those of others.
"""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line; the exit code is the command's."""
    if sys.argv[1:2] == ["bridge"]:
        # Hosts start it with each session and wait for it: what reads the other commands' options takes longer than it does.
        from mcp_workbench.cli.bridge import run_bridge

        raise SystemExit(run_bridge(sys.argv[2:]))
    from mcp_workbench.cli.app import app  # here, because this package is also imported for its parts

    app(prog_name="mcp-workbench")
