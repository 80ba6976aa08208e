"""Other people's client libraries, unmodified: their programs in tests/interop, built and ready to run."""

import os
import pathlib
import shutil
import subprocess

INTEROP = pathlib.Path(__file__).parents[2] / "interop"
# Debian's packages alone: nothing is fetched.
GO_ENVIRONMENT = {"GO111MODULE": "off", "GOPATH": "/usr/share/gocode", "GOFLAGS": "", "CGO_ENABLED": "0", "GOTOOLCHAIN": "local"}


def checked(arguments, **kwargs):
    """What it printed, once it has ended well."""
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=240, check=False, **kwargs)
    assert done.returncode == 0, f"{arguments}: {done.stdout}\n{done.stderr}"
    return done.stdout


def build_go(package, program):
    """`package`: below tests/interop/go; "" for the checks themselves."""
    checked(["go", "build", "-o", str(program), "."], cwd=INTEROP / "go" / package, env={**os.environ, **GO_ENVIRONMENT})
    return str(program)


def install_js(directory):
    """The JavaScript programs with their packages, in a directory of their own."""
    shutil.copytree(INTEROP / "js", directory, ignore=shutil.ignore_patterns("node_modules"))
    checked(["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=directory)
    return directory
