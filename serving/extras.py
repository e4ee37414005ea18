"""Which extra of the distribution brings a library that the serving install is without, and how to say so.

The base installs what serves: intake, scoring, lists, plans, pages, API, jobs. Whatever else is imported where it is
used; where it is absent, the command or the page says which extra to install, and the rest works on.
"""

EXTRA_OF = {
    "mlflow": "train",
    "optuna": "train",
    "shap": "train",
    "fairlearn": "train",
    "matplotlib": "train",
    "pandas": "train",
    "docx": "reports",
    "docxtpl": "reports",
    "xlsxwriter": "reports",
    "apprise": "chat",
    "psycopg": "postgres",
    "pyspark": "spark",
    "dask": "cluster",
    "distributed": "cluster",
    "opentelemetry": "otel",
}
"""Extra by the name that Python imports."""


def missing_extra(error: ImportError) -> str | None:
    """The extra to install where `error` tells of a library of one; None for any other library."""
    return EXTRA_OF.get((error.name or "").split(".")[0])


def advice(extra: str) -> str:
    """What to do for `extra`, in a line."""
    return f"this installation is without the extra `{extra}`: install dossier-risk[{extra}] (uv sync --extra {extra})"
