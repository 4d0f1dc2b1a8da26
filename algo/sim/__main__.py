"""``python -m algo.sim``: days of trading with faults, as many as one asks for, and what was found."""

from __future__ import annotations

import argparse
import json
import sys

from algo.sim.report import Report, played


def main() -> int:
    """Play the seeds; exit code 1 when an invariant was broken or a run did not repeat."""
    parser = argparse.ArgumentParser(prog="python -m algo.sim", description=__doc__)
    parser.add_argument("--seeds", type=int, default=10, help="how many seeds (10)")
    parser.add_argument("--seed", type=int, default=0, help="the first one (0)")
    parser.add_argument("--repeat", type=int, default=0, help="play so many again elsewhere and compare (0)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--digest", action="store_true", help="print the hash of one seed, no more")
    parser.add_argument("--story", action="store_true", help="print what happened in one seed")
    given = parser.parse_args()
    if given.digest or given.story:
        found = played(given.seed, keep=given.story)
        if given.story:
            for when, kind, text in found.story:
                print(f"{when:10.3f} {kind:9} {text[:300]}")
        print(found.digest)
        return 0
    report = Report()
    for seed in range(given.seed, given.seed + given.seeds):
        report.add(played(seed))
        if not given.json:
            print(report.line(seed), file=sys.stderr)
    report.repeat(range(given.seed, given.seed + min(given.repeat, given.seeds)))
    print(json.dumps(report.facts(), indent=2) if given.json else report.text())
    return 1 if report.violations or report.mismatches else 0


if __name__ == "__main__":
    sys.exit(main())
