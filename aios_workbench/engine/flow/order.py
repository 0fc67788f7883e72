"""Who goes next: pure computation over resources and those who wait. `store` reads and writes the tables.

One total order over all that wait, so that requests for several resources cannot block each other in a circle:

1. priority, raised by one for every `AGEING` permits that others of the same resource got since this priority was
   last served there: a low priority waits long, not for ever;
2. the workflow that was served longest ago on the resources in question: with k workflows waiting at a priority,
   each gets at least every k-th permit, however many runs one of them has queued;
3. age.

Who does not fit is passed by, so that a free resource is not kept idle for one that still waits for another. After
`PATIENCE` times that ends: what it wants is then kept for it. Everything is counted in permits given, never in
seconds: no clock can be wrong about it.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

AGEING = 16
PATIENCE = 8
#: A request whose rate opens later than this does not keep other resources free meanwhile.
SOON_SECONDS = 30.0


@dataclass
class Window:
    """A rate: at most `count` in any `seconds`. The time of use number n lies in slot n modulo `count`."""

    count: int
    seconds: float
    used: int
    now: float
    at: Callable[[int], float | None]
    taken: dict[int, float] = field(default_factory=dict)

    def opens(self, amount: int) -> float:
        """Return when `amount` more may be used: `now` when at once, infinity when never."""
        if amount > self.count:
            return math.inf
        slot = (self.used + amount - 1) % self.count  # the oldest use that has to be out of the window
        before = self.taken.get(slot, self.at(slot))
        return self.now if before is None else max(self.now, before + self.seconds)

    def take(self, amount: int) -> None:
        """Use it so many times now."""
        for _ in range(amount):
            self.taken[self.used % self.count] = self.now
            self.used += 1


@dataclass
class Resource:
    """What is there, and what of it is taken."""

    name: str
    capacity: int | None  # None: as many as come
    held: int = 0
    turn: int = 0  # permits ever given
    window: Window | None = None
    kept: bool = False  # for one who has been passed by too often

    def has(self, amount: int) -> bool:
        """True when that many permits are free."""
        return self.capacity is None or self.held + amount <= self.capacity

    def never(self, amount: int) -> bool:
        """True when that many permits can never be free as things are."""
        return (self.capacity is not None and amount > self.capacity) or (
            self.window is not None and amount > self.window.count
        )

    def fits(self, amount: int) -> bool:
        """True when that many permits can be given now."""
        return (
            not self.kept and self.has(amount)
            and (self.window is None or self.window.opens(amount) <= self.window.now)
        )  # fmt: skip

    def take(self, amount: int) -> None:
        """Give so many permits."""
        self.held += amount
        self.turn += 1
        if self.window is not None:
            self.window.take(amount)


@dataclass
class Waiter:
    """A request for one or several resources."""

    ticket: str
    workflow: str
    priority: int
    wants: dict[str, int]
    turns: dict[str, int]  # of each resource, when it came
    seq: int
    passed: int = 0


@dataclass
class Turns:
    """At which of a resource's turns a workflow, and a priority, was last served."""

    workflows: dict[tuple[str, str], int] = field(default_factory=dict)
    priorities: dict[tuple[str, int], int] = field(default_factory=dict)

    def note(self, name: str, workflow: str, priority: int, turn: int) -> None:
        """Take note of a permit."""
        self.workflows[name, workflow] = max(turn, self.workflows.get((name, workflow), 0))
        self.priorities[name, priority] = max(turn, self.priorities.get((name, priority), 0))


@dataclass
class Decision:
    """What `decide` found."""

    granted: list[Waiter]
    passed: list[Waiter]
    opens: float  # when a rate lets somebody in, at the earliest


def decide(resources: Mapping[str, Resource], waiters: Iterable[Waiter], turns: Turns) -> Decision:
    """Give out what can be given, changing `resources` and `turns`.

    Examples
    --------
    >>> gpu = Resource("gpu", capacity=1)
    >>> many = [Waiter(f"a{n}", "a", 0, {"gpu": 1}, {"gpu": 0}, seq=n) for n in range(3)]
    >>> [w.ticket for w in decide({"gpu": gpu}, many, Turns()).granted]
    ['a0']
    """
    queues: dict[tuple[str, int, tuple[tuple[str, int], ...]], deque[Waiter]] = {}
    for waiter in sorted(waiters, key=lambda w: w.seq):
        alike = (waiter.workflow, waiter.priority, tuple(waiter.wants.items()))
        queues.setdefault(alike, deque()).append(waiter)
    granted: list[Waiter] = []
    passed: dict[str, Waiter] = {}
    while True:
        for resource in resources.values():
            resource.kept = False
        ahead: list[Waiter] = []
        for queue in sorted((q for q in queues.values() if q), key=lambda q: _rank(q[0], resources, turns)):
            if all(resources[n].fits(amount) for n, amount in queue[0].wants.items()):
                break
            ahead.append(queue[0])
            if queue[0].passed >= PATIENCE:
                _keep(queue[0], resources)
        else:
            return Decision(granted, list(passed.values()), _opens(ahead, resources))
        waiter = queue.popleft()
        for name, amount in waiter.wants.items():
            resources[name].take(amount)
            turns.note(name, waiter.workflow, waiter.priority, resources[name].turn)
        granted.append(waiter)
        for other in ahead:
            if other.wants.keys() & waiter.wants.keys():
                other.passed += 1
                passed[other.ticket] = other


def _rank(waiter: Waiter, resources: Mapping[str, Resource], turns: Turns) -> tuple[float, float, int]:
    boost, ago = 0, math.inf
    for name in waiter.wants:
        turn = resources[name].turn
        served = max(waiter.turns.get(name, 0), turns.priorities.get((name, waiter.priority), 0))
        boost = max(boost, (turn - served) // AGEING)
        ago = min(ago, turn - turns.workflows.get((name, waiter.workflow), -math.inf))
    return -(waiter.priority + boost), -ago, waiter.seq


def _keep(waiter: Waiter, resources: Mapping[str, Resource]) -> None:
    """Keep what a request wants for it; only what is short where it cannot be served soon anyway."""
    wanted = [(resources[n], amount) for n, amount in waiter.wants.items()]
    far = any(
        r.never(amount) or (r.window is not None and r.window.opens(amount) - r.window.now > SOON_SECONDS)
        for r, amount in wanted
    )
    for resource, amount in wanted:
        resource.kept = resource.kept or not far or (not resource.never(amount) and not resource.fits(amount))


def _opens(blocked: list[Waiter], resources: Mapping[str, Resource]) -> float:
    times = [
        max(
            (r.window.opens(amount) for n, amount in w.wants.items() if (r := resources[n]).window),
            default=math.inf,
        )
        for w in blocked
        if all(resources[n].has(amount) for n, amount in w.wants.items())
    ]
    now = [r.window.now for r in resources.values() if r.window is not None]
    return min((t for t in times if t > max(now, default=0.0)), default=math.inf)
