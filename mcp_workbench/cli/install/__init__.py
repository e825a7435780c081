"""`mcp-workbench config HOST --install`: the entry that starts the bridge, put into a host's own settings by editing their text.

Chapters in reading order: `places` knows where each host keeps its settings; `files` reads and writes them with care;
`jsonc` and `tables` put one entry into JSON with comments and into TOML and take it out again, touching nothing else;
`edits` decides what is to be done; `claude` leaves it to Claude Code's own program; `installing` does it and tells.
No chapter starts a host or looks for one; no token is ever written.
"""

from __future__ import annotations

NOT_SAFELY = "it is written in a way that could not be edited safely: do it by hand, as `mcp-workbench config` shows"


class Refused(Exception):
    """What is there is not understood, or not to be touched: nothing was changed. The sentence says why and what helps."""
