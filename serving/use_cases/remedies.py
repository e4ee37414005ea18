"""What units of a reader's scope must put right."""

from datetime import date

from fastapi import Request

from serving.use_cases.app_context import context_of
from serving.use_cases.guard import reader_of
from serving.work import remediation


def remedies_in(request: Request) -> list[remediation.RemedyStanding]:
    """What the units of the reader's scope must put right, the most urgent first."""
    with context_of(request).people.state.reading() as session:
        return remediation.standing(session, _today(request), reader_of(request).scope.units)


def _today(request: Request) -> date:
    today: date = context_of(request).people.now().astimezone(context_of(request).serving.settings.zone).date()
    return today
