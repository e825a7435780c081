"""Traffic for the tools of others: recordings as files, `har` for browsers' network panels and `parquet` for tables; and `otlp_*`, calls
told to an OpenTelemetry collector as they end."""
