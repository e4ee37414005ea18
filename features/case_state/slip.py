"""The receipt slip: which of the due moments that a dossier's rows told is the first promise."""


def first_promise(rows: str) -> str:
    """A subquery of the first promise by dossier (`features.case_state.state`) among the dossier rows `rows`."""
    return f"""(
        SELECT dossier_id, min(due_at) AS due_at
        FROM (SELECT *, max(known_at) OVER (PARTITION BY dossier_id) AS written_at
              FROM (SELECT dossier_id, due_at, known_at, min(known_at) OVER (PARTITION BY dossier_id) AS first_at
                    FROM {rows} WHERE due_at IS NOT NULL)
              WHERE known_at <= first_at + INTERVAL 1 DAY)
        WHERE known_at = written_at GROUP BY dossier_id)"""
