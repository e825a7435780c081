"""Where user code runs: calls, threads, the loop of async tools, inline tools, cancellation, progress."""
