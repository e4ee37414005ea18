"""How we learn: splits in time, fit, calibration, backtests, MLflow runs, gates of promotion, watch, replays.

Start at `run` (one training) and `backtest`; `replay/` tries ways of choosing visits where outcomes are known.
Imports `models` and `features`; `serving` never imports it, except the command line.
"""
