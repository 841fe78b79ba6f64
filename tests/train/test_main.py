from importlib import import_module

import pytest

from train.__main__ import COMMANDS, main


@pytest.mark.parametrize("command", COMMANDS)
def test_every_sub_command_has_a_main(command):
    assert callable(import_module(COMMANDS[command]).main)


def test_what_is_no_sub_command_is_a_flag(capsys):
    assert main(["-d", "kinect"]) == 2
    assert capsys.readouterr().err.startswith("error: -d kinect: no such data set")
    with pytest.raises(SystemExit):
        main(["prepar"])
    assert "unrecognized arguments: prepar" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("command", "default"),
    [("wild", "default: 1024"), ("validate", "default: captured"), ("film", "default: 1000")],
)
def test_help_says_the_defaults(command, default, capsys):
    with pytest.raises(SystemExit):
        main([command, "--help"])
    assert default in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize("words", [[name] for name in COMMANDS] + [["prepare", "poses"], []])
def test_what_a_command_line_holds_does_not_reach_the_terminal_raw(words, capsys):
    with pytest.raises(SystemExit):
        main([*words, "--\x1b[31mred"])
    said = capsys.readouterr().err
    assert "\x1b" not in said
