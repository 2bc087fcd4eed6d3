"""The command says in one line what is missing, and never shows a traceback."""

from pathlib import Path

import pytest

from echonet_models.cli import main


@pytest.mark.parametrize("command", ["train", "evaluate", "export", "compare"])
def test_every_command_explains_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    assert "--run" in capsys.readouterr().out


def test_missing_recordings_are_told_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "--data", str(tmp_path), "--run", str(tmp_path / "run")]) == 1
    said = capsys.readouterr().err
    assert said.startswith("echonet-models: error: no recordings in")
    assert len(said.splitlines()) == 1


def test_nothing_is_released_that_was_not_evaluated(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", "--run", str(tmp_path), "--to", str(tmp_path / "out"), "--version", "1"]) == 1
    assert "echonet-models evaluate" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_other_steps_than_one_or_more_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["train", "--steps", "0"])
    assert "at least 1" in capsys.readouterr().err
