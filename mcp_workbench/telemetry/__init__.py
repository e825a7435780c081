"""What happened: call records, histograms, session records. Pure, fed by events, never slows the path."""
