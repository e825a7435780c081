"""Bytes <-> texts. Nothing outside this room touches a socket, and nothing in it knows MCP's methods."""
