"""The completion scripts, by running them: bash always, zsh and fish where they are installed."""
import os
import re
import shutil
import subprocess

import pytest

HAWSER = os.environ["HAWSER_BIN"]


def script(shell):
    return subprocess.run([HAWSER, "completion", shell], check=True, capture_output=True, text=True).stdout


def complete(*words, cwd="/"):
    """What bash offers for the last of these words."""
    line = " ".join(f"'{word}'" for word in ("hawser", *words))
    program = (script("bash") + f"\nCOMP_WORDS=({line}); COMP_CWORD={len(words)}\n"
               "_hawser hawser \"${COMP_WORDS[COMP_CWORD]}\" \"${COMP_WORDS[COMP_CWORD-1]}\"\n"
               "((${#COMPREPLY[@]})) && printf '%s\\n' \"${COMPREPLY[@]}\"; true")
    done = subprocess.run(["bash", "--norc", "-c", program], capture_output=True, text=True, cwd=cwd, timeout=30)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


def help_of(*path):
    return subprocess.run([HAWSER, *path, "--help"], check=True, capture_output=True, text=True).stdout


def test_bash_offers_every_command_that_help_lists():
    block = help_of().split("Subcommands:\n")[1].split("\n\n")[0]
    listed = re.findall(r"^  (\S+)", block, re.M)
    assert len(listed) >= 3
    assert complete("") == listed


def test_bash_offers_commands_by_their_beginning():
    assert complete("expl") == ["explain"]
    assert complete("zz") == []


@pytest.mark.parametrize("command", ["explain", "version", "completion"])
def test_bash_offers_every_option_that_help_lists(command):
    listed = set(re.findall(r"(--[a-z-]+)", help_of(command).split("Options:")[1].split("Examples:")[0]))
    assert set(complete(command, "--")) == listed


def test_bash_offers_the_choices_of_a_positional():
    assert complete("completion", "") == ["bash", "zsh", "fish"]
    assert complete("completion", "f") == ["fish"]


def test_bash_offers_the_choices_of_an_option():
    assert complete("check", "--format", "") == ["text", "json", "sarif", "github"]


def test_bash_follows_nested_commands():
    offered = complete("pki", "")
    assert "issue" in offered and "ca" in offered
    assert any(option.startswith("--") for option in complete("pki", "issue", "--"))
    assert complete("pki", "is") == ["issue"]


def test_bash_offers_directories_with_blanks_in_their_names(tmp_path):
    (tmp_path / "my config").mkdir()
    (tmp_path / "file").touch()
    assert complete("agent", "--config", "", cwd=tmp_path) == ["my config"]


@pytest.mark.parametrize("shell, check", [("bash", "-n"), ("zsh", "-n"), ("fish", "--no-execute")])
def test_the_script_is_valid_for_its_shell(shell, check, tmp_path):
    path = tmp_path / "script"
    path.write_text(script(shell))
    assert "explain" in path.read_text()
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    done = subprocess.run([shell, check, path], capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stderr) == (0, "")


def test_fish_offers_commands_and_options(tmp_path):
    if shutil.which("fish") is None:
        pytest.skip("fish is not installed")
    (tmp_path / "hawser.fish").write_text(script("fish"))
    program = f"source {tmp_path}/hawser.fish; complete -C 'hawser expl'; complete -C 'hawser completion '"
    offered = subprocess.run(["fish", "--no-config", "-c", program], check=True, capture_output=True, text=True).stdout
    assert "explain" in offered and "zsh" in offered
