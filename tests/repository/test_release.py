"""What GitHub does for us: workflows that trust nobody more than needed, and the zip that HACS installs."""

import json
import os
from pathlib import Path
import re
import subprocess
import sys
import zipfile

import pytest
import yaml

from echonet_satellite import __version__

REPOSITORY = Path(__file__).parents[2]
WORKFLOWS = sorted((REPOSITORY / ".github" / "workflows").glob("*.yml"))
VERSION = json.loads((REPOSITORY / "custom_components" / "echonet" / "manifest.json").read_text())["version"]


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_pins_what_it_uses_and_may_do_little(workflow: Path) -> None:
    text = workflow.read_text(encoding="utf-8")
    content = yaml.safe_load(text)
    used = re.findall(r"uses: (\S+)", text)
    assert all(re.fullmatch(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}", item) for item in used)
    # What one job needs is said in that job, with its reason where it may write.
    assert content["permissions"] == {}
    for name, job in content["jobs"].items():
        assert set(job["permissions"]) <= {"contents"}, name
        assert job["permissions"] == {"contents": "read"} or workflow.name == "release.yml", name
        assert job["timeout-minutes"] <= 60, name
    # An expression inside a command would let a branch or a tag say what is run.
    assert not re.search(r"run: .*\$\{\{ *(github|inputs)", text)


def test_every_part_of_the_checks_runs_in_a_job_of_its_own() -> None:
    workflow = yaml.safe_load((REPOSITORY / ".github" / "workflows" / "checks.yml").read_text())
    script = (REPOSITORY / "scripts" / "test").read_text(encoding="utf-8")
    parts = re.search(r"^parts=\((.+)\)$", script, re.MULTILINE)
    assert parts is not None
    assert workflow["jobs"]["test"]["strategy"]["matrix"]["part"] == parts[1].split()


def test_integration_satellite_and_app_have_one_version() -> None:
    app = yaml.safe_load((REPOSITORY / "satellite" / "app" / "config.yaml").read_text(encoding="utf-8"))
    assert __version__ == app["version"] == VERSION


def test_a_release_holds_the_integration_and_nothing_else() -> None:
    done = subprocess.run(
        [REPOSITORY / "scripts" / "release", f"v{VERSION}"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(REPOSITORY / "dist" / "echonet.zip") as archive:
        names = archive.namelist()
        assert json.loads(archive.read("manifest.json"))["version"] == VERSION
    assert {"__init__.py", "translations/fr.json", "household/runtime.py", "brand/icon.png"} <= set(names)
    assert not [name for name in names if "node_modules" in name or name.endswith((".ts", ".pyc"))]
    assert json.loads((REPOSITORY / "hacs.json").read_text())["filename"] == "echonet.zip"


def test_what_hacs_unpacks_lacks_no_module(tmp_path: Path) -> None:
    """Each module is imported from the zip alone, as Home Assistant finds it in its configuration folder."""
    subprocess.run([REPOSITORY / "scripts" / "release", f"v{VERSION}"], capture_output=True, check=True)
    component = tmp_path / "custom_components" / "echonet"
    with zipfile.ZipFile(REPOSITORY / "dist" / "echonet.zip") as archive:
        archive.extractall(component)
    # The harness of the tests has a package of this name; Home Assistant takes the folder's own first.
    (tmp_path / "custom_components" / "__init__.py").touch()
    code = (
        "import importlib, pkgutil, custom_components.echonet as package\n"
        "for found in pkgutil.walk_packages(package.__path__, package.__name__ + '.'):\n"
        "    print(importlib.import_module(found.name).__file__)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={"PATH": os.defpath, "PYTHONPATH": str(tmp_path)},
    )
    assert done.returncode == 0, done.stderr
    imported = {Path(line) for line in done.stdout.splitlines()}
    assert imported == set(component.rglob("*.py")) - {component / "__init__.py"}


def test_a_release_is_refused_whose_tag_is_not_the_version() -> None:
    done = subprocess.run(
        [REPOSITORY / "scripts" / "release", "v99.0.0"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr.startswith("error: the tag is v99.0.0")
