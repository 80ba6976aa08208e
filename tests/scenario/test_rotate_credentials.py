"""`hawser rotate` with plans of kind credentials: user keys, signing keys, passwords and NKeys, under load, proven by real servers."""

import json

import pytest
from conftest import LONG
from hawser_scenario.broker import HawserBroker
from hawser_scenario.credential_fleet import OperatorFleet, Restarted, UserFleet, secret, steps_of
from hawser_scenario.errors import KnownError
from hawser_scenario.id_store import SEED
from hawser_scenario.load import assert_nothing_wrong
from hawser_scenario.nats_server import NatsServer
from hawser_scenario.waiting import wait_until

DONE, NOT_SO, MISUSE = 0, 1, 2
KINDS = pytest.mark.parametrize("kind", [NatsServer, HawserBroker], ids=["nats_server", "hawser_broker"])
KILLED_AFTER = range(1, 34, 2) if LONG else (3, 8, 14)  # lines of progress


@KINDS
def test_user_keys_are_rotated_under_load_and_the_old_ones_are_revoked(rotated_fleet, kind):
    fleet = rotated_fleet(OperatorFleet, kind=kind)
    old, new, plan = fleet.rotated_users()
    fleet.write(plan)
    code, out, err = fleet.rotate("plan")
    assert code == DONE, out + err
    with fleet.load() as load:
        code, out, err = fleet.rotate("run")
        assert code == DONE, out + err
        assert_nothing_wrong(load.stop())
    assert {old["a1"], old["a2"]}.isdisjoint(fleet.users()) and {new["a1"], new["a2"]} <= fleet.users()
    assert [agent.value("hawser_disconnects_total") for agent in fleet.agents] == [0, 0]
    for user in ("a1", "a2", "probe"):
        assert fleet.may_come_in("--creds", fleet.directory / "new" / f"{user}.creds")
        assert not fleet.may_come_in("--creds", fleet.directory / "old" / f"{user}.creds")
    shown = fleet.shown()
    assert "let new alone in: n1" in shown and "old credential refused" in shown and "Authorization Violation" in shown
    assert not SEED.search(shown) and "eyJ" not in shown, "neither seeds nor JWTs"
    assert fleet.rotate("rollback")[0] == MISUSE


def test_a_cluster_that_shares_its_resolver_is_changed_by_one_command_and_proven_everywhere(rotated_fleet):
    fleet = rotated_fleet(OperatorFleet, servers=3)
    old, new, plan = fleet.rotated_users()
    fleet.write(plan)
    with fleet.load(rate=200) as load:
        code, out, err = fleet.rotate("run")
        assert code == DONE, out + err
        assert_nothing_wrong(load.stop())
    assert {old["a1"], old["a2"]}.isdisjoint(fleet.users()) and {new["a1"], new["a2"]} <= fleet.users()
    for user in ("a1", "probe"):
        assert [fleet.may_come_in("--creds", fleet.directory / age / f"{user}.creds") for age in ("old", "new")] == [False, True]
    assert fleet.state()["brokers_narrowed"] == 3


@KINDS
def test_a_signing_key_is_not_taken_away_while_somebody_it_signed_is_connected_and_then_it_is(rotated_fleet, kind):
    fleet = rotated_fleet(OperatorFleet, kind=kind)
    fleet.id.run("user add late --account prod")
    late = fleet.creds("old", "late")
    old, new, plan = fleet.rotated_signing_key()
    fleet.write(plan)
    straggler = fleet.other_agent("late", creds_file=str(late))
    key = fleet.claims("late")["sub"]
    with fleet.load() as load:
        code, out, err = fleet.rotate("run")
        assert code == NOT_SO and KnownError("rotation_not_converged").id in err, out + err
        assert f"presents user {key} signed by {old}" in err and "hawser agent" in err and "since" in err
        assert fleet.may_come_in("--creds", fleet.directory / "old" / "probe.creds"), "nothing was narrowed"
        straggler.stop()
        code, out, err = fleet.rotate("resume")
        assert code == DONE, out + err
        assert_nothing_wrong(load.stop())
    assert {row.get("issuer_key") for row in fleet.server.admitted() if row.get("authorized_user")} == {new}
    assert not fleet.may_come_in("--creds", late) and not fleet.may_come_in("--creds", fleet.directory / "old" / "a1.creds")
    assert fleet.may_come_in("--creds", fleet.directory / "new" / "a1.creds")
    assert old not in fleet.signing_keys() and new in fleet.signing_keys()


@KINDS
def test_a_signing_key_goes_back_with_the_commands_that_undo_it(rotated_fleet, kind):
    fleet = rotated_fleet(OperatorFleet, kind=kind)
    fleet.id.run("user add late --account prod")
    late = fleet.creds("old", "late")
    old, new, plan = fleet.rotated_signing_key()
    fleet.write(plan)
    fleet.other_agent("late", creds_file=str(late))
    with fleet.load() as load:
        assert fleet.rotate("run")[0] == NOT_SO
        code, out, err = fleet.rotate("rollback")
        assert code == DONE, out + err
        assert_nothing_wrong(load.stop())
    assert {row.get("issuer_key") for row in fleet.server.admitted() if row.get("authorized_user")} == {old}
    assert fleet.may_come_in("--creds", late) and old in fleet.signing_keys()
    for name in ("a1", "a2"):
        assert fleet.used(name).read_bytes() == (fleet.directory / "old" / f"{name}.creds").read_bytes()


def test_narrowed_at_one_broker_and_stopped_at_the_next_it_goes_back_under_load(rotated_fleet):
    """Old keys are revoked, the revocation is taken back, agents go back to them, and what was new is told from what is old all the way."""
    fleet = rotated_fleet(OperatorFleet, servers=3)
    old, _, plan = fleet.rotated_users()
    plan["brokers"][1]["narrow"] = {"command": ["false"], "undo": ["true"]}
    fleet.write(plan)
    with fleet.load(rate=200) as load:
        code, out, err = fleet.rotate("run")
        assert code == NOT_SO and "let new alone in: n2" in out + err and fleet.state()["brokers_narrowed"] == 1, out + err
        assert not fleet.may_come_in("--creds", fleet.directory / "old" / "a1.creds")
        code, out, err = fleet.rotate("rollback")
        assert code == DONE and "let old and new in again: n1" in out, out + err
        assert_nothing_wrong(load.stop())
    assert {old["a1"], old["a2"]} <= fleet.users()
    assert fleet.may_come_in("--creds", fleet.directory / "old" / "a1.creds")
    assert [agent.value("hawser_disconnects_total") for agent in fleet.agents] == [0, 0]


def test_killed_while_its_command_runs_it_runs_it_again(rotated_fleet):
    fleet = rotated_fleet(OperatorFleet)
    _, new, plan = fleet.rotated_users()
    fleet.write(plan)
    with fleet.load(rate=200) as load:
        run = fleet.start_rotation()
        wait_until(lambda: "none of them old" in run.log() or not run.running, 60, "it is about to narrow")
        run.kill()
        code, out, err = fleet.rotate("resume")
        assert code == DONE, out + err
        assert_nothing_wrong(load.stop())
    assert {new["a1"], new["a2"]} <= fleet.users() and not fleet.may_come_in("--creds", fleet.directory / "old" / "a1.creds")


def test_a_server_without_tls_is_shown_no_credential(rotated_fleet, tmp_path, stack):
    fleet = rotated_fleet(UserFleet)
    bare = stack.enter_context(NatsServer(tmp_path / "bare", 'include "../n1/users.conf"\n'))
    plan = broken(fleet, lambda plan, _: plan["brokers"][0].update(url=bare.url("tls")))
    fleet.write(plan)
    code, out, err = fleet.rotate("run")
    assert code == NOT_SO and "nothing is presented without TLS" in err, out + err
    assert not bare.admitted()


def stays(fleet):
    """Two agents of a user that is not rotated: what flows through them must not notice anything."""
    for number in (1, 2):
        fleet.agent(f"stays-{number}", user=fleet.STAYS, password_file=str(fleet.password_file(fleet.STAYS)))


def user_plan(fleet, targets):
    plan = fleet.plan(*fleet.probes(), fleet.broker(), targets)
    plan["waves"][0]["targets"][0]["metrics"] = f"http://{fleet.agents[0].admin}"
    return plan


@KINDS
def test_a_password_is_rotated_by_two_users_and_a_straggler_stops_it(rotated_fleet, stack, kind):
    fleet = rotated_fleet(UserFleet, kind=kind)
    stays(fleet)
    clients = [Restarted(fleet, name, "kate-1") for name in ("kate", "late")]
    for client in clients:
        stack.callback(client.end)
    fleet.write(user_plan(fleet, [clients[0].target("kate-2", replaces_user="kate-1")]))
    with fleet.load() as load:
        code, out, err = fleet.rotate("run")
        assert code == NOT_SO and KnownError("rotation_not_converged").id in err, out + err
        assert "(late)" in err and "presents user kate-1" in err
        assert fleet.may_come_in(*fleet.flags_of("kate-1")) and fleet.may_come_in(*fleet.flags_of("kate-2"))
        clients[1].restart("kate-2")
        code, out, err = fleet.rotate("resume")
        assert code == DONE, out + err
        assert_nothing_wrong(load.stop())
    assert fleet.users_file.read_bytes() == (fleet.directory / "new.conf").read_bytes()
    assert not fleet.may_come_in(*fleet.flags_of("kate-1")) and fleet.may_come_in(*fleet.flags_of("kate-2"))
    shown = fleet.shown()
    assert not [password for password in fleet.passwords.values() if password in shown]
    assert [agent.value("hawser_disconnects_total") for agent in fleet.agents] == [0, 0]


def test_rolled_back_the_users_file_is_what_it_was_byte_for_byte(rotated_fleet, stack):
    fleet = rotated_fleet(UserFleet)
    stays(fleet)
    clients = [Restarted(fleet, name, "kate-1") for name in ("kate", "late")]
    for client in clients:
        stack.callback(client.end)
    fleet.write(user_plan(fleet, [clients[0].target("kate-2", replaces_user="kate-1")]))
    with fleet.load() as load:
        assert fleet.rotate("run")[0] == NOT_SO
        assert fleet.users_file.read_bytes() == (fleet.directory / "both.conf").read_bytes()
        code, out, err = fleet.rotate("rollback")
        assert code == DONE, out + err
        assert_nothing_wrong(load.stop())
    assert fleet.users_file.read_bytes() == fleet.before
    assert {user for client in clients for user in client.seen_as()} == {"kate-1"}
    assert fleet.may_come_in(*fleet.flags_of("kate-1")) and not fleet.may_come_in(*fleet.flags_of("kate-2"))


def nkey_plan(fleet, **changes):
    """An agent whose NKey stands in the server's configuration; it takes up the new seed while it runs."""
    old, new = (secret(fleet.directory / age / "agent.nk", fleet.keys[age].seed + "\n") for age in ("old", "new"))
    used = secret(fleet.directory / "used" / "agent.nk", old.read_text())
    for number in (1, 2):
        fleet.agent(f"key-{number}", nkey_file=str(used))
    target = fleet.file_target(0, new, used, connections=2)
    return fleet.plan({"nkey_file": str(old)}, {"nkey_file": str(new)}, fleet.broker(), [target], **changes)


@pytest.mark.parametrize("kind, tls_first", [(NatsServer, False), (HawserBroker, False), (HawserBroker, True)],
                         ids=["nats_server", "hawser_broker", "hawser_broker_tls_first"])
def test_an_nkey_of_the_configuration_is_rotated_under_load(rotated_fleet, kind, tls_first):
    fleet = rotated_fleet(UserFleet, kind=kind, tls_first=tls_first)
    plan = nkey_plan(fleet)
    fleet.write(plan)
    with fleet.load() as load:
        code, out, err = fleet.rotate("run")
        assert code == DONE, out + err
        assert_nothing_wrong(load.stop())
    assert fleet.users() == {fleet.keys["new"].public}
    assert [fleet.may_come_in("--nkey", fleet.directory / age / "agent.nk") for age in ("old", "new")] == [False, True]
    assert not SEED.search(fleet.shown())


@pytest.mark.parametrize("lines", KILLED_AFTER)
def test_killed_anywhere_it_goes_on_to_the_same_end(rotated_fleet, lines):
    fleet = rotated_fleet(UserFleet)
    fleet.write(nkey_plan(fleet))
    with fleet.load(rate=200) as load:
        run = fleet.start_rotation()
        wait_until(lambda: run.log().count("\n") >= lines or not run.running, 60, "so many lines of progress")
        run.kill()
        code, out, err = fleet.rotate("resume")
        assert code == DONE or KnownError("rotation_not_begun").id in err, out + err
        assert_nothing_wrong(load.stop())
    assert fleet.users() == {fleet.keys["new"].public}
    assert fleet.users_file.read_bytes() == (fleet.directory / "new.conf").read_bytes()
    assert steps_of(fleet)[-1] == "finish"


def broken(fleet, breakage):
    plan = nkey_plan(fleet)
    breakage(plan, fleet)
    fleet.write(plan)
    return plan


def of_nobody_else(plan, fleet):
    """The new seed is that of the old key."""
    (fleet.directory / "new" / "agent.nk").write_text(fleet.keys["old"].seed)


def a_password_without_its_file(plan, fleet):
    plan["prober"]["new"] = {"user": "probe-2", "password_file": "nowhere"}


def torn(plan, fleet):
    (fleet.directory / "new" / "agent.nk").write_text(fleet.keys["new"].seed[:40])


def a_new_prober_whom_nobody_knows(plan, fleet):
    plan["prober"].update(old={"user": "nobody", "password_file": str(fleet.password_file(fleet.STAYS))},
                          new={"user": "nobody-2", "password_file": str(fleet.password_file(fleet.STAYS))})


def retired_and_new(plan, fleet):
    plan["retires"] = [fleet.keys["new"].public]


@pytest.mark.parametrize("breakage", [of_nobody_else, a_password_without_its_file, torn, a_new_prober_whom_nobody_knows, retired_and_new],
                         ids=lambda f: f.__name__)
def test_what_is_wrong_from_the_beginning_stops_it_before_anything_is_touched(rotated_fleet, breakage):
    fleet = rotated_fleet(UserFleet)
    broken(fleet, breakage)
    code, out, err = fleet.rotate("run")
    assert code == NOT_SO and KnownError("rotation_preflight_failed").id in err, out + err
    assert fleet.users_file.read_bytes() == fleet.before and fleet.users() == {fleet.keys["old"].public}
    assert not list(fleet.directory.rglob("*.before-*"))
    assert not SEED.search(out + err) and fleet.keys["new"].seed[:40] not in out + err


def test_a_broker_that_does_not_read_its_new_users_stops_it_while_old_ones_are_good(rotated_fleet):
    fleet = rotated_fleet(UserFleet)
    plan = broken(fleet, lambda plan, _: plan["brokers"][0].update(reload={"command": ["true"]}))
    plan["times"]["probe"] = "1s"
    fleet.write(plan)
    with fleet.load(rate=100) as load:
        code, out, err = fleet.rotate("run")
        assert code == NOT_SO and KnownError("rotation_not_broadened").id in err, out + err
        code, out, err = fleet.rotate("rollback")
        assert code == DONE, out + err
        assert_nothing_wrong(load.stop())
    assert fleet.users_file.read_bytes() == fleet.before and fleet.users() == {fleet.keys["old"].public}


def test_a_narrowing_that_takes_nothing_away_is_found_out_and_goes_back(rotated_fleet):
    fleet = rotated_fleet(UserFleet)
    plan = nkey_plan(fleet)
    plan["brokers"][0]["narrow"]["files"][0]["from"] = str(fleet.directory / "both.conf")
    plan["times"]["probe"] = "1s"
    fleet.write(plan)
    with fleet.load(rate=100) as load:
        code, out, err = fleet.rotate("run")
        assert code == NOT_SO and KnownError("rotation_not_narrowed").id in err and "old credential accepted" in err, out + err
        code, out, err = fleet.rotate("rollback")
        assert code == DONE, out + err
        assert_nothing_wrong(load.stop())
    assert fleet.users_file.read_bytes() == fleet.before and fleet.users() == {fleet.keys["old"].public}


def test_a_dry_run_and_a_plan_say_what_is_done_to_credentials(rotated_fleet):
    fleet = rotated_fleet(UserFleet)
    plan = nkey_plan(fleet)
    plan["waves"].append({"name": "more", "targets": [{"name": "put", "deliver": {"command": ["true", "put"]}, "apply": {"command": ["true"]},
                                                       "prove": {"user": "kate-2", "replaces_user": "kate-1"}}]})
    fleet.write(plan)
    code, out, err = fleet.rotate("run", "--dry-run")
    assert code == DONE, out + err
    for words in ("let old and new in: n1", "let new alone in: n1", f"{fleet.users_file}", "connections with 127.0.0.1", "deliver: put  true put"):
        assert words in out, out
    assert "CA" not in out and "trust" not in out
    code, out, err = fleet.rotate("plan")
    assert code == DONE and "cannot be taken back: put: deliver: true put" in out, out + err
    assert json.loads(fleet.rotate("plan", "--json")[1])["without_way_back"] == ["put: deliver: true put"]
