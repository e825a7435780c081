"""DataFrames as live resources: snapshots, versions, cards, rows. The only room (with its tests) that knows pandas."""
