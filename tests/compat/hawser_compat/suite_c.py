"""nats.c: DIR/build/bin/testsuite, built as its README says (static library, TLS, without streaming), one process a test."""

import pathlib
import re
import shutil
import sys
import tempfile

from . import outcome, runner, server

DEADLINE_SECONDS = 180
SKIPPED = re.compile(r"Skip(ped|ping)?( test)? (since|when) ")


def tests(checkout):
    listed = (pathlib.Path(checkout) / "test/list_test.txt").read_text(encoding="utf-8")
    return re.findall(r"_test\((\w+)\)", listed)


def run(checkout, names, environment, jobs):
    program = next((p for p in (checkout / "build/bin/testsuite", checkout / "build/test/testsuite") if p.exists()), None)
    if program is None:
        sys.exit(f"{checkout}/build/bin/testsuite is missing: build the checkout first, as its README says")

    environment = {**environment, "NATS_TEST_SERVER_VERSION": server.version_of("nats-server", environment)}

    def one(name):
        with tempfile.TemporaryDirectory() as scratch:  # a test reads certificates from, and writes logs to, where it stands
            shutil.copytree(checkout / "test", scratch, ignore=shutil.ignore_patterns("*.c", "*.h"), dirs_exist_ok=True)
            return judge(name, runner.run([program, name], scratch, environment, DEADLINE_SECONDS))

    return runner.run_all(names, one, jobs)


def judge(name, done):
    if done.code is None:
        result = outcome.TIMEOUT
    elif SKIPPED.search(done.output):
        result = outcome.SKIPPED
    else:
        result = outcome.PASSED if done.code == 0 and "ALL PASSED" in done.output else outcome.FAILED
    return outcome.Outcome(name, result, round(done.seconds, 2), "" if result == outcome.PASSED else done.tail)
