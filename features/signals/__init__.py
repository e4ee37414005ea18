"""Signals: declared rules that say where to look, point in time. A signal is never a verdict."""

from features.signals.evaluate import DOSSIER_SIGNALS, evaluate
from features.signals.held import HELD_SIGNALS, evaluate_held
from features.signals.signal import HeldSignal, Signal

__all__ = ["DOSSIER_SIGNALS", "HELD_SIGNALS", "HeldSignal", "Signal", "evaluate", "evaluate_held"]
