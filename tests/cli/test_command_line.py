"""What all commands have in common: help, exit codes, the form of errors, suggestions, explain, version."""
import json
import os
import subprocess

import pytest

HAWSER = os.environ["HAWSER_BIN"]


def hawser(*arguments, **options):
    return subprocess.run([HAWSER, *arguments], capture_output=True, text=True, timeout=30, stdin=subprocess.DEVNULL, **options)


def commands(*path):
    """The subcommands that --help lists below a command."""
    lines = hawser(*path, "--help").stdout.splitlines()
    if "Subcommands:" not in lines:
        return []
    found = []
    for line in lines[lines.index("Subcommands:") + 1:]:
        if not line.startswith("  "):
            break
        if line[2] != " ":
            found.append(line.split()[0])
    return found


def all_commands(*path):
    for name in commands(*path):
        yield (*path, name)
        yield from all_commands(*path, name)


@pytest.mark.parametrize("path", list(all_commands()), ids=" ".join)
def test_every_command_has_help_with_an_example(path):
    done = hawser(*path, "--help")
    assert done.returncode == 0
    assert "Example" in done.stdout, done.stdout
    assert "hawser " + path[0] in done.stdout


def test_help_lists_the_commands_with_examples_and_exit_codes():
    done = hawser("--help")
    assert done.returncode == 0
    assert {"explain", "version", "completion"} <= set(commands())
    assert "Examples:" in done.stdout and "Exit codes: 0 done, 1 " in done.stdout


def test_without_a_command_it_prints_help_and_ends_with_two():
    done = hawser()
    assert done.returncode == 2
    assert "Subcommands:" in done.stdout


@pytest.mark.parametrize("arguments, parts", [
    (["expalin"], ["CLI-902", '"expalin" (did you mean "explain"?)', "\n  hint: "]),
    (["frobnicate"], ["CLI-902", '"frobnicate"', "\n  hint: "]),
    (["explain", "--jsno", "--all"], ["CLI-901", "--jsno", 'did you mean "--json"']),
    (["explain"], ["CLI-901", "--all"]),
    (["completion", "tcsh"], ["CLI-901", "tcsh"]),
    (["completion"], ["CLI-901", "shell"]),
    (["explain", "internal-eror"], ["CLI-903", 'did you mean "internal-error"']),
])
def test_bad_usage_says_what_is_wrong_and_ends_with_two(arguments, parts):
    done = hawser(*arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("hawser: ")
    for part in parts:
        assert part in done.stderr, done.stderr


def test_errors_are_json_when_json_is_asked_for():
    done = hawser("explain", "NO-SUCH", "--json")
    assert done.returncode == 2
    error = json.loads(done.stderr)["error"]
    assert error["id"] == "CLI-903" and error["name"] == "unknown-error-id" and error["hint"]


def test_explain_finds_an_error_by_id_and_by_name():
    by_id, by_name = hawser("explain", "gen-001"), hawser("explain", "internal-error")
    assert by_id.returncode == by_name.returncode == 0
    assert by_id.stdout == by_name.stdout
    assert by_id.stdout.startswith("GEN-001 internal-error\n") and "hint: " in by_id.stdout


def test_explain_all_agrees_in_every_form():
    rows = json.loads(hawser("explain", "--all", "--json").stdout)
    text = hawser("explain", "--all").stdout
    page = hawser("explain", "--all", "--markdown").stdout
    assert len(rows) > 10
    assert [line.split()[0] for line in text.splitlines()] == [row["id"] for row in rows]
    for row in rows:
        assert f"| {row['id']} | `{row['name']}` |" in page
        assert json.loads(hawser("explain", row["id"], "--json").stdout) == row if row["id"].endswith("1") else True


@pytest.mark.parametrize("arguments", [["version", "--json"], ["version"], ["--version"]])
def test_version_names_the_program_and_its_version(arguments):
    done = hawser(*arguments)
    assert done.returncode == 0
    if "--json" in arguments:
        facts = json.loads(done.stdout)
        assert set(facts) >= {"version", "compiler", "openssl", "boost"}
    else:
        assert done.stdout.startswith("hawser ")


def test_output_that_nobody_takes_is_an_error_and_not_a_signal():
    with open("/dev/full", "w") as full:
        done = subprocess.run([HAWSER, "explain", "--all"], stdout=full, stderr=subprocess.PIPE, text=True, timeout=30)
    assert done.returncode == 1
    assert "standard output" in done.stderr


def test_a_closed_pipe_ends_it_without_a_signal():
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run([HAWSER, "explain", "--all"], stdout=writer, stderr=subprocess.PIPE, timeout=30)
    os.close(writer)
    assert done.returncode == 1
