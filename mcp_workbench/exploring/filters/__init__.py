"""The one filter language of traffic: `tool:sum dur:>5ms -outcome:ok args.region:EMEA`.

`parse` makes a `Filter` of a text: a predicate on call records and on messages, and a mask of their DataFrames with the same
meaning. The way: `scanning` (text -> words), `parsing` (words -> `tree`), `keys` (what each key compares), `values`, `moments`
and `members` (with what), `filter` (trees -> predicates), `masking` (trees -> masks). Nothing here imports pandas; no text of a
filter becomes a regular expression or code. The grammar stands in docs/traffic.md.
"""

from mcp_workbench.exploring.filters.errors import FilterError
from mcp_workbench.exploring.filters.filter import Filter, parse

__all__ = ["Filter", "FilterError", "parse"]
