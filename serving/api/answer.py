"""JSON answers straight from dataclasses: no second model, no conversion on the way."""

from typing import Any

import orjson
from fastapi import Response


def answer(value: Any, status: int = 200) -> Response:
    """`value` (dataclasses, dicts, lists, aware datetimes) as a JSON response; NaN becomes null."""
    return Response(orjson.dumps(value, option=orjson.OPT_UTC_Z), status, media_type="application/json")
