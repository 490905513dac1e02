"""The command line, `fkp ...`; a command imports what it needs when it runs."""

import sys
from typing import Annotated

import typer

from fkp import __version__
from fkp.cli import predict, run, studies, tools, train

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (
    *(predict.predict, train.train, train.kaggle),
    *(run.run, studies.status, studies.report, studies.studies),
    *(studies.accept, studies.publish),
    *(tools.models, tools.inspect, tools.submit, tools.export, tools.benchmark, tools.recolour),
    tools.demo,
):
    app.command()(command)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"fkp {__version__}")
        raise typer.Exit()


@app.callback()
def _(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Facial keypoints: find them in pictures, train models, run studies, read their reports."""


def main() -> None:
    """Run the command line; expected errors become one line and status 2."""
    try:
        app()
    except (ValueError, OSError) as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        sys.exit(2)
    except ModuleNotFoundError as error:
        if error.name.startswith("fkp"):
            raise
        print(f"error: {error}; pip install -r requirements.txt brings it", file=sys.stderr)
        sys.exit(2)
