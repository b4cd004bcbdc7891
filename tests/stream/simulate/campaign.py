"""One campaign without its honest crowd, as arrays."""

from __future__ import annotations

import json
from collections import defaultdict
from functools import cache
from typing import Any

import numpy as np

from stream.simulate.dials import settle
from stream.simulate.networks import Networks
from stream.simulate.scenarios import SCENARIOS
from stream.simulate.world import World

ATTRIBUTES = ("organization.id", "payment.fingerprint", "device.fingerprint", "client.address")


class Campaign:
    """The rows of `scenario`'s campaign in time order, and what each of its accounts shows."""

    def __init__(self, scenario: str, seed: int, scale: float, days: float | None, dials: dict[str, float]) -> None:
        plan = SCENARIOS[scenario]
        self.world = World(seed, scale, plan.days if days is None else days)
        networks = Networks(self.world, self.world.rng("networks"))
        plan.build(self.world, networks, settle(scenario, plan.dials, dials))
        self.rows = np.concatenate(list(self.world.slices()))
        self.account, self.time = self.rows["account"], self.rows["time"]
        self.kind = np.array(self.world.kind)[self.account]
        self.facts = [json.loads("{" + text[1:] + "}") for text in self.world.accounts]
        self.counts = np.bincount(self.account, minlength=len(self.world.accounts))

    def column(self, name: str) -> list[dict[str, Any]]:
        """Return the decoded fragments of `name`, one per row."""
        table = [json.loads("{" + text[1:] + "}") for text in self.world.columns[name].table()]
        return [table[i] for i in self.rows[name].tolist()]

    def days(self) -> float:
        """Return from the first to the last request."""
        return float(self.time.max() - self.time.min()) / 86_400_000

    def seen(self, key: str) -> dict[str, set[int]]:
        """Return the accounts behind each value of an attribute."""
        out: dict[str, set[int]] = defaultdict(set)
        name = {"device.fingerprint": "device", "client.address": "exit"}.get(key)
        values = self.column(name) if name else [self.facts[a] for a in self.account.tolist()]
        for account, value in zip(self.account.tolist(), values, strict=True):
            if key in value:
                out[value[key]].add(account)
        return dict(out)


@cache
def campaign(scenario: str, seed: int = 1, scale: float = 0.01, days: float | None = None, **dials: float) -> Campaign:
    """Return the campaign, made once."""
    return Campaign(scenario, seed, scale, days, dials)
