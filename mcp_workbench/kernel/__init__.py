"""The hosts inside: the magics of an IPython shell.

`extension` registers them, when `face` makes the default Workbench and for `%load_ext mcp_workbench`. `magics` are the thin fronts;
behind them stand `calling` (with `literals`, `own_loop` and `results`: a call over the wire and its answer in the cell),
`failed_calls` and `debugging` (what went wrong, and once more with the debugger), and `tool_cell` (a cell's function as a tool).
Everything acts through a `Workbench`; nothing here is needed to serve.
"""
