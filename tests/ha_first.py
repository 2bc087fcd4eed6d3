"""A plugin that must come first: lets the test harness, made for an older Home Assistant, run with ours.

Loaded by `-p tests.ha_first` (see pyproject.toml). Does nothing where Home Assistant is not installed, which is so for
the tests of the satellite on older Pythons.
"""

from importlib.util import find_spec

if find_spec("homeassistant") is not None and find_spec("pytest_homeassistant_custom_component") is not None:
    # Aliases httpx to httpx2, which must come before the harness imports respx.
    import homeassistant  # noqa: F401

    # The harness patches these three before anything of Home Assistant is imported.
    from pytest_homeassistant_custom_component import patch_json, patch_recorder, patch_time  # noqa: F401

    # isort: split
    from homeassistant.components import logger
    from homeassistant.components.logger import helpers

    # The harness calls it where it was before 2026.11.
    if not hasattr(logger, "_clear_logger_overwrites"):
        logger._clear_logger_overwrites = helpers._clear_logger_overwrites  # type: ignore[attr-defined]
