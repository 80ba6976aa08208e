"""Test programs from Go packages that Debian installs as source, with go-shim in place of nats-server's own packages."""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

from . import outcome, runner

DEADLINE_SECONDS = 180
LIBRARIES = pathlib.Path("/usr/share/gocode")
SERVER_PACKAGE = "github.com/nats-io/nats-server/v2"
SHIM = pathlib.Path(__file__).resolve().parent.parent / "go-shim"

_place = tempfile.TemporaryDirectory(prefix="compat-go-")  # removed when the runner ends
ROOT = pathlib.Path(_place.name)


def sources(package):
    return ROOT / "src" / package


def place_shim(*parts):
    for part in parts:
        shutil.copytree(SHIM / part, sources(SERVER_PACKAGE) / part)


def build(name, directory):
    """Compiles the tests of the package in `directory` to the program `name`; the tests that it has."""
    environment = {**os.environ, "GO111MODULE": "off", "GOPATH": f"{ROOT}:{LIBRARIES}", "GOFLAGS": "", "CGO_ENABLED": "0",
                   "GOTOOLCHAIN": "local"}
    program = ROOT / name
    done = subprocess.run(["go", "test", "-c", "-o", program, "."], cwd=directory, env=environment, capture_output=True, text=True,
                          check=False)
    if done.returncode != 0:
        sys.exit(f"the tests of {name} do not compile:\n{done.stderr}")
    listed = subprocess.run([program, "-test.list", "."], cwd=directory, env={**os.environ, "NATS_SERVER_BIN": "/bin/true"},
                            capture_output=True, text=True, check=True).stdout
    return [f"{name}/{test}" for test in listed.split() if test.startswith("Test")]


def run(names, directories, environment, jobs):
    """PROGRAM/TEST, each in a process of its own, from directories[PROGRAM]."""
    environment = {**environment, "NATS_SERVER_BIN": shutil.which("nats-server", path=environment["PATH"])}

    def one(name):
        program, _, test = name.partition("/")
        command = [ROOT / program, "-test.v", "-test.run", f"^{test}$"]
        return judge(name, test, runner.run(command, directories[program], environment, DEADLINE_SECONDS))

    return runner.run_all(names, one, jobs)


def judge(name, test, done):
    if done.code is None:
        result = outcome.TIMEOUT
    elif f"--- SKIP: {test} " in done.output:
        result = outcome.SKIPPED
    else:
        result = outcome.PASSED if done.code == 0 and f"--- PASS: {test} " in done.output else outcome.FAILED
    return outcome.Outcome(name, result, round(done.seconds, 2), "" if result == outcome.PASSED else done.tail)
