"""Warnings are few, whatever the number of symbols."""

from algo.report.warnings import together


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
    assert together(said, named=2) == [
        "FPT and 2 others: adjusted",
        "interrupted: early",
        "FPT and HPG: odd",
        "VCB: 1",
    ]
