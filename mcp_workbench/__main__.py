"""`python -m mcp_workbench`: the same as `mcp-workbench`."""

import os
import sys

from mcp_workbench.cli import main

if __name__ == "__main__":
    # `python -m` puts the folder it is started in before everything: hosts start the bridge in people's projects, where a
    # secrets.py or queue.py of theirs would take the place of Python's.
    home = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120  # pathlib would already be looked for there
    if not sys.flags.safe_path and sys.path[0] != home:
        del sys.path[0]
    main()
