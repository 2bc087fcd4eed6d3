"""What the scripts promise: nothing of whoever runs them is touched, and what is wrong is said at once."""

from pathlib import Path
import re
import subprocess
import sys

import pytest
import soundfile

from house.pace import Pace

REPOSITORY = Path(__file__).parents[2]


def demo(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [REPOSITORY / "scripts" / "demo", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        # It must not get so far as to need anything.
        env={"PATH": "/usr/bin:/bin", "HOME": "/nonexistent"},
    )


def test_the_help_of_the_demo_sets_nothing_up() -> None:
    done = demo("--help")
    assert done.returncode == 0
    assert done.stderr == ""
    for option in ("--microphone", "--file", "--device", "--model", "--keep"):
        assert option in done.stdout


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--kept",), "'--kept'"),
        (("--file",), "--file needs a value"),
        (("--file", "/nonexistent/bark.wav"), "/nonexistent/bark.wav"),
        (("--file", REPOSITORY), f"no recording {REPOSITORY}"),
        (("--file", REPOSITORY / "README.md"), "README.md is no sound file"),
        (("--file", REPOSITORY / "docs" / "images" / "card.png"), "card.png is no sound file"),
        (("--model", "/nonexistent"), "/nonexistent"),
        (("--microphone", "--file", REPOSITORY / "README.md"), "either --microphone or --file"),
    ],
)
def test_a_wrong_option_of_the_demo_sets_nothing_up(arguments: tuple[object, ...], expected: str) -> None:
    done = demo(*arguments)
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert expected in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("kind", ["WAV", "RF64", "W64", "FLAC", "OGG", "MP3", "AIFF", "AU", "CAF"])
def test_the_demo_takes_every_kind_of_sound_file_for_one(kind: str, tmp_path: Path) -> None:
    """What is no sound was noticed only after everything had been set up; what is one must not be refused."""
    path = tmp_path / "sound"
    soundfile.write(path, [0.0] * 1000, 16000, format=kind)
    done = demo("--file", path, "--kept")
    assert "'--kept'" in done.stderr


@pytest.mark.parametrize("start", [b"\0\0\0\x20ftypM4A \0\0", b"\x1aE\xdf\xa3\x01\0\0\0", b"ID3\4\0\0"])
def test_the_demo_takes_the_recordings_of_phones_for_sounds(start: bytes, tmp_path: Path) -> None:
    (tmp_path / "sound").write_bytes(start)
    done = demo("--file", tmp_path / "sound", "--kept")
    assert "'--kept'" in done.stderr


def test_no_script_removes_a_package_of_the_user() -> None:
    """`scripts/test` would have removed pipewire-alsa and pipewire-audio from a desktop."""
    installs = []
    for path in (REPOSITORY / "scripts").rglob("*"):
        if path.suffix in {"", ".sh"} and path.is_file():
            code = re.sub(r"^\s*#.*$", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
            code = code.replace("\\\n", " ")
            # What a message tells people to type is theirs to decide.
            installs += re.findall(
                r"^(?!\s*(?:die|as_root true)).*\b_?apt(?:-get)?\b.*\binstall\b.*$", code, re.MULTILINE
            )
    assert len(installs) >= 2
    for line in installs:
        assert "--no-remove" in line or "--download-only" in line or "die 'Python" in line, line
    assert "pulseaudio" not in (REPOSITORY / "scripts" / "setup").read_text(encoding="utf-8")


def test_a_part_that_was_skipped_as_a_whole_has_not_passed() -> None:
    """Without root the end-to-end part was skipped, and counted as passed."""
    script = (REPOSITORY / "scripts" / "test").read_text(encoding="utf-8")
    begin, end = script.index("summary=()"), script.index("pytest() {")
    for said, word in (("3 skipped in 0.1s", "NOT RUN"), ("1 passed, 3 skipped in 0.1s", "passed")):
        shown = f"""say() {{ :; }}
{script[begin:end]}
step 'end to end' echo '{said}'
printf '%s\\n' "${{summary[@]}}"; exit $unseen"""
        done = subprocess.run(["bash", "-c", shown], capture_output=True, text=True, check=False)
        assert f"{word:<8} end to end" in done.stdout, done
        assert done.returncode == (word == "NOT RUN")


def test_packages_come_through_a_network_that_inspects_what_passes() -> None:
    """`scripts/demo` ended with "invalid peer certificate", where `install.sh` on the same machine had not."""
    done = subprocess.run(
        ["bash", "-c", ". scripts/lib/common.sh && . scripts/lib/python.sh && find_uv && env"],
        capture_output=True,
        text=True,
        check=True,
        cwd=REPOSITORY,
        env={"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", "HOME": "/nonexistent"},
    )
    assert "UV_SYSTEM_CERTS=true" in done.stdout.splitlines()


def test_two_houses_at_once_take_different_ports() -> None:
    """Two demos from two clones took the same port, and both failed."""
    look = "from house.network import free_port; print(free_port(48123), flush=True); input()"
    path = f"{REPOSITORY / 'scripts'}:{REPOSITORY / 'satellite'}:{REPOSITORY}"
    houses = [
        subprocess.Popen(
            [sys.executable, "-c", look],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={"PYTHONPATH": path},
        )
        for _ in range(2)
    ]
    ports = [house.stdout.readline().strip() for house in houses if house.stdout]
    for house in houses:
        house.communicate("\n", timeout=30)
    assert len(set(ports)) == 2
    assert "48123" in ports


def test_the_demo_says_how_long_is_left_from_the_second_time_on(tmp_path: Path) -> None:
    first = Pace.load(tmp_path / "steps.json")
    assert [first.left_s(step, moment) for step, moment in (("a", 0.0), ("b", 10.0), ("c", 40.0))] == [
        None
    ] * 3
    first.save(tmp_path / "steps.json")
    again = Pace.load(tmp_path / "steps.json")
    # The machine takes twice as long as the last time.
    assert again.left_s("a", 0.0) == 40.0
    assert again.left_s("b", 20.0) == 60.0
    assert again.left_s("new", 30.0) is None
    assert again.left_s("c", 80.0) == 0.0
    (tmp_path / "steps.json").write_text("[1]")
    assert Pace.load(tmp_path / "steps.json").left_s("a", 1.0) is None
