"""`python -m mcp_workbench`: the same as `mcp-workbench`."""

from mcp_workbench.cli import main

if __name__ == "__main__":
    main()
