"""`hawser drill`: whole rotations on a throw-away system, and what it does wrong on purpose."""

import json
import os
import pathlib
import re
import signal
import subprocess
import urllib.request

import pytest
from hawser_scenario.errors import KnownError
from hawser_scenario.process import Program
from hawser_scenario.waiting import wait_until

HAWSER = os.environ["HAWSER_BIN"]
DONE, NOT_SO, MISUSE, INTERRUPTED = 0, 1, 2, 130
KINDS = {"embedded": [], "nats-server": ["--server-bin", "nats-server"]}
STEPS = {  # of --inject, and where it has to stop
    "bad-cert": "preflight", "expired": "preflight", "key-mismatch": "preflight", "no-reload": "prove that old and new are accepted: n1",
    "partial-write": "apply: a2", "kill-agent": "apply: a2", "kill-broker": r"prove: a\d", "straggler": "prove that nothing old is left: n1"}
THEN = {"bad-cert": "stopped", "expired": "stopped", "key-mismatch": "stopped", "no-reload": "rolled-back", "partial-write": "rolled-back"}


def drill(directory, *arguments, timeout=200):
    """Exit code, what it said, its errors. Its own directory is gone afterwards, unless it says where it is."""
    done = subprocess.run([HAWSER, "drill", "--report", str(directory / "report.html"), *arguments], capture_output=True, text=True, timeout=timeout,
                          check=False, cwd=directory, env={**os.environ, "TMPDIR": str(directory)})
    return done.returncode, done.stdout, done.stderr


def outcome(directory, *arguments):
    code, out, err = drill(directory, "--json", *arguments)
    assert out.count("\n") == 1, out + err
    return code, json.loads(out)


def left_in(directory):
    return list(directory.glob("hawser-drill-*"))


def processes_of(directory):
    """Command lines of all that work in the directory."""
    found = []
    for line in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            text = line.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if f"{directory}/hawser-drill-" in text:
            found.append(text)
    return found


def assert_nothing_wrong(seen):
    assert seen["ok"] and not seen["wrong"], seen
    assert seen["lost"] == 0 and seen["delivered"] == seen["sent"] > 1000
    assert seen["duplicated"] == 0 and seen["reordered"] == 0


@pytest.mark.parametrize("kind", KINDS)
def test_a_whole_rotation_loses_repeats_and_reorders_nothing(tmp_path, kind):
    code, seen = outcome(tmp_path, *KINDS[kind])
    assert code == DONE, seen
    assert_nothing_wrong(seen)
    assert seen["broker"].startswith(kind) and seen["rotations"] == 1
    assert seen["old_refused"] and seen["new_accepted"]
    assert 0 < seen["pause_ms"]["p50"] <= seen["pause_ms"]["p99"] <= seen["pause_ms"]["max"] <= seen["longest_ms"]
    names = [step["name"] for step in seen["steps"]]
    assert all(step["ok"] and step["seconds"] >= 0 for step in seen["steps"])
    for name in ("preflight", "prove that old and new are accepted: n1", "prove: a1", "prove: a4-trust", "prove that new is accepted and old refused: n1"):
        assert name in names
    assert not left_in(tmp_path) and not processes_of(tmp_path)


def test_a_cluster_of_three_and_twelve_agents(tmp_path):
    code, seen = outcome(tmp_path, "--server-bin", "nats-server", "--brokers", "3", "--agents", "12", "--rate", "50")
    assert code == DONE, seen
    assert_nothing_wrong(seen)
    names = [step["name"] for step in seen["steps"]]
    assert {f"prove that new is accepted and old refused: n{i}" for i in (1, 2, 3)} <= set(names)
    assert {f"prove: a{i}" for i in range(1, 13)} <= set(names)


def test_one_rotation_after_the_other(tmp_path):
    code, seen = outcome(tmp_path, "--rotations", "2", "--agents", "2")
    assert code == DONE, seen
    assert_nothing_wrong(seen)
    assert seen["rotations"] == 2 and [step["name"] for step in seen["steps"]].count("preflight") == 2


@pytest.mark.parametrize("fault", STEPS)
def test_what_is_done_wrong_on_purpose_stops_it_at_its_step_and_nothing_is_lost(tmp_path, fault):
    code, seen = outcome(tmp_path, "--inject", fault)
    assert code == DONE, seen
    assert seen["ok"] and seen["lost"] == 0 and seen["sent"] > 500, seen
    assert seen["delivered"] == seen["sent"] - seen["away"]
    assert (seen["away"] > 0) == (fault == "kill-agent")
    if not fault.startswith("kill"):
        assert seen["duplicated"] == 0 and seen["reordered"] == 0
    inject = seen["inject"]
    assert re.fullmatch(STEPS[fault], inject["stopped_at"]), inject
    assert inject["fault"] == fault and inject["reason"]["message"] and inject["then"] == THEN.get(fault, "done")
    gone_on = inject["then"] == "done"
    assert (seen["old_refused"], seen["new_accepted"]) == (gone_on, gone_on)
    assert not processes_of(tmp_path)


@pytest.mark.skipif(os.environ.get("HAWSER_LONG") != "1", reason="the embedded broker's are quicker")
def test_an_agent_and_a_broker_are_killed_with_nats_server_too(tmp_path):
    for fault in ("kill-broker", "kill-agent"):
        code, seen = outcome(tmp_path, "--inject", fault, "--server-bin", "nats-server")
        assert code == DONE and seen["ok"] and seen["lost"] == 0, seen


def test_the_report_has_the_figures_of_the_json_and_needs_nothing_else(tmp_path):
    _, seen = outcome(tmp_path, "--agents", "2")
    page = pathlib.Path(seen["report"]).read_text()
    figures = dict(re.findall(r'<dd id="([\w-]+)" class="\w+">([^<]*)</dd>', page))
    assert {name: figures[name] for name in ("sent", "delivered", "lost", "duplicated", "reordered")} == {
        name: str(seen[name]) for name in ("sent", "delivered", "lost", "duplicated", "reordered")}
    assert figures["pause-max"] == f"{seen['pause_ms']['max']:.1f}" and figures["old-refused"] == "yes"
    assert all(f"<td>{step['name']}</td>" in page for step in seen["steps"])
    assert "Messages a second" in page and "Longest time" in page and "<svg" in page
    assert "<script" not in page and "src=" not in page and "PRIVATE KEY" not in page


def test_the_page_shows_the_waves_as_they_go(tmp_path):
    run = Program([HAWSER, "drill", "--hold", "--report", "off", "--agents", "2"], tmp_path / "log", env={**os.environ, "TMPDIR": str(tmp_path)})
    with run:
        address = wait_until(lambda: re.search(r"live page on (http://\S+)", run.log()), 20, "its address").group(1)

        def status():
            with urllib.request.urlopen(address + "status", timeout=10) as answer:
                return json.load(answer)

        wait_until(lambda: any(section["title"] == "Waves" for section in status()["sections"]), 60, "the waves")
        wait_until(lambda: "everything stays up" in run.log(), 120, run.log)
        shown = status()
        assert shown["tone"] == "good", shown
        waves = {item["name"]: item["value"] for section in shown["sections"] if section["title"] == "Waves" for item in section["items"]}
        assert list(waves) == ["canary", "others", "brokers", "again", "trust"] and all("of" in text for text in waves.values())
        traffic = {item["name"]: item["value"] for section in shown["sections"] if section["title"] == "Traffic" for item in section["items"]}
        assert traffic["sent"] == traffic["delivered"] != "0"
        run.signal(signal.SIGINT)
        assert run.wait(20) == DONE, run.log()
    assert not left_in(tmp_path) and not processes_of(tmp_path)


def test_interrupted_it_ends_everything_that_it_has_started(tmp_path):
    run = Program([HAWSER, "drill", "--report", "off"], tmp_path / "log", env={**os.environ, "TMPDIR": str(tmp_path)})
    with run:
        wait_until(lambda: "moving" in run.log(), 60, run.log)
        run.signal(signal.SIGINT)
        assert run.wait(30) == INTERRUPTED, run.log()
    assert not processes_of(tmp_path) and not left_in(tmp_path)


def test_killed_it_leaves_no_process(tmp_path):
    run = Program([HAWSER, "drill", "--report", "off"], tmp_path / "log", env={**os.environ, "TMPDIR": str(tmp_path)})
    with run:
        wait_until(lambda: "moving" in run.log(), 60, run.log)
        assert len(processes_of(tmp_path)) >= 5
        run.kill()
    wait_until(lambda: not processes_of(tmp_path), 20, "all of them have ended")


def test_what_it_cannot_do_it_says(tmp_path):
    for arguments, said in ((["--brokers", "3"], "--server-bin"), (["--inject", "meteor"], "kill-broker"),
                            (["--inject", "expired", "--rotations", "2"], "--rotations"), (["--dir", "/usr"], "not empty"),
                            (["--agents", "1"], "2 to 64")):
        code, out, err = drill(tmp_path, *arguments)
        assert code == MISUSE and said in err and not out, (arguments, out, err)
    code, out, err = drill(tmp_path, "--report", str(tmp_path / "absent" / "report.html"))
    assert code != DONE and "--report" in err and not out, out + err
    code, out, err = drill(tmp_path, "--server-bin", "/bin/true")
    assert code == NOT_SO and KnownError("drill_impossible").id in err and "nats-server" in err, out + err
    code, out, err = drill(tmp_path, "--server-bin", str(tmp_path / "absent"))
    assert code == NOT_SO and KnownError("drill_impossible").id in err, out + err
    assert not left_in(tmp_path)
