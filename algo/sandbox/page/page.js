"use strict";
// The page asks for one document a few times a second and shows it. It keeps nothing but which symbol is chosen.

const $ = id => document.getElementById(id);
const PACE = 400;
let token = location.hash.slice(1) || sessionStorage.getItem("token") || "";
let symbol = "";
let seen = null;

function number(value, digits) {
  if (value === 0 || value === null || value === undefined) return "–";
  return value.toLocaleString("en-US", digits === undefined ? { maximumFractionDigits: 2 } :
    { minimumFractionDigits: digits, maximumFractionDigits: digits });
}
const compact = value => value ? value.toLocaleString("en-US", { notation: "compact", maximumFractionDigits: 1 }) : "–";
const price = (value, of) => number(value, of.board === "DERIVATIVES" ? 1 : 0);
const signed = (value, text) => (value > 0 ? "+" : "") + text;

function colour(value, of) {
  if (!value || !of.reference) return "";
  if (of.ceiling && value >= of.ceiling) return "ceiling";
  if (of.floor && value <= of.floor) return "floor";
  return value > of.reference ? "up" : value < of.reference ? "down" : "flat";
}

function element(name, text, className) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
}

function rows(body, found, none) {
  if (!found.length && none) {
    const cell = element("td", none, "none");
    cell.colSpan = 12;
    const row = element("tr");
    row.append(cell);
    found = [row];
  }
  body.replaceChildren(...found);
}

function row(cells) {
  const made = element("tr");
  for (const [text, className] of cells) made.append(element("td", text, className));
  return made;
}

// Asking

async function ask(name, fields = {}) {
  const answer = await fetch("/control/" + name, {
    method: "POST", headers: { "X-Control-Token": token }, body: JSON.stringify(fields),
  });
  const found = await answer.json();
  if (!answer.ok) throw Object.assign(new Error(found.error), { status: answer.status });
  return found;
}

function problem(text) {
  $("problem").textContent = text;
  $("problem").hidden = !text;
}

async function act(name, fields) {
  try {
    await ask(name, fields);
    problem("");
  } catch (error) {
    problem(error.message);
  }
  await look();
}

let looking = false;
let lost = false;
async function look() {
  if (looking || document.hidden) return;
  looking = true;
  try {
    show(await ask("view", { symbol }));
    if (lost) problem("");
    lost = false;
  } catch (error) {
    if (error.status === 403) return locked();
    lost = true;
    problem("The sandbox does not answer: it may have ended.");
  } finally {
    looking = false;
  }
}

function locked() {
  $("key").hidden = false;
  $("main").hidden = true;
  if (token) problem("That is not the token of this sandbox.");
  token = "";
}

// Showing

function show(view) {
  seen = view;
  sessionStorage.setItem("token", token);
  $("key").hidden = true;
  $("main").hidden = false;
  $("time").textContent = view.time;
  $("day").textContent = view.day;
  $("next").textContent = view.next ? `next: ${view.next.kind}, ${view.next.time}` : "the data has ended";
  $("sessions").replaceChildren(...Object.entries(view.sessions).map(([board, session]) => {
    const item = element("li", board, session === "C" ? "" : "open");
    item.append(element("b", session === "C" ? "closed" : session));
    return item;
  }));
  for (const button of $("clock").querySelectorAll("[data-speed]"))
    button.setAttribute("aria-pressed", Number(button.dataset.speed) === view.speed);
  rows($("symbols"), view.symbols.map(line));
  if (view.symbol) showSymbol(view.symbol);
  rows($("list"), view.orders.map(order), "No orders today");
  showAccounts(view.accounts);
  $("streams").textContent = view.streams;
  $("notify").textContent = view.notify_id;
  $("codes").textContent = view.codes.map(one => one.code).join(", ") || "none yet";
  $("waiting").replaceChildren(...view.faults.asked.map(one =>
    element("li", `${one.fault}${one.count > 1 ? " × " + one.count : ""}${one.match ? ", where " + one.match : ""}`)));
  const odds = Object.entries(view.faults.odds).map(([name, chance]) => `${name} ${(chance * 100).toFixed(1)} %`);
  const happened = Object.entries(view.faults.happened).map(([name, count]) => `${name} ${count}`);
  $("happened").textContent = [odds.length && "By chance: " + odds.join(", "),
    happened.length && "Happened: " + happened.join(", ")].filter(Boolean).join(". ");
}

function line(one) {
  const percent = one.last && one.reference ? one.change / one.reference * 100 : 0;
  const made = row([[one.symbol], [price(one.last || one.reference, one), colour(one.last, one)],
    [one.last ? signed(percent, percent.toFixed(2) + " %") : "–", colour(one.last, one)], [compact(one.volume)]]);
  if (one.status === "H") made.cells[0].append(element("small", "halted"));
  made.tabIndex = 0;
  made.dataset.symbol = one.symbol;
  made.setAttribute("aria-selected", one.symbol === seen.symbol?.symbol);
  return made;
}

function showSymbol(one) {
  symbol = one.symbol;
  $("title").textContent = `${one.symbol}  ${price(one.last || one.reference, one)}`;
  $("title").className = colour(one.last, one);
  $("facts").replaceChildren(...[["Reference", one.reference], ["Ceiling", one.ceiling], ["Floor", one.floor],
    ["Open", one.open], ["High", one.high], ["Low", one.low]].flatMap(([name, value]) =>
    [element("dt", name), element("dd", price(value, one), colour(value, one))]));
  const most = Math.max(1, ...one.bids.concat(one.asks).map(level => level[1]));
  const deep = Math.max(one.bids.length, one.asks.length);
  rows($("levels"), Array.from({ length: deep }, (_, n) => level(one, one.bids[n], one.asks[n], most)), "The book is empty");
  $("estimate").textContent = one.estimate ? `An auction now would match at ${price(one.estimate, one)}` : "";
  rows($("trades"), one.trades.map(trade => row([[trade.time], [price(trade.price, one), colour(trade.price, one)],
    [number(trade.quantity), trade.side > 0 ? "up" : trade.side < 0 ? "down" : ""]])), "No trades yet");
  $("place").elements.symbol.textContent = one.symbol;
  $("halt").textContent = one.status === "H" ? `Resume ${one.symbol}` : `Halt ${one.symbol}`;
  draw(one);
}

function level(one, bid, ask, most) {
  const made = element("tr");
  for (const [side, at] of [[bid, 1], [bid, 0], [ask, 0], [ask, 1]]) {
    const cell = element("td");
    if (side) {
      if (at) {
        const bar = element("i");
        bar.style.width = `${Math.max(2, side[1] / most * 100)}%`;
        cell.append(bar);
      }
      cell.append(element("span", at ? number(side[1]) : price(side[0], one), at ? "" : colour(side[0], one)));
    }
    made.append(cell);
  }
  return made;
}

function order(one) {
  const made = row([[one.time], [one.id], [one.symbol], [one.side, one.side === "buy" ? "up" : "down"],
    [one.type + (one.channel === "TA" ? "" : " (by hand)")], [number(one.price)],
    [`${one.filled.toLocaleString("en-US")} / ${one.quantity.toLocaleString("en-US")}`], [number(one.average)],
    [one.reason ? `${one.stage}: ${one.reason}` : one.stage]]);
  if (one.over) made.className = "over";
  const last = element("td");
  if (!one.over) {
    const button = element("button", "cancel");
    button.dataset.order = one.id;
    last.append(button);
  }
  made.append(last);
  return made;
}

function showAccounts(accounts) {
  rows($("cash"), accounts.flatMap(one => Object.entries(one.numbers).map(([kind, name]) =>
    row([[`${name} ${kind}`], [number(one.cash[kind])], [number(one.power[kind])]]))));
  rows($("positions"), accounts.flatMap(one => one.positions.map(held => row([[held.symbol], [number(held.quantity)],
    [number(held.average)], [number(held.profit), held.profit > 0 ? "up" : held.profit < 0 ? "down" : ""]]))), "No positions");
}

function draw(one) {
  const canvas = $("candles"), ratio = devicePixelRatio || 1;
  const width = canvas.clientWidth, height = canvas.clientHeight;
  if (!width) return;
  canvas.width = width * ratio;
  canvas.height = height * ratio;
  const pen = canvas.getContext("2d");
  const style = getComputedStyle(document.documentElement);
  const ink = name => {
    const probe = $("problem").style;
    probe.setProperty("accent-color", `var(${name})`);
    return getComputedStyle($("problem")).accentColor || style.color;
  };
  const colours = { up: ink("--up"), down: ink("--down"), line: ink("--line"), soft: ink("--soft") };
  pen.scale(ratio, ratio);
  pen.font = "11px system-ui";
  const bars = one.candles;
  if (!bars.length) {
    pen.fillStyle = colours.soft;
    pen.fillText("No bars yet today", 4, 20);
    return;
  }
  const right = 56, volume = 42, top = 6, bottom = height - volume - 16;
  const high = Math.max(...bars.map(bar => bar[2])), low = Math.min(...bars.map(bar => bar[3]));
  const pad = (high - low) * .06 || high * .001;
  const y = value => top + (high + pad - value) / (high - low + 2 * pad) * (bottom - top);
  const step = Math.min(12, (width - right) / bars.length), most = Math.max(1, ...bars.map(bar => bar[5]));
  pen.strokeStyle = colours.line;
  pen.fillStyle = colours.soft;
  for (let n = 0; n <= 4; n++) {
    const value = low + (high - low) * n / 4;
    pen.beginPath();
    pen.moveTo(0, Math.round(y(value)) + .5);
    pen.lineTo(width - right, Math.round(y(value)) + .5);
    pen.stroke();
    pen.fillText(price(value, one), width - right + 6, y(value) + 4);
  }
  bars.forEach(([, open, top_, low_, close, traded], n) => {
    const x = (n + .5) * step, wide = Math.max(1, step * .62);
    pen.fillStyle = pen.strokeStyle = close >= open ? colours.up : colours.down;
    pen.beginPath();
    pen.moveTo(x, y(top_));
    pen.lineTo(x, y(low_));
    pen.stroke();
    pen.fillRect(x - wide / 2, Math.min(y(open), y(close)), wide, Math.max(1, Math.abs(y(open) - y(close))));
    pen.globalAlpha = .35;
    pen.fillRect(x - wide / 2, height - 14 - traded / most * volume, wide, traded / most * volume);
    pen.globalAlpha = 1;
  });
  pen.fillStyle = colours.soft;
  const clock = seconds => new Date((seconds + 7 * 3600) * 1000).toISOString().slice(11, 16);
  pen.fillText(clock(bars[0][0]), 0, height - 2);
  const end = clock(bars[bars.length - 1][0]), x = bars.length * step;
  if (x > 90) pen.fillText(end, x - pen.measureText(end).width, height - 2);
}

// Acting

document.addEventListener("click", event => {
  const button = event.target.closest("button");
  const chosen = event.target.closest("#symbols tr");
  if (chosen) {
    symbol = chosen.dataset.symbol;
    look();
  } else if (button?.dataset.speed) act("clock", { speed: Number(button.dataset.speed) });
  else if (button?.dataset.step) act("step", { stops: Number(button.dataset.step) });
  else if (button?.dataset.do) act(button.dataset.do, JSON.parse(button.dataset.with || "{}"));
  else if (button?.dataset.order) act("cancel", { order_id: button.dataset.order });
  else if (button?.id === "halt") act("halt", { symbol, on: seen.symbol.status !== "H" });
});
document.addEventListener("keydown", event => {
  if (event.key === "Enter" && event.target.matches("#symbols tr")) event.target.click();
});
$("place").addEventListener("submit", event => {
  event.preventDefault();
  const form = event.target.elements;
  act("order", { symbol, side: form.side.value, type: form.type.value, quantity: Number(form.quantity.value),
    price: Number(form.price.value) });
});
$("fault").addEventListener("submit", event => {
  event.preventDefault();
  const form = event.target.elements;
  act("fault", { fault: form.fault.value, count: Number(form.count.value), match: form.match.value });
});
$("key").addEventListener("submit", event => {
  event.preventDefault();
  token = event.target.elements.token.value.trim();
  problem("");
  look();
});
if (token) {
  history.replaceState(null, "", location.pathname);
  look();
} else locked();
setInterval(() => token && look(), PACE);
