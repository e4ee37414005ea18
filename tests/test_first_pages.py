"""`python -m tests.bench first-pages`: what each page costs a server just started, beside the second time."""

import pytest

from tests.bench.pages import first_pages_section


def test_a_page_stands_beside_its_second_time_also_where_that_took_less_than_a_tick() -> None:
    told = [
        {
            "start, until all is read": 9.0,
            "/, first": first,
            "/, second": 0.5,
            "/list, first": 1.0,
            "/list, second": 0.0,
        }
        for first in (1.0, 3.0)
    ]
    ratios = {figure.name: figure.ratio for figure in first_pages_section(told).figures}
    assert ratios.pop("/, first") == pytest.approx(4.0)
    assert set(ratios.values()) == {None}
