"""nats.js: the tests of its core and its services, one `deno test` process a file.

`node_modules` comes from DIR/package (`npm install deno @nats-io/jwt@VERSION @nats-io/nkeys@VERSION @nats-io/nuid@VERSION`, as deno.json
names them); what the tests take from jsr.io is in deno/ here.
"""

import json
import os
import pathlib
import re
import shutil
import sys
import tempfile

from . import certificates, outcome, runner

DEADLINE_SECONDS = 240
OWN_MODULES = pathlib.Path(__file__).resolve().parent.parent / "deno"
PARTS = ["core", "services"]
NEEDED = [*PARTS, "nst", "transport-deno"]
TEST = re.compile(r"""^Deno\.test\(\s*(["'`])(.+?)\1""", re.M)
LINE = re.compile(r"^(ok|not ok) \d+ - (.*?)(?: # (SKIP|TODO).*)?$")
NOT_SERVER = ["launcher_test", "buffer_test"]  # tests of the launcher; of a buffer, with gigabytes of memory


def tests(checkout):
    paths = [path for part in PARTS for path in sorted((checkout / part / "tests").glob("*_test.ts"))]
    return [str(path.relative_to(checkout)) for path in paths if path.stem not in NOT_SERVER]


def run(checkout, names, environment, jobs):
    modules = checkout / "package/node_modules"
    if not (modules / "deno").exists():
        sys.exit(f"{modules}/deno is missing: see the head of {__file__}")

    def one(name):
        with tempfile.TemporaryDirectory() as scratch:
            place(checkout, modules, pathlib.Path(scratch))
            variables = {"TMPDIR": scratch, "DENO_DIR": f"{scratch}/cache", "NO_COLOR": "1",
                         **certificates.write_demo(pathlib.Path(scratch) / "demo")}
            return run_file(name, names_in(checkout / name), scratch, {**environment, **variables}, modules / ".bin/deno")

    return [each for batch in runner.run_all(names, one, jobs) for each in batch]


def place(checkout, modules, scratch):
    for part in NEEDED:
        shutil.copytree(checkout / part, scratch / part, ignore=shutil.ignore_patterns("deno.json", "package.json", "import_map.json"))
    quiet_launcher(scratch / "nst/src/launcher.ts")
    os.symlink(modules, scratch / "node_modules")
    (scratch / "package.json").write_text('{ "type": "module" }\n', encoding="utf-8")
    (scratch / "deno.json").write_text('{ "nodeModulesDir": "manual" }\n', encoding="utf-8")
    packages = {f"@nats-io/{name}": f"npm:@nats-io/{name}" for name in ("jwt", "nkeys", "nuid")}
    sources = {"@nats-io/nats-core": "core/src/mod.ts", "@nats-io/nats-core/internal": "core/src/internal_mod.ts",
               "@nats-io/transport-deno": "transport-deno/src/mod.ts", "@nats-io/services": "services/src/mod.ts",
               "@nats-io/services/internal": "services/src/internal_mod.ts", "@nats-io/nst": "nst/src/mod.ts"}
    own = {"@std/assert": "assert.ts", "@std/io": "io.ts", "@std/cli": "args.ts", "@std/cli/parse-args": "args.ts"}
    imports = {**packages, **{name: f"./{path}" for name, path in sources.items()},
               **{name: (OWN_MODULES / path).as_uri() for name, path in own.items()}}
    scopes = {f"./{part}/tests/": {"nst": f"./{part}/tests/nst.ts"} for part in PARTS}
    (scratch / "map.json").write_text(json.dumps({"imports": imports, "scopes": scopes}), encoding="utf-8")


def quiet_launcher(path):
    """It has every server listen for leaf nodes and websockets, whatever the test: not here."""
    text = path.read_text(encoding="utf-8")
    for pattern in (r"    conf\.leafnodes = conf\.leafnodes \|\| \{\};\n    conf\.leafnodes\.listen = [^;]+;\n",
                    r"    conf\.websocket = Object\.assign\([^;]+;\n", r"    conf\.(websocket|leafnodes) = this\.config\.\1;\n"):
        text, replaced = re.subn(pattern, "", text)
        if not replaced:
            sys.exit(f"{path} is not the launcher that this runner knows: {pattern}")
    path.write_text(text, encoding="utf-8")


def names_in(path):
    return [match[2] for match in TEST.finditer(path.read_text(encoding="utf-8"))]


def only(names):
    return "/^(" + "|".join(re.escape(name).replace("/", "\\/") for name in names) + ")$/"


def run_file(name, left, scratch, environment, deno):
    """Tests that hang are left out of a further run of the file, until all have ended."""
    outcomes = []
    while left:
        command = [deno, "test", "--allow-all", "--no-check", "--no-lock", "--import-map=map.json", "--quiet", "--reporter=tap",
                   f"--filter={only(left)}", name]
        done = runner.run(command, scratch, environment, DEADLINE_SECONDS)
        outcomes += read_tap(name, done.output)
        ended = {o.test for o in outcomes}
        left = [test for test in left if f"{name}: {test}" not in ended]
        if left:
            result = outcome.TIMEOUT if done.code is None else outcome.FAILED
            outcomes.append(outcome.Outcome(f"{name}: {left.pop(0)}", result, done.seconds, done.tail))
    return outcomes


def read_tap(name, output):
    outcomes = []
    for line in output.splitlines():
        if match := LINE.match(line):
            result = outcome.SKIPPED if match[3] else outcome.PASSED if match[1] == "ok" else outcome.FAILED
            outcomes.append(outcome.Outcome(f"{name}: {match[2]}", result))
        elif outcomes and outcomes[-1].result == outcome.FAILED:
            outcomes[-1].detail = (outcomes[-1].detail + line + "\n")[-runner.TAIL_BYTES:]
    return outcomes
