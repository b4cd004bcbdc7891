"""Moves events: files and Kafka in, alerts, decisions and metrics out.

Everything with a clock, a socket or a file lives here; what the events mean is decided in `detectors`. `replay` runs
the detectors in one process without a broker, `worker` runs the same stages as Faust agents on Kafka, and `cli` is
the command line in front of both.
"""
