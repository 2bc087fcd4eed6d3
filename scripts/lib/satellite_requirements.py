"""Prints what the satellite needs on a 64-bit system, where alone Home Assistant runs."""

from pathlib import Path
import sys
import tomllib

for requirement in tomllib.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))["project"]["dependencies"]:
    if "== 'armv7l'" not in requirement:
        print(requirement)
