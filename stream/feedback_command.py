"""`hydrawatch feedback confirm|dismiss|allow`."""

from __future__ import annotations

import time

import click
import msgspec

from detectors.feedback import ALLOW, ALLOWED_SCOPES, CONFIRMED, DISMISSED, SCOPES, Verdict
from stream.options import bootstrap_option


@click.group()
def feedback() -> None:
    """Say what is known about a campaign or an account; the detectors act on it from the next tick on.

    `dismiss` resolves a campaign and revokes its decisions, `confirm` makes it critical, `allow` spares an account or
    an organization decisions for a time. SCOPE is account, organization, campaign, cluster (a campaign's id) or
    template.
    """


def _feedback(name: str, verdict: str, text: str) -> click.Command:
    @click.command(name, help=text)
    @click.argument("scope", type=click.Choice(ALLOWED_SCOPES if verdict == ALLOW else SCOPES))
    @click.argument("value")
    @click.option("--by", required=True, metavar="WHO", help="Who says so.")
    @click.option("--reason", required=True, metavar="TEXT", help="Why; it is shown in alerts and decisions.")
    @click.option("--until", metavar="TIME", required=verdict == ALLOW, help="30d, 12h, an ISO 8601 time or Unix ms.")
    @click.option("--time", "at", metavar="TIME", help="When it was said; now unless given.")
    @click.option("--out", metavar="FILE", help="Append to a file for `replay --feedback` instead of the topic.")
    @bootstrap_option
    @click.pass_context
    def command(
        context: click.Context,
        /,
        scope: str,
        value: str,
        until: str | None,
        at: str | None,
        out: str | None,
        bootstrap_servers: str | None,
        **said: str,
    ) -> None:
        from stream import config
        from stream import feedback as job

        try:
            when = job.moment(at, 0) if at else time.time_ns() // 1_000_000
            end = job.moment(until, when) if until else None
            made = msgspec.convert(
                {"verdict": verdict, "scope": scope, "value": value, "time": when, "until": end, **said}, Verdict
            )
        except (ValueError, msgspec.ValidationError) as error:
            raise click.UsageError(str(error)) from None
        if out:
            job.append(out, made)
        else:
            job.send(config.load(context.obj, kafka__bootstrap_servers=bootstrap_servers).kafka, made)
        click.echo(f"{verdict}: {scope} {value}, to {out or 'the topic'}", err=True)

    return command


for _name, _verdict, _text in (
    ("confirm", CONFIRMED, "SCOPE VALUE is what the alert says: a campaign becomes critical."),
    ("dismiss", DISMISSED, "SCOPE VALUE is honest: a campaign does not come back on the same evidence."),
    (
        "allow",
        "allow",
        "SCOPE VALUE, an account or an organization, gets no decision until --until; it is still scored.",
    ),
):
    feedback.add_command(_feedback(_name, _verdict, _text))
