"""The command `hydrawatch`.

Modules are imported by the command that needs them, so that `--help` and errors come at once. A failure that is the
user's to mend is one line on standard error and exit status 2; an interruption is status 130.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from detectors import __version__
from stream.errors import HydrawatchError
from stream.feedback_command import feedback
from stream.options import bootstrap_option

if TYPE_CHECKING:
    from stream.config import Config

INTERRUPTED = 130
FAILED = 2


class HydrawatchGroup(click.Group):
    """A group whose errors are one line each."""

    def main(self, args: Sequence[str] | None = None, prog_name: str | None = None, **extra: Any) -> Any:  # type: ignore[override]
        """Run the command line and leave the process with its status."""
        extra["standalone_mode"] = False
        try:
            status = super().main(args, prog_name, **extra)
            if sys.stdout is not None:
                sys.stdout.flush()
        except click.exceptions.NoArgsIsHelpError as error:
            click.echo(error.format_message(), err=True)
            sys.exit(FAILED)
        except click.ClickException as error:
            _fail(error.format_message())
        except HydrawatchError as error:
            _fail(str(error))
        except click.Abort:
            _fail("interrupted", INTERRUPTED)
        except UnicodeEncodeError as error:
            _fail(f"{error.object!r}: not UTF-8")
        except OSError as error:
            if error.errno == errno.EPIPE:
                os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
                sys.exit(1)
            _fail(f"{error.filename}: {error.strerror}" if error.filename else str(error))
        sys.exit(status if isinstance(status, int) else 0)


def _fail(message: str, status: int = FAILED) -> NoReturn:
    click.echo(f"hydrawatch: {' '.join(message.split())}", err=True)
    sys.exit(status)


@click.group(cls=HydrawatchGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, package_name="hydrawatch", message="hydrawatch %(version)s")
@click.option("--config", "config_file", metavar="FILE", help="TOML file [env: HYDRAWATCH_CONFIG].")
@click.pass_context
def cli(context: click.Context, config_file: str | None) -> None:
    """Find coordinated distillation campaigns in LLM API traffic."""
    context.obj = config_file


def _config(context: click.Context, **overrides: Any) -> Config:
    from stream import config

    return config.load(context.obj, **overrides)


@cli.command()
@click.argument("paths", nargs=-1, metavar="[PATH … | -]")
@click.option("--alerts", metavar="FILE", help="Write one JSON object per alert transition.")
@click.option("--decisions", metavar="FILE", help="Write one JSON object per decision.")
@click.option("--errors", metavar="FILE", help="Write one JSON object per refused line.")
@click.option("--metrics", metavar="FILE", help="Write the final Prometheus exposition.")
@click.option("--report", metavar="FILE.html", help="Write the campaigns as a self-contained page.")
@click.option("--feedback", metavar="FILE", help="Verdicts, each counting from its time on (`hydrawatch feedback`).")
@click.pass_context
def replay(context: click.Context, /, paths: tuple[str, ...], feedback: str | None, **targets: str | None) -> None:
    """Judge files of request events without a broker and print the campaigns found.

    The files hold JSON Lines, plain, gzip or zstd, and are read in the order given; `-`, or no file, is standard
    input. A line that is no valid event is reported, counted and skipped.
    """
    if not paths and sys.stdin.isatty():
        raise click.UsageError("name a file of events, or - for standard input")
    _refuse_same(targets, [*paths, feedback] if feedback else paths)
    config = _config(context)

    from rich.console import Console

    from stream import replay as job

    verdicts = []
    if feedback:
        from stream import feedback as records

        verdicts = records.read(feedback)
    made = job.stages(config.detector, config.identifier_key)
    job.run(paths or ("-",), made, job.Targets(**targets), _console(), Console(stderr=True), verdicts)


def _console() -> Any:
    """The console of the result: as wide as the terminal, or wide enough for the table in a file."""
    from rich.console import Console

    console = Console()
    return console if console.is_terminal or os.environ.get("COLUMNS") else Console(width=120)


def _refuse_same(targets: dict[str, str | None], inputs: Sequence[str] = ()) -> None:
    named = [os.path.realpath(path) for path in targets.values() if path and not path.startswith("/dev/")]
    if len(set(named)) < len(named):
        raise click.UsageError("two outputs cannot go to the same file")
    for path in inputs:
        if os.path.realpath(path) in named:
            raise click.UsageError(f"an output cannot go to {path}, which is also an input")


@cli.command()
@bootstrap_option
@click.option("--group-id", metavar="NAME", help="Consumer group; workers of one group share the partitions.")
@click.option("--metrics-port", type=click.IntRange(0, 65535), help="Serve Prometheus metrics here; 0 for not at all.")
@click.pass_context
def worker(
    context: click.Context, bootstrap_servers: str | None, group_id: str | None, metrics_port: int | None
) -> None:
    """Judge the topic of request events on Kafka until stopped."""
    config = _config(
        context, kafka__bootstrap_servers=bootstrap_servers, kafka__group_id=group_id, metrics__port=metrics_port
    )
    from stream import worker as job

    context.exit(job.run(config) or 0)


@cli.group()
def topics() -> None:
    """Create the topics, or compare them with what they should be."""


@topics.command("create")
@bootstrap_option
@click.pass_context
def topics_create(context: click.Context, bootstrap_servers: str | None) -> None:
    """Create the topics that are missing."""
    config = _config(context, kafka__bootstrap_servers=bootstrap_servers)
    from stream import topics as job

    for line in job.create(config.kafka):
        click.echo(line)


@topics.command("check")
@bootstrap_option
@click.pass_context
def topics_check(context: click.Context, bootstrap_servers: str | None) -> None:
    """Print where the topics differ from the configuration; exit 1 when they do."""
    config = _config(context, kafka__bootstrap_servers=bootstrap_servers)
    from stream import topics as job

    differences = job.check(config.kafka)
    for line in differences:
        click.echo(line)
    context.exit(1 if differences else 0)


def _list_scenarios(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    if not wanted:
        return
    from stream.simulate import SCENARIOS

    for name, scenario in SCENARIOS.items():
        click.echo(f"{name}: {scenario.summary} ({scenario.days:g} days)")
        for dial, d in scenario.dials.items():
            click.echo(f"  {dial}={d.default:g} ({d.low:g} … {d.high:g}): {d.meaning}")
    context.exit()


def _dials(_: click.Context, __: click.Parameter, given: tuple[str, ...]) -> dict[str, float]:
    values: dict[str, float] = {}
    for text in given:
        name, _sign, value = text.partition("=")
        try:
            values[name] = float(value)
        except ValueError:
            raise click.BadParameter(f"{text!r} is not NAME=NUMBER") from None
    return values


def _kinds(_: click.Context, __: click.Parameter, given: str) -> list[str] | None:
    named = [kind.strip() for kind in given.split(",") if kind.strip()]
    return None if named == ["all"] else [] if named == ["none"] else named


@cli.command()
@click.argument("scenario")
@click.option("--out", required=True, metavar="FILE", help="Events, as JSON Lines; .gz and .zst are compressed.")
@click.option("--labels", required=True, metavar="FILE", help="The truth, account → campaign, as JSON Lines.")
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True)
@click.option("--scale", type=float, default=1.0, show_default=True, help="0.02 is small.")
@click.option("--days", type=float, help="Length of the run; by default the scenario's.")
@click.option("--dial", "dials", multiple=True, callback=_dials, metavar="NAME=VALUE", help="Turn a dial; repeatable.")
@click.option(
    "--lookalikes",
    default="all",
    show_default=True,
    callback=_kinds,
    metavar="all|none|KIND,…",
    help="Kinds of honest look-alike.",
)
@click.option(
    "--list",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_list_scenarios,
    help="Show the scenarios with their dials and exit.",
)
def simulate(
    scenario: str,
    out: str,
    labels: str,
    seed: int,
    scale: float,
    days: float | None,
    dials: dict[str, float],
    lookalikes: list[str] | None,
) -> None:
    """Write labelled traffic; SCENARIO is `seeds` or another that `--list` shows."""
    _refuse_same({"out": out, "labels": labels})
    from stream import simulate as job
    from stream.files import check_writable

    check_writable(labels)
    made = job.write(scenario, Path(out), Path(labels), seed, scale, days, dials, lookalikes)
    campaigns = "".join(f"; {name}: {count:,}" for name, count in made.campaigns.items())
    click.echo(f"{made.events:,} events of {made.accounts:,} accounts{campaigns}", err=True)


@cli.command()
@click.option("--events", metavar="FILE", help="The events that were judged.")
@click.option("--labels", metavar="FILE", help="The truth, from `hydrawatch simulate`.")
@click.option("--alerts", metavar="FILE", help="From `hydrawatch replay --alerts`.")
@click.option("--decisions", metavar="FILE", help="From `hydrawatch replay --decisions`.")
@click.option("--runs", metavar="DIR", help="Instead of the four: every run.json below, summed up over seeds.")
@click.option("--json", "as_json", metavar="[FILE]", is_flag=False, flag_value="-", help="One JSON object, or to FILE.")
@click.option("--markdown", metavar="FILE", help="With --runs: the tables as Markdown.")
@click.option("--curves", metavar="DIR", help="With --runs: recall and leak against each dial, CSV and PNG.")
def evaluate(
    runs: str | None, as_json: str | None, markdown: str | None, curves: str | None, **files: str | None
) -> None:
    """Compare what was found with the truth: of one run, or of many over seeds with confidence intervals."""
    given = [f"--{name}" for name, path in files.items() if path is not None]
    if runs is not None:
        if given:
            raise click.UsageError(f"--runs names its own files: leave out {', '.join(given)}")
        _evaluate_runs(runs, as_json, markdown, curves)
        return
    if markdown or curves:
        raise click.UsageError("--markdown and --curves need --runs")
    missing = [f"--{name}" for name, path in files.items() if path is None]
    if missing:
        raise click.UsageError(f"Missing option {', '.join(missing)}, or --runs.")
    from stream import evaluate as job
    from stream.files import check_writable, write_text
    from stream.reader import check_readable

    paths = [str(files[name]) for name in ("events", "labels", "alerts", "decisions")]
    target = None if as_json == "-" else as_json
    _refuse_same({"json": target}, paths)
    check_readable(paths)
    check_writable(target)
    figures = job.evaluate(*map(Path, paths))
    if target is not None:
        write_text(target, figures.json().decode() + "\n")
    click.echo(figures.json().decode() if as_json == "-" else figures.table())


def _evaluate_runs(folder: str, as_json: str | None, markdown: str | None, curves: str | None) -> None:
    from stream.evaluate import curves as plots
    from stream.evaluate import runs, summary, tables
    from stream.files import check_writable, write_text

    target = None if as_json == "-" else as_json
    _refuse_same({"json": target, "markdown": markdown})
    for path in (target, markdown):
        check_writable(path)

    def progress(number: int, count: int, path: str) -> None:
        if sys.stderr.isatty():
            click.echo(f"run {number} of {count}: {path}", err=True)

    report = summary.summarise(runs.measure(Path(folder), progress))
    if target is not None:
        write_text(target, report.json().decode() + "\n")
    if markdown is not None:
        write_text(markdown, tables.markdown_text(report))
    click.echo(report.json().decode() if as_json == "-" else tables.text(report))
    if curves is not None:
        made = plots.curves(report.settings)
        names = plots.write(made, Path(curves))
        click.echo(
            f"{curves}: {', '.join(names)}" if names else "no two settings differ in one dial: no curve", err=True
        )
        if made and not plots.can_plot():
            click.echo(plots.WITHOUT_PLOTS, err=True)


def _follow(topic: str) -> click.Command:
    @click.command(topic, help=f"Follow the topic of {topic} as a table, or as JSON Lines.")
    @bootstrap_option
    @click.option("--json", "as_json", is_flag=True, help="Print the records as they are, one per line.")
    @click.option("--from-beginning", is_flag=True, help="Start with the oldest record kept.")
    @click.option("--timeout", type=click.FloatRange(0), metavar="SECONDS", help="Stop when silent for so long.")
    @click.pass_context
    def command(
        context: click.Context,
        bootstrap_servers: str | None,
        as_json: bool,
        from_beginning: bool,
        timeout: float | None,
    ) -> None:
        config = _config(context, kafka__bootstrap_servers=bootstrap_servers)
        from stream import follow

        getattr(follow, topic)(config, json=as_json, from_beginning=from_beginning, timeout=timeout)

    return command


cli.add_command(feedback)
for _topic in ("alerts", "decisions"):
    cli.add_command(_follow(_topic))


def main() -> None:
    """Entry point of the console script."""
    cli.main(prog_name="hydrawatch")
