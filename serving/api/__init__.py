"""The HTTP API, version 1: one router a noun; errors in one shape (RFC 9457)."""
