"""How messages are written to standard error: lines for a person, or a JSON object a line for a collector of logs."""

from collections.abc import Sequence
from datetime import UTC, datetime
import json
import logging
import os

from .config import Config, LogFormat
from .option_table import OPTIONS


class JsonFormatter(logging.Formatter):
    """Writes a record as one JSON object: `at` (UTC), `level`, `logger`, `message`, and `error` with its traceback."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line)


def adopt(config: Config) -> None:
    """Let what is logged from now on look as the configuration says."""
    root = logging.getLogger()
    if config.verbose:
        root.setLevel(logging.DEBUG)
        logging.getLogger("zeroconf").setLevel(logging.NOTSET)
    if config.log_format is LogFormat.JSON:
        for handler in root.handlers:
            handler.setFormatter(JsonFormatter())


def last_words(text: str, arguments: Sequence[str]) -> str:
    """Return the line in which a command says why it ends; it may end before there is any configuration."""
    option = next(item for item in OPTIONS if item.key == "log.format")
    wanted = os.environ.get(option.variable, "").strip()
    for number, argument in enumerate(arguments):
        name, _, value = argument.partition("=")
        if name == option.flag:
            wanted = value or next(iter(arguments[number + 1 : number + 2]), "")
    if any(isinstance(handler.formatter, JsonFormatter) for handler in logging.getLogger().handlers):
        wanted = LogFormat.JSON
    if wanted != LogFormat.JSON:
        return f"echonet-satellite: error: {text}"
    record = logging.makeLogRecord(
        {"msg": text, "levelno": logging.ERROR, "levelname": "ERROR", "name": "echonet-satellite"}
    )
    return JsonFormatter().format(record)
