#!/usr/bin/env python3
"""docs/errors.md is what `hawser explain --all --markdown` prints: writes it, or with --check fails when it is not current.

    tools/errors_page.py build/release/hawser [--check]
"""
import difflib
import pathlib
import subprocess
import sys

PAGE = pathlib.Path(__file__).resolve().parent.parent / "docs/errors.md"


def main() -> int:
    program = sys.argv[1]
    wanted = subprocess.run([program, "explain", "--all", "--markdown"], check=True, capture_output=True, text=True).stdout
    if "--check" not in sys.argv:
        PAGE.write_text(wanted)
        return 0
    there = PAGE.read_text() if PAGE.is_file() else ""
    if there == wanted:
        return 0
    sys.stdout.writelines(difflib.unified_diff(there.splitlines(True), wanted.splitlines(True), "docs/errors.md", "the table"))
    print(f"\ndocs/errors.md is not current; write it with: tools/errors_page.py {program}")
    return 1


if __name__ == "__main__":
    sys.exit(main())
