"""nats.py: nats/tests, one pytest process a test class, so that a server left behind spoils one class at most."""

import os
import pathlib
import re
import tempfile
import xml.etree.ElementTree

from . import outcome, runner, server

DEADLINE_SECONDS = 900
OWN_MODULES = pathlib.Path(__file__).resolve().parent.parent / "python"  # nkeys, which Debian has not


def tests(checkout):
    """FILE::CLASS for each class of tests."""
    found = []
    for path in sorted((checkout / "nats/tests").glob("test_*.py")):
        found += [f"{path.stem}::{name}" for name in re.findall(r"^class (\w*Test\w*)\(", path.read_text(encoding="utf-8"), re.M)]
    return found


def run(checkout, names, environment, jobs):
    paths = [str(checkout / "nats/src"), str(checkout / "nats"), str(OWN_MODULES)]
    environment = {**environment, "PYTHONPATH": os.pathsep.join(paths), "PYTHONDONTWRITEBYTECODE": "1"}
    major, minor, patch = server.version_numbers(server.version_of("nats-server", environment))
    if minor >= 10:  # the tests compare texts, in which 2.9 is more than 2.10
        environment["NATS_SERVER_VERSION"] = f"v{major}.{minor}.{patch}"

    def one(name):
        stem, _, suite_class = name.partition("::")
        with tempfile.NamedTemporaryFile(suffix=".xml") as report:
            command = ["/usr/bin/python3", "-m", "pytest", "-q", "-p", "no:cacheprovider", "--tb=short", "-o", "asyncio_mode=auto",
                       f"--junit-xml={report.name}", f"nats/tests/{stem}.py::{suite_class}"]
            done = runner.run(command, checkout, environment, DEADLINE_SECONDS)
            return read_report(name, pathlib.Path(report.name), done)

    return [each for batch in runner.run_all(names, one, jobs) for each in batch]


def read_report(name, report, done):
    if report.stat().st_size == 0:
        return [outcome.Outcome(name, outcome.TIMEOUT if done.code is None else outcome.FAILED, done.seconds, done.tail)]
    outcomes = []
    for case in xml.etree.ElementTree.parse(report).iter("testcase"):
        failure = next((child for child in case if child.tag in ("failure", "error")), None)
        skipped = case.find("skipped") is not None
        result = outcome.FAILED if failure is not None else outcome.SKIPPED if skipped else outcome.PASSED
        detail = (failure.text or "")[-runner.TAIL_BYTES:] if failure is not None else ""
        outcomes.append(outcome.Outcome(f"{name}::{case.get('name')}", result, float(case.get("time", 0)), detail))
    return outcomes
