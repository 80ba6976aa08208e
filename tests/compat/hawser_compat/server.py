"""A directory for PATH in which `nats-server` is the server under test."""

import os
import pathlib
import re
import shlex
import subprocess
import sys


def place_server(directory, binary):
    """Writes directory/nats-server. Called by that name, `hawser` is `hawser broker`; suites look for `nats-server_PID.ports`."""
    binary = pathlib.Path(binary).resolve(strict=True)
    script = pathlib.Path(directory) / "nats-server"
    script.write_text(f'#!/bin/bash\nexec -a nats-server {shlex.quote(str(binary))} "$@"\n')
    script.chmod(0o755)
    return script


def environment(directory):
    """This process's environment with that server first on PATH."""
    return {**os.environ, "PATH": f"{directory}{os.pathsep}{os.environ['PATH']}"}


def version_of(script, environment=None):
    done = subprocess.run([script, "--version"], capture_output=True, text=True, timeout=20, check=False, env=environment)
    if done.returncode != 0:
        sys.exit(f"{script} --version: {done.stdout}{done.stderr}")
    return done.stdout.strip()


def version_numbers(text):
    """(2, 10, 29) of "nats-server: v2.10.29-…"."""
    return tuple(map(int, re.search(r"v(\d+)\.(\d+)\.(\d+)", text).groups()))
