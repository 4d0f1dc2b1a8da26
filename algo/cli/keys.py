"""``algo keys``: look at a signing key without showing it, or make one for tests."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from algo.cli import broker
from algo.cli.broker import AsJson

app = typer.Typer(no_args_is_help=True, help="Check a signing key, or make one for the sandbox.")


@app.command()
def check(
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="A key, or credentials with one. Mode 0600.")
    ] = None,
    json: AsJson = False,
) -> None:
    """Say what is wrong with a private key, without printing any of it: exit code 1 when it cannot sign.

    Without a file, the key is that of ALGO_CREDENTIALS, of ALGO_PRIVATE_KEY, or of the keyring.

    \b
    Example:
      algo keys check ssi.json
    """
    from algo.brokers.fctrading.credentials import key_text
    from algo.brokers.fctrading.signing import check as examine

    report = examine(key_text(file))
    if json:
        broker.print_json(
            {
                "good": report.good,
                "bits": report.bits,
                "problems": list(report.problems),
                "notes": list(report.notes),
            }
        )
    else:
        for problem in report.problems:
            typer.echo(f"The key cannot be used: {problem}")
        if report.good:
            typer.echo(f"The key is good: RSA of {report.bits} bits in SSI's form.")
        for note in report.notes:
            typer.echo(note)
    if not report.good:
        raise typer.Exit(1)


@app.command()
def new(
    file: Annotated[Path, typer.Argument(help="Where to write the private key; nothing is overwritten.")],
    bits: Annotated[int, typer.Option(help="Size of the key.")] = 1024,
    json: AsJson = False,
) -> None:
    """Make a key pair in SSI's form for the sandbox and for tests. Your real key comes from SSI's web page.

    The private key goes into FILE, which only you can read. The public key is printed.

    \b
    Example:
      algo keys new sandbox-key.txt
    """
    from algo.brokers.fctrading.signing import generate
    from algo.durable import write_text
    from algo.errors import SettingError

    if file.exists():
        raise SettingError(f"{file} exists already: name another file")
    key = generate(bits)
    write_text(file, key.private_text().reveal() + "\n", mode=0o600)
    if json:
        broker.print_json({"file": str(file), "bits": key.bits, "public_key": key.public_text()})
        return
    typer.echo(f"The private key is in {file} (mode 0600). The public key:")
    typer.echo(key.public_text())
