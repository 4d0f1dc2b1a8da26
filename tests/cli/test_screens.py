"""The summary of a run: short, whatever the number of symbols and warnings."""

from algo.cli.screens import together


def test_what_is_said_of_several_symbols_is_one_line() -> None:
    said = [
        "FPT: adjusted",
        "HPG: adjusted",
        "interrupted: early",
        "VCB: adjusted",
        "FPT: odd",
        "HPG: odd",
        "VCB: 1",
    ]
    assert together(said) == [
        "FPT and 2 others: adjusted",
        "interrupted: early",
        "FPT and HPG: odd",
        "VCB: 1",
    ]
