"""The record: everything that was ever delivered, and when it could be known. Appended to, never changed."""
