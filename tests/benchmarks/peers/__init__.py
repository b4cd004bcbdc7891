"""Other stream processors on the same topic, each a program of its own that reports its speed.

Each reads `HYDRAWATCH_KAFKA__BOOTSTRAP_SERVERS` and `HYDRAWATCH_KAFKA__TOPIC_PREFIX`, takes requests in from the
beginning and, after `REPORT_AT` of them, writes `rate R cpu C`: requests a second, CPU microseconds a request.
"""
