"""The configuration folder of a Home Assistant that only this house uses."""

import json
import os
from pathlib import Path
import shutil

REPOSITORY = Path(__file__).parents[2]

# `default_config` would look for programs and clouds that are not there: the list names what a house needs.
_CONFIGURATION = """\
homeassistant:
  name: EchoNet demo
  latitude: 52.5200
  longitude: 13.4050
  elevation: 34
  unit_system: metric
  time_zone: Europe/Berlin
  currency: EUR
  country: DE
frontend:
history:
logbook:
media_source:
mobile_app:
my:
recorder:
  commit_interval: 1
zeroconf:
logger:
  default: warning
  logs:
    custom_components.echonet: debug
    # They look for servers on the internet that this house does not need.
    homeassistant.components.met: critical
    homeassistant.components.radio_browser: critical
    homeassistant.components.google_translate: critical
"""


def cache_folder() -> Path:
    """Where the scripts keep what makes the next time quicker."""
    named = os.environ.get("ECHONET_CACHE")
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Path(named) if named else base / "echonet"


def write_configuration(folder: Path, port: int) -> None:
    """Write the folder, with the integration in it exactly as HACS would put it there."""
    folder.mkdir(parents=True)
    (folder / "configuration.yaml").write_text(_CONFIGURATION)
    shutil.copytree(
        REPOSITORY / "custom_components" / "echonet",
        folder / "custom_components" / "echonet",
        ignore=shutil.ignore_patterns("__pycache__", "node_modules"),
    )
    storage = folder / ".storage"
    storage.mkdir()
    # In YAML these would count as a trial that Home Assistant reverts after five minutes.
    http = {
        "server_host": ["127.0.0.1"],
        "server_port": port,
        "cors_allowed_origins": [],
        "login_attempts_threshold": -1,
        "ip_ban_enabled": True,
        "ssl_profile": "intermediate_v6",
        "use_x_frame_options": True,
        "created_at": "2026-11-01T00:00:00+00:00",
        "error": None,
        "error_message": None,
    }
    document = {
        "version": 3,
        "minor_version": 1,
        "key": "http",
        "data": {"stable": http, "pending": None, "yaml_migration_done": True},
    }
    (storage / "http").write_text(json.dumps(document))
