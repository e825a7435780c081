"""The command line: `mcp-workbench demo | bench | list | config`."""
