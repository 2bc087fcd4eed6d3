"""Reads a TOML file as people leave it: with a byte-order mark, in another encoding, or not quite TOML."""

import codecs
from pathlib import Path
import re
import tomllib
from typing import Any, Final

from .errors import ConfigError

_KEY: Final = re.compile(r"\s*([A-Za-z0-9_.\"'-]+)\s*=")
_SECTION: Final = re.compile(r"\s*\[{1,2}\s*([^\]]+?)\s*\]")
_AT_LINE: Final = re.compile(r"\s*\(at (?:line (\d+), column \d+|end of document)\)")


def read(path: Path) -> tuple[dict[str, Any], dict[str, int]]:
    """Return what a file says, and in which line each of its keys stands.

    Raises:
        ConfigError: it cannot be read, or is not TOML; the text names the line and what to write there.
    """
    try:
        text = _decode(path, path.read_bytes())
    except OSError as err:
        raise ConfigError(f"{path}: {err.strerror}: check the path that --config names") from None
    lines = text.splitlines()
    try:
        return tomllib.loads(text), _line_numbers(lines)
    except tomllib.TOMLDecodeError as err:
        found = _AT_LINE.search(str(err))
        number = int(found[1]) if found and found[1] else len(lines)
        reason = _AT_LINE.sub("", str(err)).rstrip(".")
        line = lines[number - 1] if 0 < number <= len(lines) else ""
        hint = _hint(line) or f"{reason[:1].lower()}{reason[1:]}"
        raise ConfigError(f"{path}:{number}: not valid TOML: {hint}") from None


def _decode(path: Path, raw: bytes) -> str:
    is_utf16 = raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        return raw.decode("utf-16" if is_utf16 else "utf-8-sig")
    except UnicodeDecodeError as err:
        number = raw[: err.start].count(b"\n") + 1
        raise ConfigError(
            f"{path}:{number}: not UTF-8 text: write the special character in this line anew in an editor that "
            "saves as UTF-8"
        ) from None


def _line_numbers(lines: list[str]) -> dict[str, int]:
    section = ""
    found: dict[str, int] = {}
    for number, line in enumerate(lines, 1):
        if header := _SECTION.match(line):
            section = header[1].strip()
            found.setdefault(section, number)
        elif key := _KEY.match(line):
            name = key[1].replace('"', "").replace("'", "")
            found.setdefault(f"{section}.{name}" if section else name, number)
    return found


def _hint(line: str) -> str:
    """Return what to write in place of a line that is not TOML, where that can be guessed."""
    if re.match(r"\s*[\w.-]+\s*:", line):
        key, _, value = line.partition(":")
        return f"write {key.strip()} = {value.strip() or '...'}, with an equals sign"
    if not (found := re.match(r"\s*([\w.-]+)\s*=\s*(.*?)\s*(?:#.*)?$", line)):
        return ""
    key, value = found[1], found[2]
    if not value:
        return f"{key} has no value: write one, or remove the line"
    if value.lower() in {"true", "yes", "on", "false", "no", "off"}:
        return f"write {key} = {'true' if value.lower() in {'true', 'yes', 'on'} else 'false'}"
    if re.fullmatch(r"-?\d+,\d+", value):
        return f"write {key} = {value.replace(',', '.')}, with a decimal point"
    if re.match(r"""["'].*[^"']$""", value):
        return f"write {key} = {value}{value[0]}, with the closing quotation mark"
    if not re.match(r"""["'\[{]""", value):
        return f'write {key} = "{value}", with quotation marks'
    if "\\" in value:
        return f"write the value of {key} in 'single' quotation marks, in which a backslash stands for itself"
    return ""
