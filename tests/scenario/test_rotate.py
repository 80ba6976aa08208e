"""`hawser rotate`: a CA rotation proven step by step by a real nats-server's own view, under load; and each way in which it must stop."""

import json
import os
import resource
import signal
import subprocess

import pytest
from conftest import LONG
from hawser_scenario.broker import HawserBroker
from hawser_scenario.errors import KnownError
from hawser_scenario.fleet import Fleet
from hawser_scenario.load import assert_nothing_wrong
from hawser_scenario.nats_server import NatsServer
from hawser_scenario.pki import bundle
from hawser_scenario.waiting import wait_until

DONE, NOT_SO, MISUSE = 0, 1, 2
AGENTS = 12 if LONG else 6
KILLED_AFTER = range(1, 34) if LONG else (1, 3, 5, 8, 11, 14)  # lines of progress


@pytest.fixture
def make_fleet(tmp_path, authorities, start_agent, stack):
    return lambda **size: stack.enter_context(Fleet(tmp_path, authorities, start_agent, **size))


@pytest.fixture
def fleet(make_fleet):
    return make_fleet()


def assert_untouched(fleet):
    assert {bundle.read_bytes() for bundle in fleet.bundles} == {fleet.before}
    assert fleet.presented() <= fleet.old_ones()


def assert_all_is_new(fleet):
    assert [bundle.read_text().count("BEGIN CERTIFICATE") for bundle in fleet.bundles] == [1] * len(fleet.bundles)
    assert fleet.presented() == fleet.new_ones()
    assert fleet.may_come_in(fleet.new) and not fleet.may_come_in(fleet.old)


@pytest.mark.parametrize("kind", [NatsServer, HawserBroker], ids=["nats_server", "hawser_broker"])
def test_a_whole_rotation_loses_nothing_and_ends_with_the_old_ca_refused(make_fleet, kind):
    fleet = make_fleet(kind=kind)
    fleet.write(fleet.plan())
    code, out, err = fleet.rotate("plan")
    assert code == DONE, out + err
    with fleet.load() as load:
        assert fleet.presented() == fleet.old_ones()
        code, out, err = fleet.rotate("run", "--json")
        assert code == DONE, out + err
        result = json.loads(out)
        assert result["ok"] and result["state"] == "done"
        assert_nothing_wrong(load.stop())
    assert_all_is_new(fleet)
    assert fleet.state()["state"] == "done"
    assert [agent.value("hawser_disconnects_total") for agent in fleet.agents] == [0, 0]
    code, _, err = fleet.rotate("rollback")
    assert code == MISUSE and KnownError("rotation_irreversible").id in err
    code, _, err = fleet.rotate("run")
    assert code == MISUSE and "is done already" in err, "it would trust the old CA again"
    steps = json.loads(fleet.rotate("report", "--json")[1])["steps"]
    assert [step["name"] for step in steps if step["mark"] == "done"] == [step["name"] for step in result["steps"]] + ["finish"]


def test_a_cluster_of_three_is_rotated_with_traffic_between_its_servers(make_fleet):
    fleet = make_fleet(servers=3, agents=AGENTS)
    fleet.write(fleet.plan())
    with fleet.load(rate=200) as load:
        code, out, err = fleet.rotate("run")
        assert code == DONE, out + err
        assert_nothing_wrong(load.stop())
    assert_all_is_new(fleet)
    assert fleet.state()["brokers_narrowed"] == 3


class Plain:
    """A client that cannot change its certificate while it runs: a script restarts it."""

    def __init__(self, fleet):
        self.cert, self.key = fleet.directory / "plain.crt", fleet.directory / "plain.key"
        old, self.new = fleet.old.issue("plain"), fleet.new.issue("plain")
        self.old = old
        self.cert.write_bytes(old.cert.read_bytes())
        self.key.write_bytes(old.key.read_bytes())
        self.pid = fleet.directory / "plain.pid"
        self.script = fleet.directory / "restart"
        self.script.write_text(f"""#!/bin/sh
[ -f {self.pid} ] && kill $(cat {self.pid})
{fleet.binary} sub plain.news -s {fleet.server.url("tls")} --tlscert {self.cert} --tlskey {self.key} --tlsca {fleet.old.cert} \\
  --connection-name plain >/dev/null 2>&1 &
echo $! > {self.pid}
""")
        self.script.chmod(0o755)

    def target(self, fleet):
        files = [{"from": str(self.new.cert), "to": str(self.cert)}, {"from": str(self.new.key), "to": str(self.key)}]
        return {"name": "plain", "deliver": {"files": files}, "apply": {"command": [str(self.script)]},
                "prove": {"certificate": str(self.new.cert), "name": "plain", "connections": 1}}

    def end(self):
        os.kill(int(self.pid.read_text()), signal.SIGKILL)


def test_what_has_to_be_restarted_is_restarted_by_a_command(fleet, stack):
    plain = Plain(fleet)
    subprocess.run([plain.script], check=True, timeout=20)
    stack.callback(plain.end)
    wait_until(lambda: plain.old.sha256 in fleet.presented(), 20, "the plain client is there")
    plan = fleet.plan()
    plan["waves"].append({"name": "plain", "after": ["canary"], "targets": [plain.target(fleet)]})
    fleet.write(plan)
    code, out, err = fleet.rotate("run")
    assert code == DONE, out + err
    assert fleet.presented() == fleet.new_ones() | {plain.new.sha256}


def both_sides(fleet):
    """Clients learn to trust both, brokers present new certificates, clients connect to those, and trust the new CA alone."""
    plan = fleet.plan()
    both, turned = bundle(fleet.directory / "both.crt", fleet.old, fleet.new), bundle(fleet.directory / "turned.crt", fleet.new, fleet.old)
    servers, again, narrow = [], [], []
    plan["prober"]["ca_file"] = str(both)
    for number, target in enumerate(t for wave in plan["waves"] for t in wave["targets"]):
        target["deliver"]["files"].append({"from": str(both), "to": str(fleet.layouts[number].path("ca"))})
        for wave, name, ca in ((again, "again", turned), (narrow, "trust", fleet.new.cert)):
            files = [{"from": str(ca), "to": str(fleet.layouts[number].path("ca"))}]
            wave.append({**target, "name": f"{target['name']}-{name}", "deliver": {"files": files}})
    for number, (old, new) in enumerate(fleet.server_pairs):
        files = [{"from": str(new.cert), "to": str(old.cert)}, {"from": str(new.key), "to": str(old.key)}]
        servers.append({"name": f"n{number + 1}-server", "deliver": {"files": files}, "apply": {"pid_file": str(fleet.pid_file(number))},
                        "prove": {"certificate": str(new.cert), "server": f"n{number + 1}"}})
    plan["waves"] += [{"name": "servers", "targets": servers}, {"name": "again", "targets": again}, {"name": "trust", "targets": narrow}]
    return plan


def test_both_sides_of_the_line_are_rotated_by_one_plan(make_fleet):
    fleet = make_fleet(servers=3, agents=3)
    fleet.write(both_sides(fleet))
    with fleet.load(rate=200) as load:
        code, out, err = fleet.rotate("run")
        assert code == DONE, out + err
        assert_nothing_wrong(load.stop())
    assert fleet.presented() == fleet.new_ones()
    assert {layout.path("ca").read_bytes() for layout in fleet.layouts} == {fleet.new.cert.read_bytes()}


def test_both_sides_go_back_by_one_plan_in_the_reverse_order(make_fleet):
    fleet = make_fleet()
    straggler = fleet.old.issue("straggler")
    fleet.agent_with(straggler.cert, straggler.key, "late", ca=bundle(fleet.directory / "late.crt", fleet.old, fleet.new))
    plan = both_sides(fleet)
    del plan["guards"]
    own = fleet.server_pairs[0][0].cert.read_bytes()
    fleet.write(plan)
    assert fleet.rotate("run")[0] == NOT_SO
    code, out, err = fleet.rotate("rollback")
    assert code == DONE, out + err
    assert fleet.bundle.read_bytes() == fleet.before and fleet.server_pairs[0][0].cert.read_bytes() == own
    assert {layout.path("ca").read_bytes() for layout in fleet.layouts} == {fleet.old.cert.read_bytes()}
    assert fleet.presented() == fleet.old_ones() | {straggler.sha256}


def of_the_old_ca(plan, fleet):
    """The new certificate of a target is not of the new CA."""
    pair = fleet.old.issue("a1")
    plan["waves"][0]["targets"][0]["prove"]["certificate"] = str(pair.cert)
    plan["waves"][0]["targets"][0]["deliver"]["files"] = [{"from": str(pair.cert), "to": str(fleet.layouts[0].path("cert"))}]


def with_another_key(plan, fleet):
    plan["waves"][0]["targets"][0]["deliver"]["files"][1]["from"] = str(fleet.new.issue("other").key)


def partly_written(plan, fleet):
    torn = fleet.directory / "torn.crt"
    torn.write_bytes(fleet.pairs[0][1].cert.read_bytes()[:300])
    plan["waves"][0]["targets"][0]["prove"]["certificate"] = str(torn)


def too_short_a_life(plan, fleet):
    plan["times"]["margin"] = "30d"


def a_ca_that_is_none(plan, fleet):
    plan["new_ca"] = str(fleet.new.issue("leaf").cert)


def the_wrong_monitor(plan, fleet):
    plan["brokers"][0]["monitor"] = f"http://{fleet.agents[0].admin}"


@pytest.mark.parametrize("breakage", [of_the_old_ca, with_another_key, partly_written, too_short_a_life, a_ca_that_is_none, the_wrong_monitor],
                         ids=lambda f: f.__name__)
def test_what_is_wrong_from_the_beginning_stops_it_before_anything_is_touched(fleet, breakage):
    plan = fleet.plan()
    breakage(plan, fleet)
    fleet.write(plan)
    code, out, err = fleet.rotate("run")
    assert code == NOT_SO and KnownError("rotation_preflight_failed").id in err, out + err
    assert_untouched(fleet)
    assert not list(fleet.directory.glob("*.before-*"))
    assert fleet.rotate("plan")[0] == (DONE if breakage is the_wrong_monitor else NOT_SO)
    fleet.write(fleet.plan())  # mended, which is another plan
    code, out, err = fleet.rotate("run")
    assert code == DONE, out + err
    assert_all_is_new(fleet)


def test_a_reload_that_does_nothing_stops_it_while_old_certificates_are_good(fleet):
    plan = fleet.plan()
    plan["brokers"][0]["reload"] = {"command": ["true"]}
    plan["times"]["probe"] = "2s"
    fleet.write(plan)
    with fleet.load(rate=100) as load:
        code, out, err = fleet.rotate("run")
        assert code == NOT_SO and KnownError("rotation_not_broadened").id in err, out + err
        assert fleet.presented() == fleet.old_ones()
        code, _, err = fleet.rotate("run")
        assert code == NOT_SO and KnownError("rotation_stopped").id in err
        code, out, err = fleet.rotate("rollback")
        assert code == DONE, out + err
        assert_nothing_wrong(load.stop())
    assert_untouched(fleet)


def test_trust_is_not_narrowed_while_one_connection_is_old_and_it_is_named(fleet):
    straggler = fleet.old.issue("straggler")
    late = fleet.agent_with(straggler.cert, straggler.key, "late")
    fleet.write(fleet.plan())
    code, out, err = fleet.rotate("run")
    assert code == NOT_SO and KnownError("rotation_not_converged").id in err, out + err
    assert "CN=straggler" in err and "hawser agent" in err
    assert fleet.may_come_in(fleet.old) and fleet.may_come_in(fleet.new)
    assert fleet.state()["targets_moved"] == 2
    late.stop()
    code, out, err = fleet.rotate("resume")
    assert code == DONE, out + err
    assert_all_is_new(fleet)


def test_rolled_back_everything_is_what_it_was(fleet):
    straggler = fleet.old.issue("straggler")
    fleet.agent_with(straggler.cert, straggler.key, "late")
    fleet.write(fleet.plan())
    with fleet.load() as load:
        assert fleet.rotate("run")[0] == NOT_SO
        code, out, err = fleet.rotate("rollback")
        assert code == DONE, out + err
        assert_nothing_wrong(load.stop())
    assert fleet.bundle.read_bytes() == fleet.before
    assert fleet.presented() == fleet.old_ones() | {straggler.sha256}
    for layout, (old, _) in zip(fleet.layouts, fleet.pairs):
        assert layout.path("cert").read_bytes() == old.cert.read_bytes() and layout.path("key").read_bytes() == old.key.read_bytes()
    assert fleet.may_come_in(fleet.old) and not fleet.may_come_in(fleet.new)
    assert fleet.state()["state"] == "rolled-back"


@pytest.mark.parametrize("lines", KILLED_AFTER)
def test_killed_anywhere_it_goes_on_to_the_same_end(fleet, lines):
    fleet.write(fleet.plan())
    with fleet.load(rate=200) as load:
        run = fleet.start_rotation()
        wait_until(lambda: run.log().count("\n") >= lines or not run.running, 60, "so many lines of progress")
        run.kill()
        assert fleet.state()["state"] == "stopped" or fleet.state()["state"] == "done"
        code, out, err = fleet.rotate("resume")
        assert code == DONE or KnownError("rotation_not_begun").id in err, out + err
        assert_nothing_wrong(load.stop())
    assert_all_is_new(fleet)


@pytest.mark.parametrize("room", [30_000, 45_000, 60_000])
def test_a_full_disk_under_the_journal_stops_it_and_with_room_again_it_goes_on(fleet, room):
    """A limit on the size of files stands for the disk: the journal's write-ahead log is what grows."""

    def small_disk():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # as a write to a full disk: an error
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))

    fleet.write(fleet.plan())
    with fleet.load(rate=100) as load:
        code, out, err = fleet.rotate("run", preexec_fn=small_disk)
        assert code == NOT_SO and KnownError("rotation_journal_unusable").id in err, out + err
        code, out, err = fleet.rotate("resume")
        if KnownError("rotation_not_begun").id in err or KnownError("rotation_journal_unusable").id in err:
            code, out, err = fleet.rotate("run")  # there was not even room for its beginning
        assert code == DONE, out + err
        assert_nothing_wrong(load.stop())
    assert_all_is_new(fleet)


def test_two_do_not_run_the_same_rotation(fleet):
    plan = fleet.plan()
    plan["waves"][0]["settle"] = "1h"
    fleet.write(plan)
    run = fleet.start_rotation()
    wait_until(lambda: "connections present" in run.log(), 60, lambda: f"the first target is proven\n{run.log()}")
    code, _, err = fleet.rotate("resume")
    assert code == MISUSE and KnownError("rotation_runs_already").id in err and str(run.pid) in err
    assert fleet.state()["process"] == run.pid
    assert run.stop() == 130, run.log()
    assert fleet.state()["state"] == "stopped"


def test_a_breach_of_the_error_budget_stops_it_and_brings_the_wave_back(fleet):
    plan = fleet.plan(on_breach="rollback")
    plan["guards"]["counters"] = {"hawser_splices_total": 0}  # which every rotation makes
    fleet.write(plan)
    code, out, err = fleet.rotate("run")
    assert code == NOT_SO and KnownError("rotation_guard_breached").id in err and "hawser_splices_total grew by" in err, out + err
    assert fleet.presented() == fleet.old_ones()
    assert fleet.may_come_in(fleet.new), "the first wave went back, and trust stays broad"


def test_a_dry_run_prints_each_step_and_touches_nothing(fleet):
    fleet.write(fleet.plan())
    code, out, _ = fleet.rotate("run", "--dry-run")
    assert code == DONE
    assert [word in out for word in ("write old and new trust: n1", "deliver: a1", "prove: a2", "write new trust alone: n1")] == [True] * 4
    assert_untouched(fleet)
    assert fleet.rotate("status")[0] == MISUSE


def test_a_plan_with_mistakes_names_all_of_them(fleet):
    plan = fleet.plan()
    plan["brokers"][0]["monitor"] = "n1:8222"
    plan["waves"][0]["paralel"] = 2
    del plan["new_ca"]
    fleet.write(plan)
    code, _, err = fleet.rotate("plan")
    assert code == MISUSE and KnownError("rotation_plan_invalid").id in err
    assert "must begin with http://" in err and 'did you mean "parallel"?' in err and "new_ca is missing" in err


def test_a_broker_that_dies_in_a_wave_stops_it_and_back_again_it_goes_on(make_fleet):
    fleet = make_fleet(servers=3, agents=3)
    plan = fleet.plan()
    plan["waves"][0]["settle"] = "2s"
    plan["times"].update(prove="3s")
    del plan["guards"]
    fleet.write(plan)
    run = fleet.start_rotation()
    wait_until(lambda: "connections present" in run.log(), 60, lambda: f"the first target is proven\n{run.log()}")
    fleet.servers[0].kill()
    assert run.wait(90) == NOT_SO, run.log()
    assert KnownError("rotation_monitor_silent").id in run.log() and "n1" in run.log()
    fleet.start_server(0)
    for agent in fleet.agents:
        agent.wait_ready()
    code, out, err = fleet.rotate("resume")
    assert code == DONE, out + err
    assert_all_is_new(fleet)


def test_an_agent_that_is_away_stops_its_wave_and_back_again_it_goes_on(fleet):
    fleet.write(fleet.plan())
    run = fleet.start_rotation()
    wait_until(lambda: "broadening" in run.log(), 60, "it begins")
    fleet.agents[1].kill()
    assert run.wait(90) == NOT_SO, run.log()
    assert fleet.state()["targets_moved"] <= 1
    fleet.agents[1].start().wait_ready()
    code, out, err = fleet.rotate("resume")
    assert code == DONE, out + err
    assert_all_is_new(fleet)


def test_the_report_is_a_page_of_its_own(fleet):
    fleet.write(fleet.plan())
    assert fleet.rotate("run")[0] == DONE
    page = fleet.directory / "report.html"
    assert fleet.rotate("report", "--html", str(page))[0] == DONE
    text = page.read_text()
    steps = {step["name"] for step in json.loads(fleet.rotate("report", "--json")[1])["steps"]}
    assert all(step in text for step in steps) and "done" in text
    assert "<script" not in text and "http-equiv" in text and "src=" not in text and "PRIVATE KEY" not in text
