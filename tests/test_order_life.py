"""The page on the order life shows the table that runs the orders."""

import re

from algo.model import OrderStatus
from algo.orders.state import diagram
from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "order-life.md").read_text(encoding="utf-8")


def test_the_diagram_is_current() -> None:
    (shown,) = re.findall(r"^```mermaid\n(.*?)\n```$", PAGE, re.MULTILINE | re.DOTALL)
    assert shown == diagram(), (
        "put into docs/order-life.md what this prints: "
        "python -c 'from algo.orders.state import diagram; print(diagram())'"
    )


def test_every_status_is_explained() -> None:
    cells = [line.split("|")[1] for line in PAGE.splitlines() if line.startswith("| `")]
    explained = re.findall(r"`(\w+)`", "".join(cells))
    assert explained == [str(status) for status in OrderStatus]
