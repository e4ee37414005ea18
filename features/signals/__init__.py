"""Signals: declared rules that say where to look, point in time. A signal is never a verdict."""

from features.signals.evaluate import DOSSIER_SIGNALS, evaluate
from features.signals.signal import Signal

__all__ = ["DOSSIER_SIGNALS", "Signal", "evaluate"]
