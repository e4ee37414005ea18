"""Accounts, sessions, tokens, permissions: who somebody is, and what they may do where."""
