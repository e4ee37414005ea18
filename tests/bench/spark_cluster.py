"""A Spark of two worker processes on this machine, for the tests and `cluster`."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

WORKERS = 2


@contextmanager
def spark_cluster(megabytes: int = 1024, partitions: int = 4) -> Iterator[Any]:
    """A session on a master and two workers, each with an executor process of one core and so much memory.

    Everything listens on the loopback address, and what Spark writes is removed at the end.
    """
    import pyspark
    from pyspark.sql import SparkSession

    with TemporaryDirectory(prefix="risk-spark-", ignore_cleanup_errors=True) as folder:
        home = Path(folder, "home")
        home.mkdir()
        for part in ("bin", "jars"):  # workers write beside them, and a package's folder is no place for that
            (home / part).symlink_to(Path(pyspark.__file__).parent / part)
        there = {
            "SPARK_HOME": str(home), "SPARK_LOCAL_IP": "127.0.0.1", "SPARK_LOCAL_HOSTNAME": "localhost",
            "PYSPARK_PYTHON": sys.executable,
        }  # fmt: skip
        with patch.dict(os.environ, there):
            builder = SparkSession.builder.master(f"local-cluster[{WORKERS},1,{megabytes}]").appName("dossier-risk")
            for key, value in {
                "spark.ui.enabled": "false", "spark.ui.showConsoleProgress": "false",
                "spark.driver.bindAddress": "127.0.0.1", "spark.driver.host": "127.0.0.1",
                "spark.driver.memory": "2g", "spark.executor.memory": f"{megabytes}m",
                "spark.sql.shuffle.partitions": str(partitions), "spark.sql.adaptive.enabled": "false",
                "spark.sql.warehouse.dir": str(Path(folder, "warehouse")), "spark.local.dir": folder,
                "spark.network.timeout": "600s", "spark.executor.heartbeatInterval": "60s",
            }.items():  # fmt: skip
                builder = builder.config(key, value)
            session = builder.getOrCreate()
            session.sparkContext.setLogLevel("ERROR")
            try:
                yield session
            finally:
                session.stop()


def executors(session: Any) -> int:
    """How many executors have reported; the driver is none."""
    return int(session.sparkContext._jsc.sc().getExecutorMemoryStatus().size()) - 1
