"""What the service's processes log: one JSON object a line on standard error, without people's data."""

import json
import logging
from datetime import UTC, datetime


class JsonLines(logging.Formatter):
    """One JSON object a line: no message can forge a second one (log injection)."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as JSON, `extra={"fields": {…}}` beside its message; of an exception its kind and place, not its
        words, which may show a row.
        """
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        fields = {"at": at, "level": record.levelname, "from": record.name}
        fields |= {"message": record.getMessage(), **getattr(record, "fields", {})}
        if record.exc_info and record.exc_info[0]:
            trace = record.exc_info[2]
            while trace and trace.tb_next:
                trace = trace.tb_next
            place = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else ""
            fields |= {"error": record.exc_info[0].__name__, "place": place}
        return json.dumps(fields, ensure_ascii=False)


def log_as_json() -> None:
    """Sends everything that the process logs to standard error, a JSON object a line."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.getLogger("alembic").setLevel(logging.WARNING)  # it tells of itself at each start
