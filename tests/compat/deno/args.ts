// nats.js's launcher of examples imports this; no test calls it.
export function parseArgs(): never {
  throw new Error("not offered to tests");
}
