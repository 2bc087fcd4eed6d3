"""What the repository promises: links that lead somewhere, pinned packages, commands that explain themselves."""

from pathlib import Path
import re
import subprocess

import pytest

REPOSITORY = Path(__file__).parents[2]
DOCUMENTS = sorted([REPOSITORY / "README.md", *(REPOSITORY / "docs").glob("*.md")])
PINS = sorted((REPOSITORY / "requirements").glob("*.txt"))
COMMANDS = ["setup", "demo", "test", "lint", "card", "pin", "screenshot"]


def test_a_satellite_takes_of_a_release_only_what_it_uses() -> None:
    """All that lies beside the model is for satellites: their package follows the link to it."""
    released = {path.name for path in (REPOSITORY / "models" / "released" / "echonet").iterdir()}
    assert released == {
        "model.tflite",
        "second_look.tflite",
        "model.json",
        "reference.npz",
        "MODEL_CARD.md",
        "NOTICE",
    }


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_between_documents_leads_somewhere(document: Path) -> None:
    links = re.findall(r"\]\(([^)\s]+)\)", document.read_text(encoding="utf-8"))

    missing = [
        link
        for link in links
        if "://" not in link
        and not link.startswith("#")
        and not (document.parent / link.partition("#")[0]).exists()
    ]

    assert not missing


@pytest.mark.parametrize("pins", PINS, ids=lambda path: path.name)
def test_every_requirement_is_pinned_with_a_hash_and_names_no_index(pins: Path) -> None:
    text = pins.read_text(encoding="utf-8")
    requirements = text.replace("\\\n", " ").splitlines()

    assert requirements
    assert all("==" in item and "--hash=sha256:" in item for item in requirements)
    assert "://" not in text


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_says_in_its_first_line_what_it_does(command: str) -> None:
    script = REPOSITORY / "scripts" / command
    first = script.read_text(encoding="utf-8").splitlines()[1]

    assert re.match(rf"# scripts/{command}\b.*: ", first)


@pytest.mark.parametrize("command", ["setup", "test", "lint", "card", "pin"])
def test_a_command_refuses_an_unknown_argument_in_one_line(command: str) -> None:
    done = subprocess.run(
        [REPOSITORY / "scripts" / command, "nonsense"], capture_output=True, text=True, check=False
    )

    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert "nonsense" in done.stderr
    assert len(done.stderr.splitlines()) == 1
