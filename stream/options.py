"""Options that several commands share."""

from __future__ import annotations

import click

bootstrap_option = click.option(
    "--bootstrap-servers", metavar="HOST:PORT,…", help="Kafka [env: HYDRAWATCH_BOOTSTRAP_SERVERS]."
)
