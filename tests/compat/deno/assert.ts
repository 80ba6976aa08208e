// The functions of jsr:@std/assert that nats.js's tests use, so that they need no registry but npm's.
import { isDeepStrictEqual } from "node:util";

// deno-lint-ignore no-explicit-any
type Class = new (...args: any[]) => Error;

export class AssertionError extends Error {
  override name = "AssertionError";
}

export function fail(message = "failed"): never {
  throw new AssertionError(message);
}

export function equal(a: unknown, b: unknown): boolean {
  return isDeepStrictEqual(a, b);
}

export function assert(condition: unknown, message = "not true"): asserts condition {
  if (!condition) fail(message);
}

export function assertFalse(condition: unknown, message = "not false"): void {
  if (condition) fail(message);
}

export function assertExists<T>(value: T, message = "does not exist"): asserts value is NonNullable<T> {
  if (value === undefined || value === null) fail(message);
}

export function assertEquals(actual: unknown, expected: unknown, message = ""): void {
  if (!equal(actual, expected)) fail(`${message} expected ${Deno.inspect(expected)}, got ${Deno.inspect(actual)}`);
}

export function assertNotEquals(actual: unknown, expected: unknown, message = ""): void {
  if (equal(actual, expected)) fail(`${message} expected other than ${Deno.inspect(expected)}`);
}

export function assertArrayIncludes(actual: ArrayLike<unknown>, expected: ArrayLike<unknown>, message = ""): void {
  const values = Array.from(actual);
  const missing = Array.from(expected).filter((each) => !values.some((value) => equal(value, each)));
  if (missing.length > 0) fail(`${message} missing ${Deno.inspect(missing)} in ${Deno.inspect(values)}`);
}

export function assertStringIncludes(actual: string, expected: string, message = ""): void {
  if (!actual.includes(expected)) fail(`${message} expected "${expected}" in "${actual}"`);
}

export function assertMatch(actual: string, expected: RegExp, message = ""): void {
  if (!expected.test(actual)) fail(`${message} expected ${expected} to match "${actual}"`);
}

export function assertInstanceOf(actual: unknown, expected: Class, message = ""): void {
  if (!(actual instanceof expected)) fail(`${message} expected an instance of ${expected.name}, got ${Deno.inspect(actual)}`);
}

function checkError(error: unknown, expected?: Class | string, text?: string, message = ""): void {
  if (typeof expected !== "function") return; // anything may be thrown
  if (!(error instanceof Error)) fail(`${message} not an Error: ${Deno.inspect(error)}`);
  assertInstanceOf(error, expected, message);
  if (text) assertStringIncludes(error.message, text, message);
}

export function assertThrows(fn: () => unknown, expected?: Class | string, text?: string, message?: string): unknown {
  try {
    fn();
  } catch (error) {
    checkError(error, expected, text, message);
    return error;
  }
  fail(message ?? "did not throw");
}

// deno-lint-ignore no-explicit-any
export async function assertRejects(fn: () => PromiseLike<unknown>, expected?: Class | string, text?: string, message?: string): Promise<any> {
  try {
    await fn();
  } catch (error) {
    checkError(error, expected, text, message);
    return error;
  }
  fail(message ?? "did not reject");
}
