"""The version, in the one place Python reads it from."""

__version__ = "0.1.0"
