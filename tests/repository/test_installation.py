"""What installs a satellite: the script, the unit, the container and the app, as far as they run without a device."""

import json
import os
from pathlib import Path
import re
import shutil
import subprocess
import sys

import pytest
import yaml

from echonet_satellite import __version__, config
from echonet_satellite.option_table import OPTIONS

SATELLITE = Path(__file__).parents[2] / "satellite"
UNIT = SATELLITE / "echonet-satellite.service"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is missing")
def test_the_unit_may_use_little_more_than_sound_and_the_network() -> None:
    """It was said to use "the microphone and nothing else", and `systemd-analyze security` said 8.3, exposed."""
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", UNIT],
        capture_output=True,
        text=True,
        check=False,
    )
    found = re.search(r"Overall exposure level for .*: ([0-9.]+)", done.stdout)
    assert found, done.stdout + done.stderr
    assert float(found[1]) <= 2.0, done.stdout


def test_the_unit_names_what_the_script_installs() -> None:
    script = (SATELLITE / "install.sh").read_text(encoding="utf-8")
    unit = UNIT.read_text(encoding="utf-8")
    venv = re.search(r"^venv=(.*)$", script, re.MULTILINE)
    assert venv
    assert f"ExecStart={venv[1]}/bin/echonet-satellite run\n" in unit
    # A file that may be left out must not be named: without it the service would restart for ever.
    assert "--config" not in unit


def test_the_example_of_the_configuration_is_one(tmp_path: Path) -> None:
    """As it is, and with every line of it in use."""
    text = (SATELLITE / "config.example.toml").read_text(encoding="utf-8")
    used = re.sub(r"^# (\w+ = )", r"\1", text, flags=re.MULTILINE)
    assert used != text
    for number, said in enumerate((text, used)):
        path = tmp_path / f"{number}.toml"
        path.write_text(said, encoding="utf-8")
        config.load(path, environment={})


def test_the_script_installs_the_programs_that_its_users_are_told_to_type() -> None:
    """On a fresh Debian `arecord -l`, which the doctor advises, was not found."""
    script = (SATELLITE / "install.sh").read_text(encoding="utf-8")
    packages = re.search(r"^packages=\((.*)\)$", script, re.MULTILINE)
    assert packages
    page = (SATELLITE.parent / "docs" / "satellite.md").read_text(encoding="utf-8")
    for program, package in (("arecord", "alsa-utils"), ("alsamixer", "alsa-utils")):
        assert program in page
        assert package in packages[1].split()


def run_script(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", SATELLITE / "install.sh", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/bin:/bin", **environment},
    )


def test_the_script_says_what_it_will_do() -> None:
    done = run_script("--help")
    assert done.returncode == 0
    for what in (
        "/opt/echonet-satellite",
        "/etc/echonet-satellite/config.toml",
        "--remove",
        "removes none",
        "PyAV",
    ):
        assert what in done.stdout


def test_the_script_refuses_what_it_does_not_know() -> None:
    done = run_script("--force")
    assert done.returncode == 1
    assert (
        done.stderr == "error: install.sh knows --streams, --no-start, --remove and --help, not '--force'.\n"
    )


@pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("setpriv") is None, reason="needs root, to be somebody else"
)
def test_the_script_asks_for_root() -> None:
    done = subprocess.run(
        ["setpriv", "--reuid=65534", "--clear-groups", "bash", "-s"],
        stdin=(SATELLITE / "install.sh").open(encoding="utf-8"),
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
    )
    assert done.returncode == 1
    assert "only root may do: sudo" in done.stderr


def test_the_app_hands_its_options_to_the_satellite(tmp_path: Path) -> None:
    """Each option of the app is one of the satellite; a program in the satellite's place tells what it was told."""
    schema = yaml.safe_load((SATELLITE / "app" / "config.yaml").read_text(encoding="utf-8"))
    assert schema["version"] == __version__
    variables = {option.variable for option in OPTIONS}
    assert {f"ECHONET_SATELLITE_{name.upper()}" for name in schema["schema"]} <= variables

    (tmp_path / "options.json").write_text(json.dumps({"name": "Küche", "port": 8766, "device": None}))
    program = tmp_path / "echonet-satellite"
    program.write_text(
        f"#!{sys.executable}\nimport os, sys, json\nprint(json.dumps([sys.argv[1:], dict(os.environ)]))\n"
    )
    program.chmod(0o755)
    done = subprocess.run(
        [sys.executable, SATELLITE / "app" / "run.py", tmp_path / "options.json"],
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": str(tmp_path)},
    )
    arguments, environment = json.loads(done.stdout)
    assert arguments == ["run"]
    assert environment["ECHONET_SATELLITE_NAME"] == "Küche"
    assert environment["ECHONET_SATELLITE_PORT"] == "8766"
    assert "ECHONET_SATELLITE_DEVICE" not in environment


@pytest.mark.parametrize("dockerfile", ["Dockerfile", "app/Dockerfile"])
def test_what_a_container_takes_from_the_repository_is_there(dockerfile: str) -> None:
    text = (SATELLITE / dockerfile).read_text(encoding="utf-8")
    folder = SATELLITE.parent if dockerfile == "Dockerfile" else SATELLITE / "app"
    for line in re.findall(r"^COPY (?!--from)(.*)$", text, re.MULTILINE):
        for source in line.split()[:-1]:
            assert (folder / source).exists(), source
    assert "--require-hashes" in text


@pytest.mark.parametrize("dockerfile", ["Dockerfile", "app/Dockerfile"])
def test_an_image_can_hear_cameras(dockerfile: str) -> None:
    """Nobody is asked there, and nobody can add anything later."""
    assert "requirements/satellite-streams.txt" in (SATELLITE / dockerfile).read_text(encoding="utf-8")
