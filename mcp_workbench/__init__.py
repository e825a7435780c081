"""mcp_workbench: your running notebook as an MCP server.

The public face: functions over one default `Workbench`, in the manner of pyplot.
"""

__version__ = "0.1.0"
