"""The model card: what a model is for, what it is not for, how good it is; generated, and the same for the same model.

After Mitchell et al. 2019, "Model Cards for Model Reporting". Committed under `models/cards/`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from features.record.claimed_knowledge import ClaimedKnowledge
from models.risk_model import RiskModel
from models.targets import TARGETS
from training.evaluate import LISTED
from training.gates import Gate

_NOT_FOR = (
    "a finding about a person: a score is a reason to look, never a judgement (dấu hiệu cần kiểm tra)",
    "pay, discipline or ranking of officials",
    "refusing or delaying a dossier",
    "dossiers without a promise, or of a procedure whose clock the record does not hold",
)
_LIMITS = (
    "learns from the record alone: what an office does not enter is not seen",
    "a due date derived from the legal term misses clock stops that were not delivered",
    "in the first weeks of a young record rates and queues are not yet what they seem; they are shrunk to the whole",
    "a promise that the office moved counts by the lawful one: the first, the citizen's time, one extension in time",
)


def card(model: RiskModel, sha256: str, gates: Sequence[Gate] = (), groups: Mapping[str, Any] | None = None) -> str:
    """The card in Markdown. `groups`: figures by group of dossiers (`training.fairness`), where they were made."""
    about, asked = model.about, TARGETS[model.target]
    training = about.get("training", {})
    lines = [
        f"# Model card: {model.target}",
        "",
        f"**What.** {asked.words_en}. *{asked.words_vi}.* Horizon: {asked.horizon}. Law: {asked.law}.",
        "",
        "**For whom.** Inspectors (where to look first), heads of units (what goes wrong in the next days), analysts.",
        "",
        "**Not for.**",
        *(f"- {words}" for words in _NOT_FOR),
        "",
        "## Made from",
        "",
        "| | |",
        "|---|---|",
        f"| identity (sha256 of the manifest) | `{sha256}` |",
        *(
            f"| {name.replace('_', ' ')} | `{about.get(name, 'unknown')}` |"
            for name in ("cutoff", "record_version", "calendar", "git_commit", "lock_hash", "features_hash")
        ),
        f"| dossiers / landmarks | {training.get('dossiers', 0):,} / {training.get('rows', 0):,} |",
        f"| share of label 1 | {training.get('late_rate', 0):.1%} |",
        f"| recipe | {training.get('recipe', 'unknown')} |",
        f"| blend | {', '.join(f'{name} {weight:.2f}' for name, weight in model.weights.items())} |",
        f"| best simple rule | {model.rule} |",
        f"| calibration | intercept {model.intercept:+.3f}, slope {model.slope:.3f} |",
        f"| features | {len(model.encoder.features)} |",
        *([f"| dated back | {ClaimedKnowledge(**claimed)} |"] if (claimed := about.get("claimed_knowledge")) else []),
        "",
        "## Figures",
        "",
        "On dossiers received in the last part of the training period, scored by models fitted before them.",
        "95 % intervals by bootstrap over dossiers.",
        "",
        f"| | AUC | AP | Brier | precision of the top {LISTED:.0%} |",
        "|---|---|---|---|---|",
        *_figures(about.get("figures", {})),
        "",
        *_groups(groups),
        "## Gates",
        "",
        *(f"- {'holds' if gate.holds else '**refuses**'}: {gate.name} ({gate.words})" for gate in gates),
        *([] if gates else ["- not asked yet"]),
        "",
        "## Limits",
        "",
        *(f"- {words}" for words in _LIMITS),
        "",
        "## Contact",
        "",
        "The analysts of the office that runs this installation; every score has an answer button that reaches them.",
        "",
    ]
    return "\n".join(lines)


def _figures(figures: Mapping[str, Any]) -> list[str]:
    names = {"blend": "product", "rule": "best simple rule", "blend_over_rule": "product − rule"}
    rows = []
    for who, words in names.items():
        if who in figures:
            cells = [_figure(figures[who].get(metric)) for metric in ("auc", "ap", "brier", "listed")]
            rows.append(f"| {words} | {' | '.join(cells)} |")
    return rows or ["| no later slice to judge by | | | | |"]


def _groups(groups: Mapping[str, Any] | None) -> list[str]:
    if not groups:
        return []
    rows = [
        f"| {name} | {group['n']:,} | {group['late']:.3f} | {group['score']:.3f} | {_figure(group['gap'])} |"
        for name, group in groups.items()
    ]
    return [
        "## Groups",
        "",
        "| group | n | label 1 | mean score | score − label 1 |",
        "|---|---|---|---|---|",
        *rows,
        "",
    ]


def _figure(interval: Sequence[float | None] | None) -> str:
    if interval is None or interval[0] is None:
        return "–"
    value, low, high = interval
    return f"{value:.3f}" if low is None else f"{value:.3f} [{low:.3f}, {high:.3f}]"
