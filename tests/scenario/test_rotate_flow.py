"""A rotation as it is seen: the flow of messages in guards, journal and report, and the page that shows it while it runs."""

import html.parser
import itertools
import json
import re
import socket
import statistics
import time
import urllib.error
import urllib.request

import pytest
from hawser_scenario.errors import KnownError
from hawser_scenario.fleet import Fleet
from hawser_scenario.load import assert_nothing_wrong
from hawser_scenario.ports import quiet_port
from hawser_scenario.waiting import wait_until

DONE, NOT_SO, MISUSE = 0, 1, 2
SAMPLE = "200ms"


@pytest.fixture
def make_fleet(tmp_path, authorities, start_agent, stack):
    return lambda **size: stack.enter_context(Fleet(tmp_path, authorities, start_agent, **size))


@pytest.fixture
def fleet(make_fleet):
    return make_fleet()


def with_samples(plan, settle="200ms"):
    plan["times"]["sample"] = SAMPLE
    for wave in plan["waves"]:
        wave["settle"] = settle
    return plan


def report_of(fleet):
    code, out, err = fleet.rotate("report", "--json")
    assert code == DONE, err
    return json.loads(out)


def curves(report):
    return {curve["name"]: curve for curve in report["flow"]}


def values(report, name):
    return [value for _, value in curves(report)[name]["points"]]


def get(address, path):
    with urllib.request.urlopen(f"http://{address}{path}", timeout=10) as answer:
        return answer.read().decode()


def test_the_flow_through_all_brokers_is_in_the_report_and_is_what_they_counted(make_fleet):
    fleet = make_fleet(servers=3, agents=3)
    fleet.write(with_samples(fleet.plan(), settle="1s"))
    count = lambda: (time.monotonic(), sum(server.varz()["in_msgs"] for server in fleet.servers))  # noqa: E731
    with fleet.load(rate=300) as load:
        began, before = count()
        code, out, err = fleet.rotate("run")
        ended, after = count()
        assert code == DONE, out + err
        assert_nothing_wrong(load.stop())
    report = report_of(fleet)
    rate = (after - before) / (ended - began)
    assert 0.7 * rate < statistics.median(values(report, "messages in")) < 1.3 * rate, (rate, values(report, "messages in"))
    assert min(values(report, "messages out")) > 0 and min(values(report, "bytes in")) > 0
    assert min(values(report, "connections to brokers")) >= 3 and max(values(report, "sessions of agents")) >= 3
    assert max(values(report, "splices")) >= 3, "every session has moved"
    assert set(values(report, "connections lost by agents")) == set(values(report, "slow consumers")) == set(values(report, "queued messages")) == {0}
    assert set(values(report, "sources without an answer")) == {0}
    for curve in report["flow"]:
        times = [ms for ms, _ in curve["points"]]
        assert times == sorted(set(times)) and len(times) >= 5 and curve["unit"], curve["name"]


def test_the_flow_outlives_its_process_and_goes_on_with_the_next_one(fleet):
    fleet.write(with_samples(fleet.plan(), settle="1h"))
    run = fleet.start_rotation()
    wait_until(lambda: "connections present" in run.log(), 60, lambda: f"the first target is proven\n{run.log()}")
    wait_until(lambda: len(values(report_of(fleet), "connections to brokers")) >= 5, 30, "samples are in the journal while it runs")
    run.kill()
    before = values(report_of(fleet), "connections to brokers")
    assert fleet.state()["state"] == "stopped"
    second = fleet.start_rotation("resume")
    wait_until(lambda: len(values(report_of(fleet), "connections to brokers")) > len(before), 30, lambda: f"it is sampled again\n{second.log()}")
    assert second.stop() == 130
    assert values(report_of(fleet), "connections to brokers")[:len(before)] == before


@pytest.mark.parametrize("takes_connections", [False, True], ids=["not_there", "takes_connections_and_says_nothing"])
def test_a_source_that_does_not_answer_is_a_gap_and_holds_up_nothing(fleet, stack, takes_connections):
    plan = with_samples(fleet.plan(), settle="2s")
    del plan["guards"]
    silent = stack.enter_context(socket.create_server(("127.0.0.1", 0))) if takes_connections else None
    plan["waves"][0]["targets"][0]["metrics"] = f"http://127.0.0.1:{silent.getsockname()[1] if silent else quiet_port()}"
    fleet.write(plan)
    code, out, err = fleet.rotate("run")
    assert code == DONE, out + err
    report = report_of(fleet)
    assert set(values(report, "sources without an answer")) == {1}
    assert "queued messages" not in curves(report) and "messages in" in curves(report)


def test_a_flow_that_falls_below_its_share_stops_it_with_its_figures(fleet):
    plan = with_samples(fleet.plan(), settle="2s")
    plan["guards"] = {"flow": 0.5}
    fleet.write(plan)
    with fleet.load(rate=300) as load:
        run = fleet.start_rotation()
        wait_until(lambda: "moving" in run.log(), 60, lambda: f"the flow before the first wave was looked at\n{run.log()}")
        assert_nothing_wrong(load.stop())
        assert run.wait(90) == NOT_SO, run.log()
    assert KnownError("rotation_guard_breached").id in run.log()
    figures = re.search(r"brokers take in ([\d.]+) messages a second \(at least ([\d.]+), ([\d.]+) before the first wave\)", run.log())
    assert figures, run.log()
    now, least, before = (float(figure) for figure in figures.groups())
    assert now < least and abs(least - before / 2) < 0.1 and before > 100
    with fleet.load(rate=300) as load:
        code, out, err = fleet.rotate("resume")
        assert code == DONE, out + err
        assert_nothing_wrong(load.stop())


def test_a_steady_flow_is_within_its_guard(fleet):
    plan = with_samples(fleet.plan())
    plan["guards"] = {"flow": 0.5, "at_most": {"hawser_queue_messages": 1000}, "slow_consumers": 0,
                      "counters": {"hawser_disconnects_total": 0, "hawser_upstream_refused_total": 0}}
    fleet.write(plan)
    with fleet.load(rate=300) as load:
        code, out, err = fleet.rotate("run")
        assert code == DONE, out + err
        assert_nothing_wrong(load.stop())
    guards = [step["detail"] for step in report_of(fleet)["steps"] if step["mark"] == "done" and step["name"].startswith("compare")]
    assert len(guards) == 2 and all("messages a second" in one and "hawser_queue_messages is 0 of 1000" in one for one in guards), guards


def test_a_gauge_that_is_too_high_stops_it_after_its_wave(fleet):
    plan = with_samples(fleet.plan(), settle="1s")
    plan["guards"] = {"at_most": {"hawser_clients": 0}}
    fleet.write(plan)
    run = fleet.start_rotation()
    wait_until(lambda: "moving" in run.log(), 60, lambda: f"gauges are read\n{run.log()}")
    with fleet.load(rate=50):
        assert run.wait(90) == NOT_SO, run.log()
    assert KnownError("rotation_guard_breached").id in run.log() and re.search(r"hawser_clients is [1-9]\d* of 0", run.log()), run.log()


def test_a_gauge_that_is_too_high_before_the_first_wave_lets_nothing_move(fleet):
    plan = with_samples(fleet.plan())
    plan["guards"] = {"at_most": {"hawser_sessions_up": 0}}
    fleet.write(plan)
    with fleet.load(rate=50):
        code, out, err = fleet.rotate("run")
    assert code == NOT_SO and KnownError("rotation_guard_breached").id in err and "before the first wave" in err, out + err
    assert fleet.presented() == fleet.old_ones() and fleet.state()["targets_moved"] == 0


def test_a_gauge_that_nobody_has_is_named_instead_of_never_being_too_high(fleet):
    plan = with_samples(fleet.plan())
    plan["guards"] = {"at_most": {"hawser_queue_message": 0}}
    fleet.write(plan)
    code, out, err = fleet.rotate("run")
    assert code == NOT_SO and KnownError("rotation_preflight_failed").id in err and "hawser_queue_message of guards.at_most" in err, out + err
    assert {bundle.read_bytes() for bundle in fleet.bundles} == {fleet.before}, "nothing was touched"


def address_in(run):
    found = wait_until(lambda: re.search(r"watch it at http://(127\.0\.0\.1:\d+)/", run.log()), 20, lambda: f"its address\n{run.log()}")
    return found.group(1)


def start_watched(fleet, stack, what="run"):
    run = stack.enter_context(fleet.start_rotation(what, "--admin", "127.0.0.1:0"))
    return run, address_in(run)


def section(status, title):
    return {item["name"]: item for one in status["sections"] if one["title"] == title for item in one["items"]}


def test_a_page_shows_it_while_it_runs(fleet, stack):
    fleet.write(with_samples(fleet.plan(), settle="3s"))
    with fleet.load(rate=100) as load:
        run, address = start_watched(fleet, stack)
        status = lambda: json.loads(get(address, "/status"))  # noqa: E731
        wait_until(lambda: section(status(), "Waves")["canary"]["progress"]["done"] == 1, 60, lambda: f"the first wave is proven\n{run.log()}")
        now = status()
        assert now["headline"].startswith("moving") and now["tone"] == "neutral"
        assert section(now, "What brokers trust")["n1"]["value"] == "old and new"
        assert section(now, "Waves")["others"]["value"] == "0 of 1 proven"
        rows = {row[1]: row for table in now["tables"] if table["title"] == "Targets" for row in table["rows"]}
        assert rows["a1"][2:5] == ["done"] * 3 and "connections present" in rows["a1"][5] and rows["a2"][2:5] == ["-"] * 3
        wait_until(lambda: section(status(), "Flow")["messages in"]["value"].endswith(" /s"), 20, "the flow of now")
        metrics = get(address, "/metrics")
        assert "hawser_rotation_targets_moved 1" in metrics and float(re.search(r'curve="in_msgs"\} (\S+)', metrics).group(1)) > 0
        assert json.loads(get(address, "/healthz"))["ok"]
        page = get(address, "/")
        assert "<progress value=\"1\" max=\"1\" aria-label=\"canary\">" in page and "EventSource" in page
        with urllib.request.urlopen(f"http://{address}/events", timeout=10) as events:
            assert events.headers["Content-Type"].startswith("text/event-stream")
            assert any(b"id=\"parts\"" in events.readline() for _ in range(20))
        assert run.wait(120) == DONE, run.log()
        assert_nothing_wrong(load.stop())
    with pytest.raises(urllib.error.URLError):
        get(address, "/")


def test_a_way_back_is_seen_too_and_an_address_that_is_taken_begins_nothing(fleet, stack):
    straggler = fleet.old.issue("straggler")
    fleet.agent_with(straggler.cert, straggler.key, "late")
    fleet.write(fleet.plan())
    code, _, err = fleet.rotate("run", "--admin", fleet.agents[0].admin)
    assert code != DONE and KnownError("listen_failed").id in err, err
    assert fleet.rotate("status")[0] == MISUSE, "nothing was begun"
    code, _, err = fleet.rotate("run", "--admin", "0.0.0.0:0")
    assert code == MISUSE and KnownError("not_loopback").id in err, err
    code, out, err = fleet.rotate("run", "--json", "--admin", "127.0.0.1:0")
    assert code == NOT_SO and "watch it at http://127.0.0.1:" in err, err
    assert not json.loads(out)["ok"], "standard output is the object alone"
    run, _ = start_watched(fleet, stack, "rollback")
    assert run.wait(90) == DONE, run.log()


class Page(html.parser.HTMLParser):
    """The figures of a report's page, and what it is made of."""

    VOID = {"meta", "link", "path", "rect", "i"}

    def __init__(self, text):
        super().__init__()
        self.figures, self.tables, self.images, self.tags, self.ids, self.times = {}, {}, [], set(), [], []
        self.open, self.text, self.name, self.rows = [], "", None, None
        self.feed(text)
        self.close()
        assert not self.open, f"not closed: {self.open}"

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.tags.add(tag)
        self.ids += [attributes["id"]] if "id" in attributes else []
        if tag == "svg" and "role" in attributes:
            self.images.append(attributes["aria-label"])
        if tag == "h2" and "id" in attributes:
            self.rows = self.tables.setdefault(attributes["id"], [])
        if tag == "tr":
            self.rows.append([])
        self.text = ""
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.add(tag)

    def handle_endtag(self, tag):
        if tag in self.VOID:
            return
        assert self.open.pop() == tag, tag
        if tag == "dt":
            self.name = self.text
        elif tag == "dd":
            self.figures[self.name] = self.text
        elif tag == "time":
            self.times.append(self.text)
        elif tag in ("td", "th"):
            self.rows[-1].append(self.text)
        self.text = ""

    def handle_data(self, data):
        self.text += data


def page_of(fleet):
    path = fleet.directory / "report.html"
    code, _, err = fleet.rotate("report", "--html", str(path))
    assert code == DONE, err
    return path.read_text()


def ms_of(text):
    return round(1000 * time.mktime(time.strptime(text[:19], "%Y-%m-%dT%H:%M:%S"))) + int(text[20:23])


def test_the_page_of_a_report_has_the_same_figures_as_its_json(fleet):
    fleet.write(with_samples(fleet.plan(), settle="1s"))
    with fleet.load(rate=100) as load:
        assert fleet.rotate("run")[0] == DONE
        assert_nothing_wrong(load.stop())
    report, text = report_of(fleet), page_of(fleet)
    page = Page(text)
    done = [step for step in report["steps"] if step["mark"] == "done"]
    last = report["steps"][-1]["at"]
    assert page.times == [report["begun"], last]
    assert page.figures["Seconds"] == f"{(ms_of(last) - ms_of(report['begun'])) / 1000:.3f}"
    assert page.figures["Steps done"] == str(len(done)) and page.figures["Steps not ended"] == "0"
    assert page.figures["Waited for, or failed"] == str(len(report["audit"]))
    begun = [step for step in report["steps"] if step["mark"] == "begun"]
    assert len(begun) == len(done) - 1, "all but the decision that it is over"
    steps = page.tables["steps"][1:]
    assert [row[:2] for row in steps[:len(begun)]] == [[step["at"], step["name"]] for step in begun]
    for number, row in enumerate(steps):
        earlier = [other[1] for other in steps[:number]].count(row[1])  # of the same name: a broker is told twice
        beginning, end = ([step for step in half if step["name"] == row[1]][earlier] for half in (begun + done, done))
        seconds = (ms_of(end["at"]) - ms_of(row[0])) / 1000
        assert row[2] == f"{seconds:.3f}" and row[4] == (end["detail"] or beginning["detail"]), row
    assert page.tables.get("audit", [[]])[1:] == [[one["at"], one["topic"], one["text"]] for one in report["audit"]]
    shown = page.tables["flow"][1:]
    assert [row[:2] for row in shown] == [[curve["name"], curve["unit"]] for curve in report["flow"]]
    for row, curve in zip(shown, report["flow"]):
        points = [value for _, value in curve["points"]]
        assert [float(figure) for figure in row[2:]] == [len(points), min(points), max(points), points[-1]], row
    assert len(page.images) == len({curve["unit"] for curve in report["flow"]} - {"sources"}), "all of them answered"
    assert all(wave in page.images[0] for wave in ("canary", "others", "broaden trust", "narrow trust")), page.images[0]
    assert len(page.ids) == len(set(page.ids)) and not page.tags & {"script", "img", "iframe", "object", "form"}
    assert "src=" not in text and "http-equiv=\"Content-Security-Policy\"" in text and "PRIVATE KEY" not in text


def test_the_page_of_a_rotation_that_was_stopped_says_what_has_not_ended(fleet):
    plan = fleet.plan()
    plan["brokers"][0]["reload"] = {"command": ["false"]}
    fleet.write(plan)
    assert fleet.rotate("run")[0] == NOT_SO
    page = Page(page_of(fleet))
    assert page.figures["Steps not ended"] == "1"
    assert ["not ended"] == [row[2] for row in page.tables["steps"][1:] if row[2] == "not ended"]
    assert any(row[1] == "stopped" for row in page.tables["audit"][1:])
    assert next(itertools.chain(page.images), None) is None or "broaden trust" in page.images[0]
