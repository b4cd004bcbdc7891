"""Hydrawatch's judgement: from request events to campaign alerts, with no I/O and no clock.

Two stages do the work. `stages.account` keeps the sliding windows of each account and folds its requests into one
partial per tick of event time; `stages.group` links accounts that share rare things, tests each group against what
honest groups look like, and keeps the life cycle of the campaigns it finds. Both are plain classes: batches in,
records out, `snapshot` and `restore` for whoever makes them durable.
"""

__version__ = "0.1.0"
