"""Builds the zip that HACS installs: the integration as it is committed, without the sources of its card."""

import json
from pathlib import Path
import subprocess
import sys
import zipfile

COMPONENT = Path("custom_components/echonet")
# Of the frontend, Home Assistant needs what was built of it.
FRONTEND, BUNDLE = COMPONENT / "frontend", COMPONENT / "frontend" / "bundle"
# The oldest moment that a zip can name: the same files make the same zip, whenever it is built.
MOMENT = (1980, 1, 1, 0, 0, 0)


def main() -> int:
    """Build it, and return the exit status."""
    root, tag = Path(sys.argv[1]), sys.argv[2]
    version = json.loads((root / COMPONENT / "manifest.json").read_text(encoding="utf-8"))["version"]
    if tag.removeprefix("v") != version:
        print(f"error: the tag is {tag}, and the manifest says {version}: raise one of them", file=sys.stderr)
        return 1
    target = root / "dist" / "echonet.zip"
    target.parent.mkdir(exist_ok=True)
    listed = subprocess.run(
        ["git", "ls-files", "-z", str(COMPONENT)], cwd=root, capture_output=True, check=True, text=True
    ).stdout
    files = [Path(name) for name in listed.split("\0") if name]
    shipped = sorted(item for item in files if FRONTEND not in item.parents or BUNDLE in item.parents)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for item in shipped:
            entry = zipfile.ZipInfo(str(item.relative_to(COMPONENT)), MOMENT)
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, (root / item).read_bytes(), zipfile.ZIP_DEFLATED)
    print(f"{target.relative_to(root)}: {len(shipped)} files, {target.stat().st_size // 1024} KiB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
