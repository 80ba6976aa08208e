"""Waiting for a condition with a deadline: the only way in which a scenario waits."""

import time


def wait_until(condition, deadline=15.0, what=None):
    """Returns the condition's first true value; fails, with what it last saw, when the deadline (seconds) passes.

    The condition may raise OSError while a peer is not there yet. `what` may be a string or a callable that describes.
    """
    end = time.monotonic() + deadline
    pause = 0.005
    last = None
    while True:
        try:
            last = condition()
            if last:
                return last
        except OSError as error:
            last = error
        if time.monotonic() > end:
            description = what() if callable(what) else (what or getattr(condition, "__doc__", None) or "the condition")
            raise AssertionError(f"not within {deadline} s: {description}; last seen: {last!r}")
        time.sleep(pause)
        pause = min(pause * 1.5, 0.1)


def stays_false(condition, seconds):
    """The condition must not become true for this long. For what must not happen there is no other evidence."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        seen = condition()
        assert not seen, f"happened although it must not: {seen!r}"
        time.sleep(0.02)
