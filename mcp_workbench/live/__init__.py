"""Things that change: versions, publications, coalescing, and on top of them DataFrames and kept results."""
