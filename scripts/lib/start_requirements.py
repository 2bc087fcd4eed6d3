"""Prints every requirement that Home Assistant would install while it starts with the integrations of our house.

usage: start_requirements.py FOLDER_OF_THE_PACKAGE_homeassistant

Follows the manifests of the integrations that always load, of those that onboarding adds and of those named here, with
their dependencies and the discovery that a manifest asks for. Reads source only, so that nothing need be installed.
"""

import ast
from collections.abc import Iterator
import json
from pathlib import Path
import sys
from typing import Any

OURS = {
    "frontend",
    "history",
    "logbook",
    "media_player",
    "media_source",
    "mobile_app",
    "my",
    "stream",
    "sun",
    "tts",
    "zeroconf",
}
ONBOARDING = {"google_translate", "met", "radio_browser", "shopping_list"}
NEVER = {"isal", "sentry", "debugpy"}


def main(package: Path) -> None:
    """Print the list."""
    bootstrap = _constants(package / "bootstrap.py")
    discovery = _constants(package / "requirements.py")["DISCOVERY_INTEGRATIONS"]
    todo = OURS | ONBOARDING
    for name in ("DEFAULT_INTEGRATIONS", "CORE_INTEGRATIONS", "FRONTEND_INTEGRATIONS"):
        todo |= set(bootstrap.get(name, ()))
    # Every kind of entity loads too; they are written as a class of constants.
    platforms = (package / "generated" / "entity_platforms.py").read_text()
    todo |= {
        node.value.value
        for node in ast.walk(ast.parse(platforms))
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
    }
    seen: set[str] = set()
    found: set[str] = set()
    while todo:
        domain = todo.pop()
        path = package / "components" / domain / "manifest.json"
        if domain in seen | NEVER or not path.exists():
            continue
        seen.add(domain)
        manifest = json.loads(path.read_text())
        found |= set(manifest.get("requirements", ()))
        todo |= set(manifest.get("dependencies", ())) | set(manifest.get("after_dependencies", ()))
        todo |= {name for name, keys in discovery.items() if any(key in manifest for key in keys)}
    for module in (package / "auth").rglob("*.py"):
        found |= set(_constants(module).get("REQUIREMENTS", ()))
    print("# Written by scripts/pin.")
    print("\n".join(sorted(found, key=str.lower)))


def _constants(module: Path) -> dict[str, Any]:
    return dict(_literal_assignments(ast.parse(module.read_text())))


def _literal_assignments(tree: ast.Module) -> Iterator[tuple[str, Any]]:
    for node in tree.body:
        if isinstance(node, ast.AnnAssign):
            target, value = node.target, node.value
        elif isinstance(node, ast.Assign) and len(node.targets) == 1:
            target, value = node.targets[0], node.value
        else:
            continue
        if not isinstance(target, ast.Name) or value is None:
            continue
        try:
            yield target.id, ast.literal_eval(value)
        except ValueError:
            # A set of constants and names: keep the names that are literal.
            yield target.id, [item.value for item in ast.walk(value) if isinstance(item, ast.Constant)]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
