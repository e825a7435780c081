"""What MCP says: eras and versions, the Peer, capabilities, the subscriptions of a connection, content.

Pure: no clock, no await, no I/O; texts in -> events out, calls in -> texts out. The neighbours are
`mcp_workbench.jsonrpc` below and `mcp_workbench.sessions` and `mcp_workbench.client` above, which own
timers and queues.
"""
