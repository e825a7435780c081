"""One driver per client: channel + Peer + outbox + timers, and the registry of them all. Knows no tools and no DataFrames."""
