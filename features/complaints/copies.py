"""Complaints that say the same in nearly the same words: one letter sent again, or signed by many.

Candidates share many character n-grams (scikit-learn, hashed, cosine); of those, a pair counts whose words agree in
any order (rapidfuzz, `token_sort_ratio`). Codes and numbers are left out: the same letter about another dossier is
the same letter.
"""

from collections.abc import Sequence

import numpy as np
from rapidfuzz import fuzz

ALIKE = 88.0
"""`token_sort_ratio` (0–100) from which two texts say the same."""
CANDIDATE = 0.6
"""Cosine under which a pair is not looked at."""
LEAST_WORDS = 6
"""Shorter texts are alike by chance: "chưa có kết quả" says the same of everybody."""
CHUNK = 512


def first_alike(wordings: Sequence[str], about: Sequence[str], day: Sequence[float], within: float) -> list[int]:
    """For each text the place of the first text that says the same; its own place where none does.

    `wordings` (`features.complaints.topics.wording`) in order of filing, `about`: whom or what each is about, `day`
    of filing: only texts about the same within so many days are compared.
    """
    first = list(range(len(wordings)))
    places: dict[str, list[int]] = {}
    for place, (text, key) in enumerate(zip(wordings, about, strict=True)):
        if key and text.count(" ") + 1 >= LEAST_WORDS:
            places.setdefault(key, []).append(place)
    for members in places.values():
        if len(members) > 1:
            _look(members, wordings, np.asarray([day[place] for place in members]), within, first)
    return first


def _look(members: list[int], wordings: Sequence[str], day: np.ndarray, within: float, first: list[int]) -> None:
    from sklearn.feature_extraction.text import HashingVectorizer

    terms = HashingVectorizer(analyzer="char_wb", ngram_range=(4, 4), n_features=2**16, alternate_sign=False)
    grams = terms.transform([wordings[place] for place in members])
    for begin in range(0, len(members), CHUNK):
        shared = (grams[begin : begin + CHUNK] @ grams.T).toarray()
        for row, cosine in enumerate(shared, start=begin):
            near = np.flatnonzero((cosine[:row] >= CANDIDATE) & (day[row] - day[:row] <= within))
            for other in near.tolist():
                if fuzz.token_sort_ratio(wordings[members[row]], wordings[members[other]]) >= ALIKE:
                    first[members[row]] = first[members[other]]
                    break
