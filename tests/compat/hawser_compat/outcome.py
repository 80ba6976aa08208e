"""What came of each test of a run, as a file, and the difference between two runs."""

import collections
import dataclasses
import json
import pathlib
import re

PASSED, FAILED, SKIPPED, TIMEOUT = "passed", "failed", "skipped", "timeout"


@dataclasses.dataclass
class Outcome:
    test: str
    result: str
    seconds: float = 0.0
    detail: str = ""  # the end of what it printed, when it did not pass
    attempts: int = 1


def write(path, suite, server, outcomes):
    document = {"suite": suite, "server": server, "outcomes": [dataclasses.asdict(o) for o in outcomes]}
    with open(path, "w", encoding="utf-8") as file:
        json.dump(document, file, indent=1)
        file.write("\n")


def read(path):
    with open(path, encoding="utf-8") as file:
        document = json.load(file)
    return document["server"], {o["test"]: Outcome(**o) for o in document["outcomes"]}


def summary(outcomes):
    counts = collections.Counter(o.result for o in outcomes)
    return ", ".join(f"{counts[result]} {result}" for result in (PASSED, FAILED, TIMEOUT, SKIPPED) if counts[result]) or "nothing ran"


def reasons(suite):
    """[(pattern, reason)] of the tests that a server need not pass, from not_ours.txt."""
    found = []
    for line in (pathlib.Path(__file__).resolve().parent.parent / "not_ours.txt").read_text(encoding="utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            name, pattern, reason = re.split(r"\s{2,}", line.strip(), maxsplit=2)
            if name == suite:
                found.append((re.compile(pattern), reason))
    return found


def reason(rules, test):
    return next((reason for pattern, reason in rules if pattern.search(test)), None)


def differences(reference, candidate):
    """Tests that passed in `reference` and did not in `candidate`, and the other way round."""
    lost = [o for name, o in candidate.items() if o.result != PASSED and name in reference and reference[name].result == PASSED]
    absent = [Outcome(name, "absent") for name, o in reference.items() if o.result == PASSED and name not in candidate]
    won = [o for name, o in candidate.items() if o.result == PASSED and name in reference and reference[name].result != PASSED]
    return lost + absent, won
