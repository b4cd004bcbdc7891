"""What goes wrong around a worker, done to it on purpose, and what must not change by it.

An experiment does something to workers, brokers, topics or input. Its verdict is a comparison with the pure stages run
over the same log: alerts, decisions, dead letters and the state at the end (`oracle`, `state`). `python -m
tests.faults` runs them, `test_quick` runs those that every `make test` can afford.
"""
