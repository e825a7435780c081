"""What differs: between two calls, two runs of the same requests, a recording and a live server, two versions of a tool.

`differences` finds them in JSON (pure), `answers` says what of a call is compared, `call_diff` and `comparison` are what people
hold, `latencies` lays histograms over each other, `contract` compares tools. `asking`, `consent` and `trials` make recorded
requests again, `verification` puts it all together.
"""
