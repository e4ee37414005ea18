"""Inspection plans: who visits which unit when, drawn with known probabilities, sealed, verifiable."""
