"""Moves events: files and Kafka in, alerts, decisions and metrics out.

Everything with a clock, a socket or a file lives here; what the events mean is decided in `detectors`. `replay` runs
the detectors in one process without a broker, `worker` runs the same stages as Faust agents on Kafka, and `cli` is
the command line in front of both.
"""

import os

# One worker per core. The threads of a BLAS wait for work by spinning: a quarter of replay's CPU on thin traffic.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # read when numpy is first imported
