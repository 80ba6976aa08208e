// The checks of ../README.md with nats.js.
import { connect, Empty, ErrorCode, headers as newHeaders, StringCodec } from "nats";

const url = process.argv[2];
const limit = 10_000;
const text = StringCodec();
const open = (options = {}) => connect({ servers: url.replace("nats://", ""), name: "interop-js", timeout: limit, ...options });

// A subscription as a list that fills, and a promise for its n-th message.
function collect(connection, subject, options = {}) {
  const got = [];
  const waiting = [];
  const subscription = connection.subscribe(subject, {
    ...options,
    callback: (error, message) => {
      if (error) throw error;
      got.push(message);
      waiting.filter((w) => got.length >= w.count).forEach((w) => w.resolve());
    },
  });
  const until = (count) =>
    got.length >= count ? Promise.resolve() : new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`${got.length} of ${count} messages`)), limit);
      waiting.push({ count, resolve: () => { clearTimeout(timer); resolve(); } });
    });
  return { got, until, subscription };
}

function same(got, wanted, what = "got") {
  if (JSON.stringify(got) !== JSON.stringify(wanted)) {
    throw new Error(`${what} ${JSON.stringify(got)}, not ${JSON.stringify(wanted)}`);
  }
}
const numbers = (n) => Array.from({ length: n }, (_, i) => String(i));
const texts = (messages) => messages.map((m) => text.decode(m.data));

const checks = {
  async "publish and subscribe"(c) {
    const { got, until, subscription } = collect(c, "js.plain.*");
    for (const n of numbers(100)) c.publish("js.plain.x", text.encode(n));
    await until(100);
    same(texts(got), numbers(100));
    subscription.unsubscribe();
  },
  async "between connections"(c) {
    const other = await open();
    const { got, until } = collect(other, "js.between.>");
    await other.flush();
    c.publish("js.between.a.b", text.encode("across"));
    await until(1);
    same([got[0].subject, ...texts(got)], ["js.between.a.b", "across"]);
    await other.close();
  },
  async "queue group"(c) {
    const members = [];
    for (let i = 0; i < 3; ++i) {
      const member = await open();
      members.push({ member, ...collect(member, "js.work", { queue: "group" }) });
      await member.flush();
    }
    for (const n of numbers(300)) c.publish("js.work", text.encode(n));
    await c.flush();
    const all = () => members.flatMap((m) => texts(m.got));
    const end = Date.now() + limit;
    while (all().length < 300 && Date.now() < end) await Promise.all(members.map((m) => m.member.flush()));
    same(all().sort((a, b) => a - b), numbers(300));
    for (const { member } of members) await member.close();
  },
  async headers(c) {
    const { got, until } = collect(c, "js.headers");
    const h = newHeaders();
    h.append("Kind", "first");
    h.append("Kind", "second");
    h.set("Trace-Id", "4711");
    c.publish("js.headers", text.encode("with headers"), { headers: h });
    await until(1);
    same([got[0].headers.values("Kind"), got[0].headers.get("Trace-Id"), ...texts(got)],
      [["first", "second"], "4711", "with headers"]);
  },
  async "request and reply"(c) {
    const server = await open();
    server.subscribe("js.echo", { callback: (_, m) => m.respond(text.encode(`re: ${text.decode(m.data)}`)) });
    await server.flush();
    for (const n of numbers(50)) {
      const reply = await c.request("js.echo", text.encode(n), { timeout: limit });
      same(text.decode(reply.data), `re: ${n}`);
    }
    await server.close();
  },
  async "no responders"(c) {
    try {
      await c.request("js.nobody.listens", Empty, { timeout: limit });
    } catch (error) {
      same(error.code, ErrorCode.NoResponders);
      return;
    }
    throw new Error("a reply from nobody");
  },
  async "large payload"(c) {
    const { got, until } = collect(c, "js.large");
    const data = new Uint8Array(c.info.max_payload).map((_, i) => (i * 7) & 255);
    c.publish("js.large", data);
    await until(1);
    if (Buffer.compare(Buffer.from(got[0].data), Buffer.from(data)) !== 0) throw new Error("came back changed");
  },
  async "unsubscribe after a maximum"(c) {
    const { got, until } = collect(c, "js.max", { max: 3 });
    for (const n of numbers(5)) c.publish("js.max", text.encode(n));
    await until(3);
    await c.flush();
    same(texts(got), numbers(3));
  },
  async "no echo"() {
    const c = await open({ noEcho: true });
    const { got } = collect(c, "js.noecho");
    c.publish("js.noecho", text.encode("own"));
    await c.flush();
    same(texts(got), []);
    await c.close();
  },
  async drain(c) {
    const draining = await open();
    const { got } = collect(draining, "js.drain");
    await draining.flush();
    for (let i = 0; i < 500; ++i) c.publish("js.drain");
    await c.flush();
    await draining.drain();
    const error = await draining.closed();
    if (error) throw error;
    same(got.length, 500);
  },
};

const connection = await open();
let failed = 0;
for (const [name, run] of Object.entries(checks)) {
  try {
    await run(connection);
    console.log(`ok ${name}`);
  } catch (error) {
    console.log(`not ok ${name}: ${error.message}`);
    failed = 1;
  }
}
await connection.close();
process.exit(failed);
