"""Pages over 200,000 open dossiers, asked by 16 connections: all answered; how fast is printed, not asserted."""

import json
import os
import statistics
import sys
import threading
import time
from datetime import timedelta
from http.client import HTTPConnection
from pathlib import Path

import pytest

from serving.settings import Settings
from tests.drawn_office import AS_OF, store_scores, unit_of
from tests.drawn_people import NOW, sit_down_at, staffed_office
from tests.drawn_server import running

pytestmark = pytest.mark.slow

OPEN = 200_000
CONNECTIONS = 16
REQUESTS = 800


@pytest.fixture(scope="module")
def crowded(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The drawn office with 200,000 open dossiers on its list; those of the record are among them."""
    settings = staffed_office(tmp_path_factory.mktemp("crowd"))
    rows: list[dict[str, object]] = [
        {
            "dossier_id": f"H99.13-260914-{number:06d}" if number >= 90 else f"H99.13-260914-{number:04d}",
            "procedure_code": f"1.{number % 900:03d}",
            "unit_code": unit_of(number),
            "received_at": AS_OF - timedelta(hours=number % 700),
            "due_at": AS_OF + timedelta(hours=number % 300 - 60),
        }
        for number in range(OPEN)
    ]
    store_scores(settings, rows)
    return settings


def measure(address: str, cookie: str, paths: list[str]) -> list[float]:
    """Seconds of each answer, REQUESTS of them over CONNECTIONS keep-alive connections that ask without pause."""
    host, port = address.removeprefix("http://").split(":")
    taken: list[float] = []
    failures: list[int] = []

    def ask(first: int) -> None:
        connection = HTTPConnection(host, int(port), timeout=60)
        for number in range(first, REQUESTS, CONNECTIONS):
            began = time.perf_counter()
            connection.request("GET", paths[number % len(paths)], headers={"Cookie": f"risk_session={cookie}"})
            answer = connection.getresponse()
            answer.read()
            taken.append(time.perf_counter() - began)
            if answer.status != 200:
                failures.append(answer.status)
        connection.close()

    workers = [threading.Thread(target=ask, args=(first,)) for first in range(CONNECTIONS)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert failures == []
    return sorted(taken)


def told(name: str, taken: list[float]) -> None:
    """Median and 99th percentile in milliseconds, printed and kept as an artefact."""
    median, p99 = 1000 * statistics.median(taken), 1000 * taken[int(0.99 * len(taken))]
    line = {"page": name, "median_ms": round(median, 1), "p99_ms": round(p99, 1), "load": os.getloadavg()[0]}
    print(json.dumps(line), file=sys.stderr)
    folder = os.environ.get("RISK_ARTEFACTS")
    if folder:
        with (Path(folder) / "page_speed.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")


def test_sixteen_readers_at_once_get_every_page_of_200_000_open_dossiers(crowded: Settings) -> None:
    cookie = sit_down_at(crowded, "thanhtra", NOW)
    with running(crowded.home, workers=2) as address:
        lists = ["/list", "/list?offset=25", "/list?unit=x2", "/list?sector=DD&level=r3", "/list?offset=150000"]
        dossiers = [f"/dossier?id=H99.13-260914-{number:04d}" for number in range(60)]
        for paths in (lists, dossiers):
            measure(address, cookie, paths[:5])  # both processes have read everything
        told("list", measure(address, cookie, lists))
        told("dossier", measure(address, cookie, dossiers))
