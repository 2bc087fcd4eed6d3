"""No module imports itself by way of others: each can be read, and tested, after those below it."""

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
PACKAGES = [
    REPOSITORY / "custom_components" / "echonet",
    REPOSITORY / "satellite" / "echonet_satellite",
    REPOSITORY / "models" / "echonet_models",
]


def modules_of(package: Path) -> dict[str, Path]:
    """Return the modules of a package by their full names."""
    found = {}
    for path in package.rglob("*.py"):
        parts = path.relative_to(package.parent).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports_of(name: str, path: Path) -> Iterator[tuple[str, str]]:
    """Yield what a module imports anywhere in it: the module, and the name that it takes from it."""
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((item.name, "") for item in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            source = ".".join([*above, *([node.module] if node.module else [])])
            yield from ((source, item.name) for item in node.names)


def graph_of(package: Path) -> dict[str, set[str]]:
    """Return which modules of a package each of them imports."""
    modules = modules_of(package)
    graph: dict[str, set[str]] = {name: set() for name in modules}
    for name, path in modules.items():
        for source, item in imports_of(name, path):
            target = f"{source}.{item}" if f"{source}.{item}" in modules else source
            if target in modules:
                graph[name].add(target)
    return graph


@pytest.mark.parametrize("package", PACKAGES, ids=lambda path: path.name)
def test_no_module_imports_itself_in_a_circle(package: Path) -> None:
    graph = graph_of(package)
    assert sum(map(len, graph.values())) > len(graph) / 2

    try:
        TopologicalSorter(graph).prepare()
    except CycleError as err:
        pytest.fail(" imports ".join(reversed(err.args[1])))


def test_a_circle_is_found(tmp_path: Path) -> None:
    package = tmp_path / "house"
    (package / "rooms").mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "rooms" / "__init__.py").write_text("from .hall import door\n")
    (package / "rooms" / "hall.py").write_text("def door():\n    from ..roof import ridge\n")
    (package / "roof.py").write_text("import house.rooms\n")

    with pytest.raises(CycleError):
        TopologicalSorter(graph_of(package)).prepare()
