"""The documentation holds: links lead somewhere, and commands that it names exist with the options that it gives."""
import os
import pathlib
import re
import shlex
import subprocess

import pytest

HAWSER = os.environ["HAWSER_BIN"]
ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PAGES = sorted(path for path in ROOT.rglob("*.md") if not {"build", "node_modules", ".git", ".cache"} & set(path.parts))
USED = re.compile(r"^\s*(?:\$ )?((?:\w+=\S+ )*)hawser (.*)")
END = re.compile(r"\s+(?:#|&|\||>).*$")  # of the command within its line


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page):
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text()):
        if "://" not in target and not target.startswith("mailto:"):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def commands_in(page):
    inside = False
    for line in page.read_text().splitlines():
        if line.lstrip().startswith("```"):
            inside = not inside and "sh" in line
        elif inside and USED.match(line):
            yield END.sub("", USED.match(line).group(2)).strip().removesuffix("\\").strip()


USES = [(page, use) for page in PAGES for use in commands_in(page)]


def depth(path):
    """How many words the command has that begins like this."""
    if path[:1] == ["id"]:
        return 3 if path[1:2] and path[1] in ("operator", "account", "user", "rotate") else 2
    return 2 if path[:1] in (["pki"], ["queue"], ["rotate"]) else 1


@pytest.mark.parametrize("page, use", USES, ids=lambda value: value if isinstance(value, str) else value.stem)
def test_every_command_exists_with_its_options(page, use):
    words = shlex.split(use)
    path, options = [], []
    for word in words:
        if word.startswith("-"):
            options.append(word.split("=")[0])
        elif not options and len(path) < depth(path):
            path.append(word)
    shown = subprocess.run([HAWSER, *path, "--help"], capture_output=True, text=True, timeout=30)
    assert shown.returncode == 0, shown.stderr
    for option in options:
        assert re.search(rf"(^|[\s,]){re.escape(option)}\b", shown.stdout), f"{use}: {option} is not in\n{shown.stdout}"


def test_the_readme_shows_commands():
    assert len([use for page, use in USES if page == ROOT / "README.md"]) >= 5
