"""Exploring what crossed the wire: from this server, from this notebook as a client, through taps and from recordings.

Below are `telemetry` (what is remembered) and `client` (how to ask again); above, `workbench` and the views show it.
"""
