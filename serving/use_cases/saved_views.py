"""A reader's own saved views, stored and removed; those of others stay invisible."""

from collections.abc import Sequence

from fastapi import Request
from sqlalchemy.orm import Session

from serving.access.route_table import action_of
from serving.read.problem import Problem
from serving.state import SavedView
from serving.use_cases.app_context import context_of
from serving.use_cases.guard import reader_of
from serving.use_cases.idempotent_write import idempotent_write
from serving.work import saved_views


def own_views(request: Request, page: str | None = None) -> Sequence[SavedView]:
    """The reader's views; none while the working state is away, for the list can be read then."""
    if getattr(request.state, "away", False):
        return []
    with context_of(request).people.state.reading() as session:
        return saved_views.views_of(session, reader_of(request).account_id, page)


def write_view(request: Request, page: str, name: str, query: str, key: str, back: str) -> str:
    """Keeps a view of a page that the reader may open; 403 for another, 422 for what is refused."""
    reader, people = reader_of(request), context_of(request).people
    opens = action_of("GET", page)
    if page in saved_views.FILTERS and (opens is None or not reader.may(opens)):
        raise Problem(403, "This role may not do that.")

    def effect(session: Session) -> dict[str, object]:
        saved_views.save_view(session, reader.account_id, page, name, query, now=people.now())
        return {"page": page, "made": name.strip()}

    return idempotent_write(request, key, "view.write", back, effect)


def take_view_away(request: Request, view_id: int, key: str, back: str) -> str:
    """Takes one of the reader's views away; 404 for another's and for an absent one alike."""
    reader = reader_of(request)

    def effect(session: Session) -> dict[str, object]:
        if not 0 < view_id < 2**31 or not saved_views.drop_view(session, reader.account_id, view_id):
            raise Problem(404, "No view of this number.")
        return {"revoked": view_id}

    return idempotent_write(request, key, "view.write", back, effect)
