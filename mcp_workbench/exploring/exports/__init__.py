"""Recordings as files of other tools: `har` for browsers' network panels, `parquet` for tables."""
