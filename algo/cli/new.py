"""``algo new``: the first lines of a strategy and of its test."""

from __future__ import annotations

from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="Write the first lines of something new.")

_STRATEGY = '''from algo import Strategy, sma


class {cls}(Strategy):
    """Say here in one line when it buys and when it sells."""

    symbol: str = "VN30F1M"
    quantity: int = 1
    fast: int = 20
    slow: int = 50

    def on_start(self):
        self.fast_ma = self.indicator(sma, self.symbol, self.fast)
        self.slow_ma = self.indicator(sma, self.symbol, self.slow)

    def on_bar(self, bar):
        if not self.slow_ma.ready:
            return
        if self.fast_ma[-1] > self.slow_ma[-1]:
            self.target(bar.symbol, self.quantity)
        else:
            self.close(bar.symbol)
'''

_TEST = '''"""{cls} on made-up bars: when it buys, when it leaves, and that it does not look ahead."""

from pathlib import Path

from algo import testing

{cls} = testing.load_strategy(Path(__file__).parents[1] / "strategies" / "{name}.py")


def test_it_is_long_after_prices_rose():
    bars = testing.bars([1200 + step for step in range(20)])
    result = testing.play({cls}, bars, {{"fast": 3, "slow": 5}})
    testing.assert_no_refusals(result)
    testing.assert_position(result, "VN30F1M", 1)


def test_it_leaves_when_prices_fall():
    bars = testing.along([1200, 1220, 1180], steps=20)
    result = testing.play({cls}, bars, {{"fast": 3, "slow": 5}})
    testing.assert_trades(result, [("long", 1)])
    testing.assert_flat(result)


def test_it_does_not_look_ahead():
    bars = testing.along([1200, 1220, 1180, 1230], steps=20)
    testing.assert_no_look_ahead({cls}, bars, {{"fast": 3, "slow": 5}})
'''


@app.command()
def strategy(
    name: Annotated[str, typer.Argument(help="Its name in lower case, such as mean_reversion.")],
) -> None:
    """Write strategies/NAME.py and tests/test_NAME.py; refuses to overwrite.

    \b
    Example:
      algo new strategy mean_reversion
    """
    import keyword
    import re
    from pathlib import Path

    from algo.durable import write_text
    from algo.errors import SettingError

    plain = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name.removesuffix(".py")).lower().replace("-", "_")
    if not re.fullmatch(r"[a-z][a-z0-9_]*", plain) or keyword.iskeyword(plain):
        raise SettingError(
            f"{name!r} cannot name a strategy: use letters, digits and _, such as mean_reversion"
        )
    cls = "".join(part.capitalize() for part in plain.split("_"))
    if cls in ("Strategy", "Path"):
        raise SettingError(f"{name!r} would hide a name that the file needs: choose another")
    files = {Path("strategies") / f"{plain}.py": _STRATEGY, Path("tests") / f"test_{plain}.py": _TEST}
    for path in files:
        if path.exists():
            raise SettingError(f"{path} is there already: choose another name, or remove it")
    for path, text in files.items():
        write_text(path, text.format(cls=cls, name=plain))
        typer.echo(f"wrote {path}")
    typer.echo(f"try: algo backtest strategies/{plain}.py --data VN30F1M")
    typer.echo(f"     python -m pytest tests/test_{plain}.py")
