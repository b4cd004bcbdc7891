"""Figures of honest traffic by which traces and the simulator are compared, and the traffic of both in one form."""

from __future__ import annotations

import csv
import gzip
import json
from collections import Counter, defaultdict
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stream.simulate.arrivals import WINDOW_MS
from stream.simulate.networks import Networks
from stream.simulate.people import People, chatters
from stream.simulate.pools import Pool
from stream.simulate.tenants import Tenants
from stream.simulate.world import SLICE_MS, World

DAYS = 7
Figures = dict[str, float]


class Windows(NamedTuple):
    """Requests per client and 10-minute window (n, w), and the CV of the gaps of each window with 20 or more (m,)."""

    counts: NDArray[np.int64]
    cvs: NDArray[np.float64]


def trace(path: Path) -> dict[str, Windows]:
    """Read ServeGen's windows (`client_windows.csv.gz`), by pool."""
    rows: dict[str, list[tuple[int, int, int, int]]] = defaultdict(list)
    with gzip.open(path, "rt") as file:
        for r in csv.DictReader(file):
            rows[r["pool"]].append((int(r["client"]), int(r["win"]), int(r["n"]), int(r["cv_milli"] or 0)))
    out = {}
    for pool, values in rows.items():
        table = np.array(values)
        clients, index = np.unique(table[:, 0], return_inverse=True)
        counts = np.zeros((len(clients), DAYS * 144), np.int64)
        counts[index, table[:, 1]] = table[:, 2]
        out[pool] = Windows(counts, table[(table[:, 2] >= 20) & (table[:, 3] > 0), 3] / 1000)
    return out


def simulated(pool: Pool, clients: int, per_second: float, seed: int, days: int = DAYS) -> Windows:
    """Return the windows of a simulated pool."""
    world = World(seed, 0.005, days)
    population = Tenants(world, Networks(world, world.rng("networks")), pool, clients, per_second * 86_400 * days)
    counts, cvs = np.zeros(clients * days * 144, np.int64), []
    for start in range(world.start, world.end, SLICE_MS):
        who, times = population.arrivals(start, start + SLICE_MS)
        key = who * days * 144 + (times - world.start) // WINDOW_MS
        counts += np.bincount(key, minlength=len(counts))
        cvs.append(variation(key, times, 20))
    return Windows(counts.reshape(clients, -1), np.concatenate(cvs))


def variation(key: NDArray[np.int64], times: NDArray[np.int64], least: int) -> NDArray[np.float64]:
    """Return the coefficient of variation of the gaps within each group `key` of at least `least` requests."""
    order = np.lexsort((times, key))
    key, times = key[order], times[order]
    within = np.diff(key) == 0
    gaps = np.diff(times)[within].astype(float)
    _, index, n = np.unique(key[1:][within], return_inverse=True, return_counts=True)
    mean = np.bincount(index, gaps) / n
    deviation = np.sqrt(np.maximum(np.bincount(index, gaps**2) / n - mean**2, 0))
    enough = (n >= least - 1) & (mean > 0)
    out: NDArray[np.float64] = deviation[enough] / mean[enough]
    return out


def gini(volumes: NDArray[np.int64]) -> float:
    """Return the Gini coefficient of `volumes`."""
    v, n = np.sort(volumes), len(volumes)
    return float((2 * np.arange(1, n + 1) - n - 1) @ v / (n * v.sum()))


def pool_figures(windows: Windows) -> Figures:
    """Return the figures of a pool of API clients."""
    counts, cvs = windows
    total, active = counts.sum(axis=1), (counts > 0).mean(axis=1)
    order = np.sort(total)[::-1] / total.sum()
    days = counts.reshape(len(counts), -1, 144).sum(axis=(0, 2))
    seen = counts[total > 0] > 0
    first = seen.argmax(axis=1)
    last = seen.shape[1] - 1 - seen[:, ::-1].argmax(axis=1)
    out = {"Gini of requests": gini(total), "top-1 share": float(order[0]), "top-10 share": float(order[:10].sum())}
    for q in (0.25, 0.5, 0.75, 0.95):
        out[f"CV per window, q{q * 100:.0f}"] = float(np.quantile(cvs, q))
    out["near-periodic windows (CV < 0.5)"] = float((cvs < 0.5).mean())
    out["flat 24/7 of the always active"] = flat_share(counts[active > 0.8])
    out["active in < 7 % of the windows"] = float((active < 0.07).mean())
    pairs = synchrony(counts[active > 0.5])
    out["pairs moving together (r > 0.5)"] = float((pairs > 0.5).mean())
    out["pairwise correlation, q99"] = float(np.quantile(pairs, 0.99))
    out["appear after day 1"] = float((first >= 144).mean())
    out["live less than a day"] = float((last - first < 144).mean())
    out["day total / mean, least"] = float((days / days.mean()).min())
    out["day total / mean, most"] = float((days / days.mean()).max())
    return out


def flat_share(counts: NDArray[np.int64]) -> float:
    """Return the share of clients whose every hour of the day is between 0.5 and 1.5 of their mean."""
    hours = counts.reshape(len(counts), -1, 24, 6).sum(axis=(1, 3))
    hours = hours / hours.mean(axis=1, keepdims=True)
    return float(((hours.min(axis=1) > 0.5) & (hours.max(axis=1) < 1.5)).mean())


def synchrony(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the correlation of the 10-minute differences of log counts, for every pair of clients."""
    steps = np.corrcoef(np.diff(np.log1p(counts), axis=1))
    out: NDArray[np.float64] = steps[np.triu_indices(len(steps), 1)]
    return out


def trace_lengths(path: Path, pool: str) -> Figures:
    """Return the figures of ServeGen's token lengths (`client_token_quantiles_6h.csv.gz`)."""
    clients: dict[str, list[dict[str, str]]] = defaultdict(list)
    with gzip.open(path, "rt") as file:
        for r in csv.DictReader(file):
            if r["pool"] == pool and r["input_tokens_p50"] and r["output_tokens_p50"]:
                clients[r["client"]].append(r)

    def median(key: str) -> NDArray[np.float64]:
        return np.array([np.median([float(r[key]) for r in rows]) for rows in clients.values()])

    low, mid, high = (median(f"input_tokens_p{p}") for p in ("05", "50", "95"))
    return _lengths((high - low) / mid, median("output_tokens_top1"), median("output_tokens_p50") / mid, mid)


def simulated_lengths(pool: Pool, clients: int, seed: int) -> Figures:
    """Return the same figures of a simulated pool, from clients with 40 requests and more."""
    world = World(seed, 0.005, 2)
    population = Tenants(world, Networks(world, world.rng("networks")), pool, clients, 2e5)
    rows = np.concatenate([population.draw(s, s + SLICE_MS) for s in range(world.start, world.end, SLICE_MS)])
    rows = rows[rows["status"] == 200]
    width, single, ratio, mid = [], [], [], []
    for account in np.flatnonzero(np.bincount(rows["account"]) >= 40):
        mine = rows[rows["account"] == account]
        low, half, high = np.quantile(mine["input"], (0.05, 0.5, 0.95))
        width.append((high - low) / half)
        single.append(np.unique(mine["output"], return_counts=True)[1].max() / len(mine))
        ratio.append(np.median(mine["output"]) / half)
        mid.append(half)
    return _lengths(np.array(width), np.array(single), np.array(ratio), np.array(mid))


def _lengths(
    width: NDArray[np.float64], single: NDArray[np.float64], ratio: NDArray[np.float64], mid: NDArray[np.float64]
) -> Figures:
    out = {
        "uniform input length": float((width < 0.25).mean()),
        "one single output length": float((single > 0.5).mean()),
    }
    out |= {f"output / input, q{q * 100:.0f}": float(np.quantile(ratio, q)) for q in (0.1, 0.5, 0.9)}
    return out | {f"input tokens, q{q * 100:.0f}": float(np.quantile(mid, q)) for q in (0.1, 0.5, 0.9)}


def assistant(path: Path) -> Figures:
    """Return the figures of RAGPulse's sessions (`trace.jsonl.gz`)."""
    sessions: dict[int, list[int]] = defaultdict(list)
    inputs: Counter[int] = Counter()
    with gzip.open(path, "rt") as file:
        for line in file:
            r = json.loads(line)
            sessions[r["session"]].append(r["t_s"])
            inputs.update(r["user_input"])
    gaps = np.concatenate([np.diff(np.sort(times)) for times in sessions.values()])
    repeats = sum(n for n in inputs.values() if n > 1) / inputs.total()
    return _sessions(np.array([len(times) for times in sessions.values()]), gaps, repeats)


def _sessions(turns: NDArray[np.int64], gaps: NDArray[np.float64], repeats: float) -> Figures:
    out = {
        "turns of a session, mean": float(turns.mean()),
        "sessions of one turn": float((turns == 1).mean()),
        "turns of a session, q99": float(np.quantile(turns, 0.99)),
    }
    out |= {f"gap in a session, s, q{q * 100:.0f}": float(np.quantile(gaps, q)) for q in (0.1, 0.5, 0.9)}
    return out | {"inputs that occur again word by word": repeats}


def users(n: int, seed: int, days: int = 23) -> Figures:
    """Return the figures of simulated chat users over 23 days, as GenTD26 counts them."""
    world = World(seed, 0.005, days)
    population: People = chatters(world, Networks(world, world.rng("networks")), n)
    world.populations.append(population)
    names = ["time", "account", "conversation", "content", "model"]
    rows = np.concatenate([r[names] for r in world.slices()])
    count = np.bincount(rows["account"])
    out = {f"requests of a user, q{q * 100:.0f}": float(np.quantile(count[count > 0], q)) for q in (0.5, 0.9, 0.99)}
    cvs = variation(rows["account"], rows["time"], 20)
    out |= {f"CV of a user's gaps, q{q * 100:.0f}": float(np.quantile(cvs, q)) for q in (0.25, 0.5, 0.75)}
    _, talk, turns = np.unique(rows["conversation"], return_inverse=True, return_counts=True)
    order = np.lexsort((rows["time"], talk))
    gaps = (np.diff(rows["time"][order]) / 1000)[np.diff(talk[order]) == 0]
    repeats = np.unique(rows["content"], return_counts=True)[1]
    out |= _sessions(turns, gaps, float(repeats[repeats > 1].sum() / len(rows)))
    hours = np.bincount((rows["time"] // 3_600_000 + population.zones[rows["account"]]) % 24, minlength=24)
    out |= {"quietest local hour / mean": float(hours.min() / hours.mean())}
    out |= {"busiest local hour / mean": float(hours.max() / hours.mean())}
    return out | adoption(world, rows)


def adoption(world: World, rows: NDArray[np.void]) -> Figures:
    """Return the share of the requests that go to the new model some days after its release."""
    new, days = rows["model"] == world.models["atlas-large-5"], (rows["time"] - world.release) / 86_400_000
    return {
        f"requests on the new model, day {day}": float(new[(days >= day) & (days < day + 1)].mean())
        for day in (1, 3, 7)
    }
