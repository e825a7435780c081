"""The command line: `mcp-workbench demo | list | bench`.

`app` names the commands and imports each one only when it runs, so that `--help` stays quick; `demo` is the story
that a newcomer sees first, `kernels` starts Jupyter kernels for it, `listing` finds those of others.
"""

from __future__ import annotations


def main() -> None:
    """Run the command line; the exit code is the command's."""
    from mcp_workbench.cli.app import app  # here, because this package is also imported for its parts

    app(prog_name="mcp-workbench")
