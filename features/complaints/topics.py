"""What a complaint is about, from its words: helps triage, scores nobody.

Learnt from the sentences and cues of `phrases.toml`, which were written for this project: character n-grams inside
words weighted by TF-IDF, a mark for each cue that holds, and a logistic regression (scikit-learn). Diacritics,
capitals, numbers and codes are dropped first, so that `tre hen` and `Trễ hẹn` are one. Nothing is downloaded, and
the same words give the same answer.
"""

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from features.spelling.codes import without_codes
from features.spelling.names import plain

PHRASES = Path(__file__).with_name("phrases.toml")
SURE = 0.3
"""Probability under which no topic is given: somebody reads the text."""
BESIDE = 0.2
"""Probability from which a second topic is named beside the first."""


@dataclass(frozen=True)
class Topic:
    """The topic of one text, `other` where the words don't show it, with its probability, and further topics."""

    topic: str
    confidence: float
    beside: tuple[str, ...] = ()


def topics(texts: Sequence[str]) -> list[Topic]:
    """The topic of each text, in order."""
    if not texts:
        return []
    model, cues = _model()
    names = [str(name) for name in model.classes_]
    found = []
    for text, row in zip(texts, model.predict_proba([_marked(wording(text), cues) for text in texts]), strict=True):
        ranked = sorted(zip(row.tolist(), names, strict=True), key=lambda one: (-one[0], one[1]))
        confidence, name = ranked[0]
        if not wording(text) or confidence < SURE:
            name = "other"
        beside = tuple(other for share, other in ranked if share >= BESIDE and other not in (name, "other"))
        found.append(Topic(name, round(confidence, 3), beside))
    return found


@lru_cache(maxsize=65536)
def wording(text: str) -> str:
    """The words of a text as they are compared: without diacritics, codes, numbers, marks and capitals."""
    letters = "".join(sign if sign.isalpha() else " " for sign in plain(without_codes(text)))
    return " ".join(letters.split())


@lru_cache(maxsize=1)
def _model() -> tuple[Any, dict[str, re.Pattern[str]]]:
    """The fitted pipeline, and the cue of each topic."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    with PHRASES.open("rb") as file:
        phrasebook = tomllib.load(file)
    cues = {name: re.compile(pattern) for name, pattern in phrasebook["cue"].items()}
    texts = [_marked(wording(text), cues) for phrases in phrasebook["phrase"].values() for text in phrases]
    names = [name for name, phrases in phrasebook["phrase"].items() for _ in phrases]
    terms = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), sublinear_tf=True)
    return make_pipeline(terms, LogisticRegression(C=20, max_iter=500)).fit(texts, names), cues


def _marked(words: str, cues: dict[str, re.Pattern[str]]) -> str:
    """The words with a mark, which no Vietnamese word is, for every topic whose cue holds."""
    return " ".join([words, *(f"zq{name}" for name, cue in cues.items() if cue.search(words))])
