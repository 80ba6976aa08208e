"""nats.js: the tests of its core and its services, one `deno test` process a file.

`node_modules` comes from DIR/package (`npm install deno @nats-io/jwt@VERSION @nats-io/nkeys@VERSION @nats-io/nuid@VERSION`, as deno.json
names them); what the tests take from jsr.io is in deno/ here.
"""

import json
import os
import pathlib
import shutil
import sys
import tempfile
import xml.etree.ElementTree

from . import certificates, outcome, runner

DEADLINE_SECONDS = 900
OWN_MODULES = pathlib.Path(__file__).resolve().parent.parent / "deno"
PARTS = ["core", "services"]
NEEDED = [*PARTS, "nst", "transport-deno"]
NOT_SERVER = ["launcher_test"]  # tests of the launcher, not of a client


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
            command = [modules / ".bin/deno", "test", "--allow-all", "--no-check", "--no-lock", "--import-map=map.json", "--quiet",
                       "--junit-path=report.xml", name]
            variables = {"TMPDIR": scratch, "DENO_DIR": f"{scratch}/cache", "NO_COLOR": "1",
                         **certificates.write_demo(pathlib.Path(scratch) / "demo")}
            done = runner.run(command, scratch, {**environment, **variables}, DEADLINE_SECONDS)
            return read_report(name, pathlib.Path(scratch) / "report.xml", done)

    return [each for batch in runner.run_all(names, one, jobs) for each in batch]


def place(checkout, modules, scratch):
    for part in NEEDED:
        shutil.copytree(checkout / part, scratch / part, ignore=shutil.ignore_patterns("deno.json", "package.json", "import_map.json"))
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


def read_report(name, report, done):
    if not report.exists():
        return [outcome.Outcome(name, outcome.TIMEOUT if done.code is None else outcome.FAILED, done.seconds, done.tail)]
    outcomes = []
    for case in xml.etree.ElementTree.parse(report).iter("testcase"):
        failure = next((child for child in case if child.tag in ("failure", "error")), None)
        skipped = case.find("skipped") is not None
        result = outcome.FAILED if failure is not None else outcome.SKIPPED if skipped else outcome.PASSED
        detail = (failure.text or failure.get("message") or "")[-runner.TAIL_BYTES:] if failure is not None else ""
        outcomes.append(outcome.Outcome(f"{name}: {case.get('name')}", result, float(case.get("time") or 0), detail))
    return outcomes
