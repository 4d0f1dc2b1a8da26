"""The page in a real browser: it shows what is there, and its buttons do what they say."""

from collections.abc import Iterator

import pytest

from algo.sandbox.faults import Fault
from tests.sandbox.browser import chromium
from tests.sandbox.running import Served, made, served

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def shown() -> Iterator[Served]:
    with served(made()) as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator:
    with chromium() as found:
        yield found


@pytest.fixture
def page(browser, shown: Served) -> Iterator:
    page = browser.new_page(viewport={"width": 1440, "height": 900}, bypass_csp=True)
    page.set_default_timeout(10_000)
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.goto(f"{shown.url}/#{shown.sandbox.token}")
    page.wait_for_selector("#symbols tr")
    yield page
    page.close()
    assert [text for text in problems if "400" not in text and "403" not in text] == []


def test_it_shows_the_market_and_the_symbol_that_is_chosen(page, shown: Served) -> None:
    states = shown.sandbox.world.tape.states
    assert page.locator("#symbols tr").count() == len(states)
    page.click("tr[data-symbol=HPG]")
    page.wait_for_function("document.getElementById('title').textContent.startsWith('HPG')")
    last = states["HPG"].last
    assert page.inner_text("#title").split()[1] == f"{last:,.0f}"
    assert page.inner_text("#day") == shown.sandbox.world.day.isoformat()
    assert "HOSE" in page.inner_text("#sessions") and "LO" in page.inner_text("#sessions")
    assert page.locator("#trades tr").count() > 1
    assert "#" not in page.url, "the token does not stay in the address"


@pytest.mark.parametrize("width", [420, 900, 1440])
def test_nothing_is_cut_off(page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.wait_for_timeout(100)
    wide = page.evaluate(
        "[...document.querySelectorAll('section, header')].filter(e => e.scrollWidth > e.clientWidth + 1)"
        ".map(e => e.id + ' ' + e.scrollWidth + ' > ' + e.clientWidth)"
    )
    assert wide == [] or width == 420, wide
    if width > 420:
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_an_order_by_hand_and_its_cancel(page, shown: Served) -> None:
    page.click("tr[data-symbol=FPT]")
    page.wait_for_function("document.querySelector('#place output').textContent === 'FPT'")
    page.fill("#place [name=quantity]", "300")
    page.fill("#place [name=price]", str(shown.sandbox.world.tape.states["FPT"].floor))
    page.click("text=Order by hand")
    page.wait_for_selector("#list button")
    account = shown.document["accounts"]["equity"]
    (order,) = shown.sandbox.world.brokerage.orders(account)
    assert (order.instrument.symbol, order.quantity, order.channel) == ("FPT", 300, "IM")
    page.click("#list button")
    page.wait_for_selector("#list tr.over")
    (order,) = shown.sandbox.world.brokerage.orders(account)
    assert order.stage.over


def test_what_is_refused_is_said(page) -> None:
    page.evaluate("document.querySelector('#place [name=quantity]').value = '100000000'")
    page.fill("#place [name=price]", "1")
    page.click("text=Order by hand")
    page.wait_for_selector("#list tr.over")
    page.evaluate("act('order', {symbol: 'NONE', side: 'buy', quantity: 1})")
    page.wait_for_selector("#problem:visible")
    assert "NONE" in page.inner_text("#problem")


def test_the_clock(page, shown: Served) -> None:
    before = shown.sandbox.world.now
    page.click("[data-step='1']")
    page.wait_for_function(f"seen.now > {before} || seen.next")
    page.click("[data-speed='60']")
    page.wait_for_selector("[data-speed='60'][aria-pressed=true]")
    assert shown.sandbox.host.pace.speed == 60
    page.wait_for_function(f"BigInt(seen.now) > BigInt({before})")
    page.click("[data-speed='0']")
    page.wait_for_selector("[data-speed='0'][aria-pressed=true]")
    assert shown.sandbox.host.pace.speed == 0


def test_a_halt(page, shown: Served) -> None:
    page.click("tr[data-symbol=HPG]")
    page.click("text=Halt HPG")
    page.wait_for_selector("text=Resume HPG")
    assert shown.sandbox.world.tape.states["HPG"].status == "H"
    assert "halted" in page.inner_text("tr[data-symbol=HPG]")
    page.click("text=Resume HPG")
    page.wait_for_selector("text=Halt HPG")
    assert shown.sandbox.world.tape.states["HPG"].status == "N"


def test_faults(page, shown: Served) -> None:
    page.select_option("#fault [name=fault]", "miss")
    page.fill("#fault [name=count]", "3")
    page.click("text=Let it happen")
    page.wait_for_selector("#waiting li")
    (asked,) = shown.sandbox.host.faults.asked
    assert (asked.fault, asked.count) == (Fault.MISS, 3)
    page.click("#fault >> text=Clear")
    page.wait_for_selector("#waiting li", state="detached")
    assert shown.sandbox.host.faults.quiet


def test_without_the_token_it_shows_nothing(browser, shown: Served) -> None:
    page = browser.new_page()
    for address in (f"{shown.url}/", f"{shown.url}/#wrong"):
        page.goto("about:blank")
        page.goto(address)
        page.wait_for_selector("#key", state="visible")
        assert page.locator("#symbols tr").count() == 0
    page.fill("#key input", shown.sandbox.token)
    page.click("text=Show the sandbox")
    page.wait_for_selector("#symbols tr")
    page.close()
