"""What is told to a view, one module a kind of facts; `catalog` lists them, `sources` is what they read."""
