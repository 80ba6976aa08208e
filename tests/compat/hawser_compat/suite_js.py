"""nats.node: test/*.js with the published package of the same version, one `ava` process a file.

The checkout gives the tests alone. `node_modules` comes from DIR/package (`npm install nats@VERSION ava@5 minimist nats-jwt@0.0.9`).
"""

import os
import pathlib
import re
import shutil
import sys
import tempfile

from . import certificates, outcome, runner

DEADLINE_SECONDS = 900
LINE = re.compile(r"^(ok|not ok) \d+ - (.*?)(?: # (SKIP|TODO).*)?$")


def tests(checkout):
    return sorted(path.stem for path in (checkout / "test").glob("*.js"))


def run(checkout, names, environment, jobs):
    modules = checkout / "package/node_modules"
    if not (modules / "nats").exists():
        sys.exit(f"{modules} is missing: see the head of {__file__}")

    def one(name):
        with tempfile.TemporaryDirectory() as scratch:
            place(checkout, modules, pathlib.Path(scratch), name)
            command = ["node", "node_modules/.bin/ava", "--tap", "--timeout=120s", "--serial", "--concurrency=1", f"test/{name}.js"]
            variables = {"TMPDIR": scratch, **certificates.write_demo(pathlib.Path(scratch) / "demo")}
            done = runner.run(command, scratch, {**environment, **variables}, DEADLINE_SECONDS)
            return read_tap(name, done)

    return [each for batch in runner.run_all(names, one, jobs) for each in batch]


def place(checkout, modules, scratch, name):
    """The layout that the tests expect: the library in ../lib, their helpers and certificates beside them."""
    package = modules / "nats"
    for part in ("lib", "index.js", "package.json"):
        source = package / part
        (shutil.copytree if source.is_dir() else shutil.copy)(source, scratch / part)
    os.symlink(modules, scratch / "node_modules")
    for part in ("certs", "helpers"):
        shutil.copytree(checkout / "test" / part, scratch / "test" / part)
    shutil.copy(checkout / f"test/{name}.js", scratch / f"test/{name}.js")


def read_tap(name, done):
    outcomes, detail = [], []
    for line in done.output.splitlines():
        match = LINE.match(line)
        if match:
            result = outcome.SKIPPED if match[3] else outcome.PASSED if match[1] == "ok" else outcome.FAILED
            outcomes.append(outcome.Outcome(f"{name}: {match[2]}", result))
            detail = []
        elif outcomes and outcomes[-1].result == outcome.FAILED:
            detail.append(line)
            outcomes[-1].detail = "\n".join(detail[-60:])
    if done.code is None or not outcomes:
        outcomes.append(outcome.Outcome(f"{name}: (the file)", outcome.TIMEOUT if done.code is None else outcome.FAILED, 0, done.tail))
    return outcomes
