"""Runs the public test suites of NATS clients against any server, and keeps what came of each test."""
