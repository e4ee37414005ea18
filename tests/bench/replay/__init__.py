"""Replays: what a way of choosing visits would have found, on histories whose outcomes are known."""
