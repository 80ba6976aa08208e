"""nats.go's own tests, unchanged, against `hawser broker` (tests/compat has the suites of other clients)."""

import os
import pathlib
import subprocess
import sys

RUN = pathlib.Path(__file__).parent.parent / "compat" / "run"


def test_the_own_tests_of_nats_go_pass(tmp_path):
    done = subprocess.run([sys.executable, RUN, "go", "--server", os.environ["HAWSER_BIN"], "--jobs", "2", "--attempts", "3",
                           "--out", tmp_path / "outcomes.json"],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
