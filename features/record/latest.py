"""Which version of a row stands: the one that became known last.

Rows of one key (`features.record.schema.Table.key`) are versions of one thing, for nothing is ever changed in the
record.
Of several that became known at the same moment the greatest row id stands. No other place says so: SQL that wants
the standing version reads the view `<table>_latest` of `features.record.record.Record.connect`, `latest` where it
narrows the rows first, or `newest` where each case has a moment of its own.
"""

from features.record.schema import TABLES

SUFFIX = "_latest"
"""What the view of a table's standing versions is called by: `dossier_latest`."""

KEYS: dict[str, tuple[str, ...]] = {
    **{table.name: table.key for table in TABLES.values()},
    "event": ("dossier_id", "coalesce(event_id, row_id)"),  # an event that its source gave no id has one version
    "official": ("official_id", "unit_code", "valid_from"),  # back at the same office is another post
}
"""By table: the SQL expressions that name the thing of which rows are versions."""


def newest_first(alias: str = "", among_equals: str = "") -> str:
    """What follows ORDER BY where the version known last comes first. among_equals: an order before the row id."""
    prefix = f"{alias}." if alias else ""
    return f"{prefix}known_at DESC NULLS LAST, {among_equals and among_equals + ', '}{prefix}row_id DESC"


def newest(*keys: str, alias: str = "", first: str = "") -> str:
    """The QUALIFY clause that leaves, of the rows of each key, the version that stands.

    keys: SQL expressions. alias: of the relation that has `known_at` and `row_id`, where several are joined; with the
    moment of the case among the keys and `known_at < as_of` among the conditions it is the version known at that
    moment. first: what to order by before knowledge counts, e.g. `given_at DESC` for the last of several statements.
    """
    order = newest_first(alias)
    return f"QUALIFY row_number() OVER (PARTITION BY {', '.join(keys)} ORDER BY {first and first + ', '}{order}) = 1"


def latest(table: str, where: str = "", *, rows: str = "") -> str:
    """A subquery of the standing versions of a canonical table, in parentheses.

    where: a condition that rows meet before they are compared (what was known then; the dossiers asked for). rows:
    the relation to read in place of the table, with the same columns.
    """
    condition = f" WHERE {where}" if where else ""
    return f"(SELECT * FROM {rows or table}{condition} {newest(*KEYS[table])})"
