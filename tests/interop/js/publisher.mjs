// The publisher of ../README.md with nats.js.
import { parseArgs } from "node:util";
import { connect, StringCodec } from "nats";

const { values: o } = parseArgs({ options: {
  url: { type: "string", default: "nats://127.0.0.1:4222" },
  client: { type: "string", default: "js" },
  subject: { type: "string", default: "numbers.js" },
  count: { type: "string", default: "0" },
  every: { type: "string", default: "50" },
  size: { type: "string", default: "128" },
  rate: { type: "string", default: "0" },
  "flush-wait": { type: "string", default: "30s" },
  "last-wait": { type: "string", default: "60s" },
} });
const [count, every, rate] = [o.count, o.every, o.rate].map(Number);
const [flushWait, lastWait] = [o["flush-wait"], o["last-wait"]].map((s) => parseFloat(s) * 1000);
const pad = "x".repeat(Math.max(0, Number(o.size) - 50));
const text = StringCodec();
const say = (line) => process.stdout.write(`${line}\n`);
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

let connection;
let connected = false;
let incidents = 0; // changes when something happened after which nothing unconfirmed can be relied on
let lastIncident = "";

// Connects for ever; a connection that the library gave up is replaced.
async function open() {
  for (;;) {
    try {
      connection = await connect({ servers: o.url.replace("nats://", ""), name: o.client, maxReconnectAttempts: -1,
        reconnectTimeWait: 20, reconnectJitter: 10, timeout: 5000 });
      break;
    } catch {
      await sleep(50);
    }
  }
  connected = true;
  (async (watched) => {
    for await (const status of watched.status()) {
      if (status.type === "disconnect") connected = false;
      if (status.type === "reconnect") connected = true;
      if (["disconnect", "reconnect", "error"].includes(status.type)) {
        ++incidents;
        lastIncident = `${status.type} ${status.data}`;
      }
    }
  })(connection);
}

let n = 0; // calls of publish

// Publishes first…last and flushes; resolves when all of it is confirmed.
async function batch(first, last, wait) {
  const before = incidents;
  for (let seq = first; seq <= last; ++seq) {
    connection.publish(o.subject, text.encode(JSON.stringify({ client: o.client, seq, n: ++n, pad })));
  }
  let timer;
  const late = new Promise((_, reject) => { timer = setTimeout(() => reject(new Error("flush timed out")), wait); });
  try {
    await Promise.race([connection.flush(), late]);
  } finally {
    clearTimeout(timer);
  }
  await new Promise(setImmediate); // what came before the PONG has been told to the loop above
  if (incidents !== before) throw new Error(`in between: ${lastIncident}`);
}

let deadline = 0;
process.on("SIGTERM", () => { deadline = Date.now() + lastWait; });
await open();
say("ready");

let confirmed = 0;
let last = 0; // of the batch under way
let due = Date.now();
while (count === 0 || confirmed < count) {
  if (deadline && (confirmed === last || Date.now() > deadline)) break;
  if (confirmed === last) last = count > 0 ? Math.min(count, confirmed + every) : confirmed + every;
  try {
    await batch(confirmed + 1, last, deadline ? Math.max(1, deadline - Date.now()) : flushWait);
  } catch (error) {
    say(`again ${confirmed + 1} ${error.message}`);
    while (!connected && !connection.isClosed()) await sleep(2);
    if (connection.isClosed()) {
      say("reopened");
      await open();
    }
    await sleep(5);
    continue;
  }
  confirmed = last;
  say(`confirmed ${confirmed}`);
  if (rate > 0) {
    due = Math.max(due + (every / rate) * 1000, Date.now());
    await sleep(due - Date.now());
  }
}
say(`done ${confirmed} ${last}`);
await connection.close();
process.exit(confirmed < last ? 1 : 0);
