"""A real S3 server for tests (moto's), in a process of its own, and buckets in it."""

import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.drawn_mlflow import answering


@contextmanager
def object_store(folder: Path) -> Iterator[str]:
    """The address of an S3 server that lives as long as the test."""
    with answering([sys.executable, "-m", "moto.server", "-H", "127.0.0.1"], "/moto-api/", folder / "s3.log") as url:
        yield url


def environment(address: str) -> dict[str, str]:
    """What the environment says of the server; it asks for no more than a name and a secret."""
    return {
        "AWS_ENDPOINT_URL": address, "AWS_ACCESS_KEY_ID": "risk", "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_REGION": "us-east-1", "AWS_ALLOW_HTTP": "true",
    }  # fmt: skip


def bucket(address: str, name: str) -> str:
    """Makes a bucket and gives the URL of a record in it."""
    urllib.request.urlopen(urllib.request.Request(f"{address}/{name}", method="PUT"), timeout=30).close()
    return f"s3://{name}/record"


def remove(address: str, url: str) -> None:
    """Removes the object at an `s3://…` URL."""
    path = url.removeprefix("s3://")
    urllib.request.urlopen(urllib.request.Request(f"{address}/{path}", method="DELETE"), timeout=30).close()
