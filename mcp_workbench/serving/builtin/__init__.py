"""The workbench's own tools: what an agent meets before and beside the functions of the notebook's author.

One module per subject: `notebook` (what is here, what is new), `dataframes` (describe, read, changes), `jobs` and
`calling` (`notebook_call`); how longer texts are written stands in the modules `…_report`. A module has a class with
one method per tool and a method `tools()` that defines them with `own_tools.define`; `Offer` adds each class as one
`Group` to its `OwnTools`, which offers a group while its condition holds and keeps its names from the author. Groups
are made when first offered: defining costs milliseconds that the first `@wb.tool` must not pay.

A tool that may wait for news gives `define` a function `waits` (see `ToolDefinition.waits`): the call holds no thread
until `Waiting.ready` says so. Whoever makes news writes it into `live.chronicle`, which wakes those who wait. A tool
whose text depends on how much of it fits returns a `Fitted` (see `fitting`): the budget of this very client
decides. What models send instead of what is meant is read by `lenient`.
"""
