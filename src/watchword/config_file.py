"""`watchword.toml`: the senders, the routes and the texts of an installation."""

import tomllib
from collections.abc import Mapping
from typing import Any

from watchword.config import Settings
from watchword.errors import ConfigurationError

TABLES = ("senders", "routes", "texts")
NAME = "WATCHWORD_CONFIG"


def read_config_file(settings: Settings) -> Mapping[str, Any]:
    """Return the file's tables; none when there is no file and nobody named one.

    Raises ConfigurationError for a file that cannot be read and for a table nobody knows.
    """
    path = settings.config_file
    try:
        tables = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError as fault:
        if path == settings.home / "watchword.toml":
            return {}
        raise ConfigurationError(f"there is no file {path}", name=NAME) from fault
    except (OSError, UnicodeDecodeError) as fault:
        raise ConfigurationError(f"{path} cannot be read", name=NAME) from fault
    except tomllib.TOMLDecodeError as fault:
        raise ConfigurationError(f"{path} is not TOML: {fault}", name=NAME) from fault
    for table in tables:
        if table not in TABLES:
            raise ConfigurationError(
                f"{path} has a table [{table}]; there are {', '.join(TABLES)}", name=table
            )
    return tables
