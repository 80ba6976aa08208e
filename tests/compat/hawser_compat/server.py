"""A directory for PATH in which `nats-server` is the server under test."""

import os
import pathlib
import shlex
import subprocess


def is_hawser(binary):
    return os.path.basename(binary).startswith("hawser")


def place_server(directory, binary):
    """Writes directory/nats-server. Its process is named nats-server, as suites look for `nats-server_PID.ports`."""
    binary = pathlib.Path(binary).resolve(strict=True)
    subcommand = " broker" if is_hawser(binary) else ""
    script = pathlib.Path(directory) / "nats-server"
    script.parent.mkdir(parents=True, exist_ok=True)
    script.write_text(f'#!/bin/bash\nexec -a nats-server {shlex.quote(str(binary))}{subcommand} "$@"\n')
    script.chmod(0o755)
    return script


def environment(directory):
    """This process's environment with that server first on PATH."""
    return {**os.environ, "PATH": f"{directory}{os.pathsep}{os.environ['PATH']}"}


def version_of(script, environment=None):
    done = subprocess.run([script, "--version"], capture_output=True, text=True, timeout=20, check=False, env=environment)
    return (done.stdout or done.stderr).strip()
