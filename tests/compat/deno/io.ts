// The one function of jsr:@std/io that nats.js's tests use.
export async function writeAll(writer: { write(data: Uint8Array): Promise<number> }, data: Uint8Array): Promise<void> {
  for (let written = 0; written < data.length;) written += await writer.write(data.subarray(written));
}
