"""`hawser queue` on a directory that is written here, byte by byte as src/store/batch.hpp and queue_file.hpp describe it."""
import fcntl
import json
import os
import pty
import sqlite3
import struct
import subprocess

import pytest

HAWSER = os.environ["HAWSER_BIN"]
STRIDE = 1 << 20
SCHEMA = """
PRAGMA page_size=4096; PRAGMA auto_vacuum=INCREMENTAL;
CREATE TABLE batches(id INTEGER PRIMARY KEY, messages INTEGER NOT NULL, bytes INTEGER NOT NULL, first_ms INTEGER NOT NULL,
                     largest INTEGER NOT NULL);
CREATE TABLE batch_data(id INTEGER PRIMARY KEY, data BLOB NOT NULL);
CREATE TABLE dead(id INTEGER PRIMARY KEY, batch INTEGER NOT NULL, position INTEGER NOT NULL, client INTEGER NOT NULL,
                  arrived_ms INTEGER NOT NULL, died_ms INTEGER NOT NULL, payload INTEGER NOT NULL, bytes INTEGER NOT NULL,
                  subject TEXT NOT NULL, reason TEXT NOT NULL, frame BLOB NOT NULL);
CREATE UNIQUE INDEX dead_by_place ON dead(batch, position);
CREATE INDEX dead_by_size ON dead(bytes);
CREATE TABLE meta(name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO meta VALUES('used', 0);
PRAGMA application_id=1215779665; PRAGMA user_version=1; PRAGMA journal_mode=WAL;
"""


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def publish(subject, body, reply="", headers=""):
    block = f"NATS/1.0\r\n{headers}\r\n".encode() if headers else b""
    reply = f" {reply}" if reply else ""
    sizes = f"{len(block)} {len(block) + len(body)}" if headers else str(len(body))
    return f"{'HPUB' if headers else 'PUB'} {subject}{reply} {sizes}\r\n".encode() + block + body + b"\r\n"


def batch(number, arrived_ms, *frames):
    runs = struct.pack("<QqIII", 7, arrived_ms, len(frames), 64, sum(map(len, frames))) + b"".join(frames)
    identity = number * STRIDE
    blob = struct.pack("<I", crc32c(struct.pack("<Q", identity) + runs)) + runs
    return (identity, len(frames), len(blob), arrived_ms, 64), (identity, blob)


@pytest.fixture
def directory(tmp_path):
    """Four messages that wait, and two dead letters."""
    path = tmp_path / "queue"
    path.mkdir(mode=0o700)
    database = sqlite3.connect(path / "queue.db")
    database.executescript(SCHEMA)
    for row, data in (
            batch(4, 1_700_000_000_000, publish("orders.new", b"one"), publish("orders.old", b"two")),
            batch(5, 1_800_000_000_000, publish("audit.log", b"\x1b[31mred", "back.here", "Name: value\r\n"),
                  publish("orders.new", b"four"))):
        database.execute("INSERT INTO batches VALUES(?, ?, ?, ?, ?)", row)
        database.execute("INSERT INTO batch_data VALUES(?, ?)", data)
    for position, subject in ((0, "denied.x"), (3, "denied.y")):
        frame = publish(subject, b"refused")
        database.execute("INSERT INTO dead VALUES(NULL, ?, ?, 9, ?, ?, 7, ?, ?, ?, ?)",
                         (3 * STRIDE, position, 1_690_000_000_000, 1_690_000_001_000, len(frame), subject,
                          f"Permissions Violation for Publish to \"{subject}\"", frame))
    database.commit()
    database.close()
    return path


def queue(*arguments, code=0, **options):
    done = subprocess.run([HAWSER, "queue", *map(str, arguments)], capture_output=True, text=True, timeout=30,
                          stdin=subprocess.DEVNULL, **options)
    assert done.returncode == code, done.stdout + done.stderr
    return done


def listed(directory, *arguments):
    return [json.loads(line) for line in queue("list", directory, "--json", *arguments).stdout.splitlines()]


def subjects(directory, *arguments):
    return [message["subject"] for message in listed(directory, *arguments)]


def test_status_counts_what_waits(directory):
    facts = json.loads(queue("status", directory, "--json").stdout)
    assert facts["messages"] == 4 and facts["dead"] == 2 and facts["bytes"] > 100
    assert facts["oldest"] == "2023-11-14T22:13:20.000Z" and facts["owner_pid"] is None
    text = queue("status", "--dir", directory).stdout
    assert "messages      4\n" in text and "does not run" in text


def test_status_names_the_process_that_owns_the_directory(directory):
    with open(directory / "lock", "w+") as lock:
        lock.write("4711\n")
        lock.flush()
        fcntl.fcntl(lock, 37, struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 0, 0, 0))  # F_OFD_SETLK
        assert json.loads(queue("status", directory, "--json").stdout)["owner_pid"] == 4711


def test_the_directory_is_that_of_the_configuration(directory, tmp_path):
    (tmp_path / "config").mkdir()
    (tmp_path / "config/broker.yaml").write_text(f"broker:\n  url: tls://nats:4222\n  persistence:\n    path: {directory}\n")
    assert "messages      4\n" in queue("status", cwd=tmp_path).stdout
    assert subjects(directory) and queue("show", "4.1", "--raw", cwd=tmp_path).stdout == "two"


def test_list_goes_in_order_and_in_pages(directory):
    assert subjects(directory) == ["orders.new", "orders.old", "audit.log", "orders.new"]
    first = listed(directory)[0]
    assert first == {"id": "4.0", "arrived": "2023-11-14T22:13:20.000Z", "client": 7, "bytes": 3, "subject": "orders.new"}
    page = queue("list", directory, "--limit", 3)
    assert len(page.stdout.splitlines()) == 4 and "--after 5.0" in page.stderr
    assert [message["id"] for message in listed(directory, "--after", "5.0")] == ["5.1"]


def test_list_shows_dead_letters_with_their_reasons(directory):
    dead = listed(directory, "--dead")
    assert [message["id"] for message in dead] == ["3.0", "3.3"]
    assert dead[0]["reason"] == 'Permissions Violation for Publish to "denied.x"' and dead[0]["died"] > dead[0]["arrived"]
    assert "(Permissions Violation" in queue("list", directory, "--dead").stdout


def test_show_prints_headers_and_body_or_the_body_alone(directory):
    text = queue("show", directory, "5.0").stdout
    assert "subject    audit.log\n" in text and "reply      back.here\n" in text and "\nName: value\n" in text
    assert queue("show", directory, "5.0", "--raw").stdout == "\x1b[31mred"
    whole = json.loads(queue("show", directory, "5.0", "--json").stdout)
    assert whole["headers"] == {"Name": ["value"]} and whole["data"] == "\x1b[31mred" and whole["id"] == "5.0"
    assert "reason     Permissions" in queue("show", directory, "3.3").stdout


def test_replay_moves_dead_letters_to_the_tail(directory):
    done = queue("replay", directory, "--dead", "3.3")
    assert done.stdout == "replayed 1 dead letter\n" and "no agent runs" in done.stderr
    assert subjects(directory)[-1] == "denied.y" and subjects(directory, "--dead") == ["denied.x"]
    assert json.loads(queue("replay", directory, "--dead", "--all", "--json").stdout) == {"replayed": 1}
    assert subjects(directory)[-2:] == ["denied.y", "denied.x"] and subjects(directory, "--dead") == []


def test_purge_takes_what_was_chosen_and_nothing_else(directory):
    assert queue("purge", directory, "4.0", "5.0", "--yes").stdout == "purged 2 messages\n"
    assert subjects(directory) == ["orders.old", "orders.new"]
    queue("purge", directory, "--subject", "orders.*", "--older-than", "1h", "--yes")
    assert subjects(directory) == ["orders.new"]
    queue("purge", directory, "--dead", "--subject", "denied.x", "--yes")
    assert subjects(directory, "--dead") == ["denied.y"]
    queue("purge", directory, "--all", "--yes")
    assert subjects(directory) == []


@pytest.mark.parametrize("answer, left", [("n\n", 4), ("y\n", 0)])
def test_purge_asks_on_a_terminal(directory, answer, left):
    master, slave = pty.openpty()
    process = subprocess.Popen([HAWSER, "queue", "purge", directory, "--all"], stdin=slave, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
    os.write(master, answer.encode())
    _, errors = process.communicate(timeout=30)
    assert "[y/N]" in errors and process.returncode == (0 if left == 0 else 130)
    assert len(subjects(directory)) == left
    os.close(slave)
    os.close(master)


@pytest.mark.parametrize("arguments, code, parts", [
    (["purge", "DIR", "--all"], 2, ["--yes"]),
    (["purge", "DIR", "--yes"], 2, ["--all"]),
    (["purge", "DIR", "--all", "4.0", "--yes"], 2, ["--all"]),
    (["purge", "DIR", "4.0", "4.9", "--yes"], 2, ["STO-1209", "nothing was changed"]),
    (["purge", "DIR", "--subject", "a..b", "--yes"], 2, ["a..b"]),
    (["purge", "DIR", "--older-than", "soon", "--yes"], 2, ["soon"]),
    (["replay", "DIR", "--all"], 2, ["--dead"]),
    (["replay", "DIR", "--dead", "4.0"], 2, ["STO-1209"]),
    (["show", "DIR", "9.9"], 2, ["STO-1209", "9.9"]),
    (["show", "DIR", "nine"], 2, ["nine", "105.3"]),
    (["show", "DIR"], 2, ["queue list"]),
    (["status", "/nowhere"], 1, ["STO-1208", "/nowhere"]),
    (["status"], 2, ["persistence.path"]),
])
def test_refusals_say_what_to_do_and_change_nothing(directory, tmp_path, arguments, code, parts):
    done = queue(*[directory if word == "DIR" else word for word in arguments], code=code, cwd=tmp_path)
    for part in [*parts, "\n  hint: "]:
        assert part in done.stderr, done.stderr
    assert len(subjects(directory)) == 4 and len(subjects(directory, "--dead")) == 2


def test_a_newer_queue_and_a_damaged_one_are_left_alone(directory):
    database = sqlite3.connect(directory / "queue.db")
    database.execute("PRAGMA user_version=2")
    database.close()
    assert "STO-1203" in queue("status", directory, code=1).stderr
    (directory / "queue.db").write_bytes(b"no database" * 1000)
    assert "STO-1204" in queue("list", directory, code=1).stderr
    assert (directory / "queue.db").read_bytes() == b"no database" * 1000
