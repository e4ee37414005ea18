"""What is predicted: a target is a cohort, a horizon and a label, in words and in SQL, with its law.

The targets themselves stand in `models.targets`, what asks the record for them in `models.cases`. This module needs
neither DuckDB nor Arrow: commands read names and words from it before they load those.
"""

from __future__ import annotations

from dataclasses import dataclass

PROMISE_AHEAD = "is_open AND NOT late AND lawful_due_at IS NOT NULL AND (waits OR lawful_due_at > read_at)"
"""A dossier known, open and not late, whose lawful promise lies ahead, or stands still with its clock (papers
requested, suspended). One without any promise or term is in no cohort, for nothing can be missed."""


@dataclass(frozen=True)
class Target:
    """A question about an open dossier whose answer comes later, by its lawful promise as known then.

    A label is ripe when that horizon lies before the cutoff, of what ended earlier too: counting the early endings of
    an unfinished horizon favours short dossiers (matured cohort, methods.md 1).

    short_vi, short_en: the same in a menu.
    past_vi, past_en: what is said of earlier dossiers of label 1 ("trước đây 7% hồ sơ …", "7% of past dossiers …").
    cohort: SQL condition on `case_state` (features.case_state.relation) read at the moment of the case. label: SQL that
    gives 1, 0 or NULL of a ripe case, from `a` (the case: dossier_id, as_of, nth), `s` (as known at `as_of`: due_at the
    lawful promise, promised_at the one in force, received_at, procedure_code), `f` (case_state at the cutoff) and the
    relations `known_event` (standing events as known at the cutoff) and `act` (those of a case, by `nth`, within its
    horizon and before the end). given: relations of the label's own, `name AS (SELECT …)`, over these and the record
    with `$cutoff`.
    overdue_is_certain: the promise itself answers once it has passed, so lists hold overdue dossiers too.
    """

    name: str
    words_vi: str
    words_en: str
    short_vi: str
    short_en: str
    past_vi: str
    past_en: str
    label: str
    law: str = "Nghị định 118/2025/NĐ-CP"
    horizon: str = "from as_of until the lawful promise as known at as_of"
    cohort: str = PROMISE_AHEAD
    given: str = ""
    overdue_is_certain: bool = False
