"""What a server process starts from: the application of the installation that the environment names."""

import gc
import sys
from typing import TYPE_CHECKING

from serving.log_lines import log_as_json
from serving.settings import Settings

if TYPE_CHECKING:
    from fastapi import FastAPI

_TURN = 0.0005
"""Seconds for which a thread of Python may keep others waiting; the usual 5 ms add up where a request that calls many
libraries meets a poll.
"""


class _NoPandas:
    """A finder that says of pandas what it says where that is not installed."""

    @staticmethod
    def find_spec(name: str, *_: object) -> None:
        """Nothing for any other module: the next finder is asked."""
        if name == "pandas":
            raise ModuleNotFoundError("a server has no use of pandas", name=name)


def app_from_env() -> "FastAPI":
    """The application, without pandas: pyarrow would load it wherever it is installed, for half a second of processor
    time.
    """
    log_as_json()
    sys.setswitchinterval(_TURN)
    sys.meta_path.insert(0, _NoPandas)
    from serving.app import create_app

    app = create_app(Settings.from_env(), at_once=True)
    gc.collect()
    gc.freeze()  # what is there now stays: to look through it for garbage would hold up requests
    return app
