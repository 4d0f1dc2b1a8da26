"""The command line: ``python -m algo``."""

from __future__ import annotations


def main() -> None:
    """Run the command line of this process and end it."""
    from algo.cli import app

    app(prog_name="algo")


if __name__ == "__main__":
    main()
