"""Views that an account saved: the filters of a page under a name of its own."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from urllib.parse import parse_qsl, urlencode

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from serving.state import SavedView

FILTERS: Mapping[str, frozenset[str]] = {
    "/list": frozenset({"unit", "sector", "level", "due", "q", "order", "size"}),
    "/cases": frozenset({"kind", "state", "holder", "unit"}),
}
"""Page → the filters of its address that a view keeps; how far one had leafed is none."""
LONGEST_NAME, LONGEST_QUERY, MOST = 80, 1_000, 50


def save_view(session: Session, account_id: int, page: str, name: str, query: str, *, now: datetime) -> SavedView:
    """Keeps the filters under a name; the same name again replaces what it held.

    ValueError for a page without filters, for one that the page has not, for an empty name, and for a 51st view.
    """
    if page not in FILTERS:
        raise ValueError(f"page: wanted one of {', '.join(sorted(FILTERS))}")
    if not 1 <= len(name.strip()) <= LONGEST_NAME:
        raise ValueError(f"name of a view: wanted 1 to {LONGEST_NAME} characters")
    wishes = parse_qsl(query, max_num_fields=20)
    if unknown := {wish for wish, _ in wishes} - FILTERS[page]:
        raise ValueError(f"query: unknown {sorted(unknown)[0][:20]!r}; known: {', '.join(sorted(FILTERS[page]))}")
    written = urlencode([(wish, value) for wish, value in wishes if value])
    if len(written) > LONGEST_QUERY:
        raise ValueError(f"query: wanted at most {LONGEST_QUERY} characters")
    mine = select(SavedView).where(SavedView.account_id == account_id, SavedView.page == page)
    found = session.scalars(mine.where(SavedView.name == name.strip())).first()
    if found is None:
        if (session.scalar(select(func.count()).select_from(mine.subquery())) or 0) >= MOST:
            raise ValueError(f"at most {MOST} views of a page are kept: take one away first")
        found = SavedView(account_id=account_id, page=page, name=name.strip(), query=written, saved_at=now)
        session.add(found)
    found.query, found.saved_at = written, now
    session.flush()
    return found


def drop_view(session: Session, account_id: int, view_id: int) -> bool:
    """Takes one of the account's own views away; False where it has none of this number."""
    mine = (SavedView.id == view_id, SavedView.account_id == account_id)
    return session.execute(delete(SavedView).where(*mine).returning(SavedView.id)).first() is not None


def views_of(session: Session, account_id: int, page: str | None = None) -> Sequence[SavedView]:
    """The account's views of one page, or of all, by name."""
    query = select(SavedView).where(SavedView.account_id == account_id)
    if page is not None:
        query = query.where(SavedView.page == page)
    return session.scalars(query.order_by(SavedView.page, SavedView.name)).all()
