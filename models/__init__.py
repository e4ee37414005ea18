"""What we predict: targets (cohort, label, horizon), the additive risk model, its checked artefact, reasons in words.

Start at `targets` and `risk_model` (score and contributions in one call). `cards/` holds generated
figures and model cards. Imports `features` alone.
"""
