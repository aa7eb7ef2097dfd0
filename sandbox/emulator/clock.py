"""The sandbox's clock: the real time, moved forward by as much as somebody asked for.

All of moto reads it, so objects, keys and roles made after a move carry the moved time. It never goes back: what is in the
archive would then lie in the future.
"""

import datetime
import sys
from contextlib import contextmanager

# Each hour costs a signature for every trail, account and Region, so a typo of a few zeros would keep the emulator busy for hours.
LONGEST_MOVE = datetime.timedelta(days=92)


class Clock:
    def __init__(self):
        self.offset = datetime.timedelta()
        self.pinned = None

    def now(self):
        """UTC, without a time zone, as moto wants it."""
        if self.pinned:
            return self.pinned
        return datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None) + self.offset

    def move(self, seconds):
        step = datetime.timedelta(seconds=seconds)
        if not datetime.timedelta() < step <= LONGEST_MOVE:
            raise ValueError(f"The clock moves forward, by at most {LONGEST_MOVE.days} days at a time.")
        self.offset += step

    @contextmanager
    def at(self, moment):
        """Lets time stand still: what is delivered late, because nobody called, still carries the time at which it was due."""
        before, self.pinned = self.pinned, moment
        try:
            yield
        finally:
            self.pinned = before


CLOCK = Clock()


def apply():
    """Before moto's services are loaded: they take the function over by name."""
    from moto.core import utils

    original = utils.utcnow

    def utcnow():
        return CLOCK.now()

    for name, module in list(sys.modules.items()):
        if name.startswith("moto") and getattr(module, "utcnow", None) is original:
            module.utcnow = utcnow


def stamp(moment):
    """`2026-01-31T12:00:00Z`, as CloudTrail writes times."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
