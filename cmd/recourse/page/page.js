"use strict";
(() => {
const data = JSON.parse(document.getElementById("data").textContent), flows = data.flows.map(f => Object.assign(f.flow, { written: f.amount }));
const against = data.against;
const $ = id => document.getElementById(id);
// What turns the letters after it around is written as its number, as the program does it.
const seen = s => String(s).replace(/\p{Bidi_Control}/gu, c => "\\u{" + c.codePointAt(0).toString(16) + "}");
const apart = s => "\u2068" + seen(s) + "\u2069"; // a name within a line, which it must not reorder
const make = (tag, text, props) => { const e = document.createElement(tag); if (text !== undefined) e.textContent = seen(text); return Object.assign(e, props); };
const words = s => s.replaceAll("_", " ");
const own = o => Object.assign(Object.create(null), o); // an answer may be called constructor
const phrases = own({ open: "still open", off_record: "off the record" });
const phrase = s => phrases[s] || words(seen(s));
const count = n => n.toLocaleString("en-US");
const titles = { recorded: "As recorded", simulated: "With these rules", against: "With the other rules" };
const sides = against ? ["recorded", "simulated", "against"] : ["recorded", "simulated"];
const print = matchMedia("print"), dark = matchMedia("(prefers-color-scheme: dark)"), small = matchMedia("(max-width: 40rem)");

// Amounts are in minor units; how many decimals a currency has is read off the page, which the program wrote.
const decimals = own({});
for (const e of document.querySelectorAll('[data-unit^="minor "]')) {
  const dot = e.textContent.indexOf(".");
  decimals[e.dataset.unit.slice(6)] = dot < 0 ? 0 : e.textContent.length - dot - 1;
}
const span = ms => {
  const s = ms / 1000;
  if (s >= 3600) return Math.floor(s / 3600) + "h" + Math.round(s % 3600 / 60) + "m";
  if (s >= 60) return Math.floor(s / 60) + "m" + Math.round(s % 60) + "s";
  return s >= 1 ? s.toFixed(1) + "s" : ms + "ms";
};

// Charts. Each has its table beneath it; the colours follow the page, on paper too.
const colour = name => getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();
const ends = own({ succeeded: "#2f9e6b", failed: "#7b8794", escalated: "#d99a1c", open: "#8aa4c8", off_record: "#a9a9a9" });
const endColour = end => ends[end] || "#d1383d";
const charts = [];
function chart(id, option, table) {
  const at = $(id);
  if (!at) return () => {};
  let drawn = null;
  const draw = () => {
    if (drawn) drawn.dispose();
    at.textContent = "";
    const o = option();
    if (!o) { at.textContent = "Nothing to show."; return; }
    drawn = echarts.init(at, null, { renderer: "svg" });
    o.animation = false;
    o.backgroundColor = "transparent";
    o.textStyle = { fontFamily: getComputedStyle(document.body).fontFamily, color: colour("fg") };
    o.tooltip = Object.assign({ renderMode: "richText", confine: true, backgroundColor: colour("card"), borderColor: colour("line"), textStyle: { color: colour("fg") } }, o.tooltip);
    drawn.setOption(o);
    at.querySelector("svg")?.setAttribute("aria-hidden", "true");
  };
  draw();
  charts.push({ draw, resize: () => drawn && drawn.resize() });
  return draw;
}
let wide = innerWidth;
addEventListener("resize", () => { if (innerWidth !== wide) { wide = innerWidth; charts.forEach(c => c.draw()); } });
for (const m of [dark, print, small]) m.addEventListener("change", () => charts.forEach(c => c.draw()));
const narrow = () => small.matches && !print.matches;
const axis = more => Object.assign({ axisLine: { lineStyle: { color: colour("soft") } }, axisLabel: { color: colour("fg"), hideOverlap: true }, splitLine: { lineStyle: { color: colour("line") } } }, more);
// Three names need two lines on a phone.
const below = () => narrow() && against ? 64 : 36;
const legend = () => ({ top: 0, left: 0, itemGap: 22, data: sides.map(s => titles[s]), textStyle: { color: colour("fg") } });

// From the first answer to the end.
for (const p of [...new Set(data.ways.map(w => w.provider))].sort()) $("ways-provider").append(make("option", p, { value: p }));
const mostAnswers = 12;
function ways() {
  const side = $("ways-side").value, provider = $("ways-provider").value, direct = $("ways-direct").checked;
  let all = data.ways.filter(w => w.column === side && (!provider || w.provider === provider));
  const of = all.reduce((n, w) => n + w.count, 0);
  if (direct) all = all.filter(w => !(w.action.startsWith("mark_") && (w.end === "succeeded" || w.end === "failed")));
  const shown = all.reduce((n, w) => n + w.count, 0);
  $("chart-ways-says").textContent = titles[side] + ": " + count(shown) + " of " + count(of) + " flows" + (direct ? "; the others ended right at their first answer." : ".");
  const name = w => provider ? w.answer : w.provider + " " + w.answer, sums = new Map();
  for (const w of all) sums.set(name(w), (sums.get(name(w)) || 0) + w.count);
  const top = new Set([...sums].sort((a, b) => b[1] - a[1]).slice(0, narrow() ? 7 : mostAnswers).map(x => x[0]));
  const nodes = new Map(), links = new Map();
  const node = (kind, text, c) => { const id = kind + text; if (!nodes.has(id)) nodes.set(id, { name: id, label: { formatter: () => phrase(text) }, itemStyle: { color: c }, depth: "AXE".indexOf(kind) }); return id; };
  const link = (a, b, n) => links.set(a + "\n" + b, { source: a, target: b, value: (links.get(a + "\n" + b)?.value || 0) + n });
  for (const w of all) {
    const a = node("A", top.has(name(w)) ? name(w) : "other answers", colour("soft"));
    const x = node("X", w.action, colour(side)), e = node("E", w.end, endColour(w.end));
    link(a, x, w.count);
    link(x, e, w.count);
  }
  if (!nodes.size) return null;
  return {
    tooltip: { formatter: p => p.dataType === "edge" ? words(seen(p.data.source.slice(1))) + " → " + words(seen(p.data.target.slice(1))) + ": " + count(p.value) : words(seen(p.name.slice(1))) + ": " + count(p.value) },
    series: [{
      type: "sankey", data: [...nodes.values()], links: [...links.values()], left: 4, right: narrow() ? 90 : 130, top: 8, bottom: 8, nodeWidth: 12, nodeGap: narrow() ? 8 : 11,
      draggable: false, emphasis: { focus: "adjacency" }, lineStyle: { color: "gradient", opacity: 0.35 },
      label: { color: colour("fg"), fontSize: narrow() ? 10 : 12, width: narrow() ? 88 : 200, overflow: "truncate" },
    }],
  };
}
const drawWays = chart("chart-ways", ways);
for (const id of ["ways-side", "ways-provider", "ways-direct"]) $(id).addEventListener("change", drawWays);

// Calls and ends over time.
function time() {
  const what = $("time-what").value, of = p => what === "calls" ? p.sends + p.queries : p[what];
  const sums = sides.map(s => data.timeline.reduce((n, p) => n + of(p[s]), 0));
  $("chart-time-says").textContent = sides.map((s, i) => titles[s] + " " + count(sums[i])).join("; ") + ".";
  return {
    color: sides.map(colour), legend: legend(), tooltip: { trigger: "axis" }, grid: { left: 56, right: 16, top: below(), bottom: 64 },
    xAxis: axis({ type: "time", splitLine: { show: false }, axisLabel: { color: colour("fg"), hideOverlap: true, formatter: { year: "{yyyy}", month: "{d} {MMM}", day: "{d} {MMM}", hour: "{HH}:{mm}", minute: "{HH}:{mm}" } } }), yAxis: axis({ type: "value", minInterval: 1 }), useUTC: true,
    dataZoom: print.matches ? [] : [{ type: "slider", height: 18, bottom: 8, brushSelect: false, textStyle: { color: colour("fg") } }],
    series: sides.map((s, i) => ({
      name: titles[s], type: "line", step: "end", showSymbol: false, lineStyle: { width: 2, type: ["solid", "solid", "dashed"][i] },
      areaStyle: i === 1 ? { opacity: 0.12 } : undefined, data: data.timeline.map(p => [p.at, of(p[s])]),
    })),
  };
}
const drawTime = chart("chart-time", time);
$("time-what").addEventListener("change", drawTime);

// Calls around each outage, whose own time is shaded.
(data.outages || []).forEach((o, i) => {
  const ways = { without: "No outage", lost: "None arrived", arrived: "All arrived" }, keys = Object.keys(ways);
  const most = k => Math.max(0, ...o.timeline.points.map(p => p[k]));
  $("chart-outage-" + i + "-says").textContent = "Most calls in a step: " + keys.map(k => ways[k] + " " + count(most(k))).join("; ") + ".";
  chart("chart-outage-" + i, () => ({
    color: ["recorded", "simulated", "against"].map(colour), tooltip: { trigger: "axis" }, grid: { left: 56, right: 16, top: narrow() ? 64 : 36, bottom: 40 },
    legend: { top: 0, left: 0, itemGap: 22, data: keys.map(k => ways[k]), textStyle: { color: colour("fg") } },
    xAxis: axis({ type: "time", splitLine: { show: false }, axisLabel: { color: colour("fg"), hideOverlap: true, formatter: { day: "{d} {MMM}", hour: "{HH}:{mm}", minute: "{HH}:{mm}" } } }), yAxis: axis({ type: "value", minInterval: 1 }), useUTC: true,
    series: keys.map((k, n) => ({
      name: ways[k], type: "line", step: "end", showSymbol: false, lineStyle: { width: 2, type: ["solid", "solid", "dashed"][n] }, data: o.timeline.points.map(p => [p.at, p[k]]),
      markArea: n ? undefined : { silent: true, itemStyle: { color: colour("soft"), opacity: 0.18 }, data: o.windows.map(w => [{ xAxis: w.from }, { xAxis: w.to }]) },
    })),
  }));
});

// Time to the end.
function spans() {
  const all = data.spans, names = [...document.querySelectorAll("#spans-table tbody th")].map(e => e.textContent);
  return {
    color: sides.map(colour), legend: legend(), tooltip: { trigger: "axis", axisPointer: { type: "shadow" } }, grid: { left: 56, right: 16, top: below(), bottom: narrow() ? 96 : 84 },
    xAxis: axis({ type: "category", data: names, axisLabel: { color: colour("fg"), rotate: 40, interval: 0, fontSize: narrow() ? 9 : 11 } }), yAxis: axis({ type: "value", minInterval: 1 }),
    series: sides.map(s => ({ name: titles[s], type: "bar", data: all.map(x => x[s] || 0) })),
  };
}
chart("chart-spans", spans);

// Money at risk by code, a currency at a time.
const risks = new Map();
for (const c of data.risk || []) for (const m of c.money) risks.set(m.currency, (risks.get(m.currency) || 0) + 1);
for (const [c] of [...risks].sort((a, b) => b[1] - a[1])) $("risk-currency").append(make("option", c || "(none)", { value: c }));
function risk() {
  const currency = $("risk-currency").value;
  const all = (data.risk || []).map(c => { const m = c.money.find(m => m.currency === currency); return { name: seen(c.name), n: m?.amount || 0, written: m?.written }; })
    .filter(c => c.n > 0).sort((a, b) => b.n - a.n);
  if (!all.length) { $("chart-risk-says").textContent = ""; return null; }
  const top = all.slice(0, 12).reverse();
  $("chart-risk-says").textContent = "In " + currency + ", the " + count(top.length) + " largest of " + count(all.length) + " answers.";
  return {
    color: [colour("recorded")], tooltip: { formatter: p => p.name + ": " + top[p.dataIndex].written + " " + currency }, grid: { left: 8, right: 24, top: 8, bottom: 28, containLabel: true },
    xAxis: axis({ type: "value", splitNumber: narrow() ? 2 : 5, axisLabel: { color: colour("fg"), hideOverlap: true, formatter: n => (n / 10 ** (decimals[currency] ?? 2)).toLocaleString("en-US", { notation: "compact" }) } }),
    yAxis: axis({ type: "category", data: top.map(c => c.name), axisLabel: { color: colour("fg"), width: narrow() ? 140 : 320, overflow: "truncate", fontSize: narrow() ? 10 : 12 } }),
    series: [{ type: "bar", data: top.map(c => c.n), barMaxWidth: 18 }],
  };
}
const drawRisk = chart("chart-risk", risk);
$("risk-currency").addEventListener("change", drawRisk);

// Tables that can be sorted.
function sortable(head, sort) {
  [...head.cells].forEach((th, i) => {
    if (!th.textContent) return;
    const button = make("button", th.textContent, { type: "button", className: "sort" });
    th.textContent = "";
    th.append(button);
    button.addEventListener("click", () => {
      const up = th.getAttribute("aria-sort") === "descending" || th.getAttribute("aria-sort") === null && !th.classList.contains("n");
      for (const o of head.cells) o.removeAttribute("aria-sort");
      th.setAttribute("aria-sort", up ? "ascending" : "descending");
      sort(i, up ? 1 : -1);
    });
  });
}
// Numbers beyond 2^53 are compared whole.
const collate = new Intl.Collator("en").compare;
const inOrder = (a, b) => typeof a === "string" || typeof b === "string" ? collate(String(a), String(b)) : a < b ? -1 : Number(a > b);
for (const t of document.querySelectorAll("section table")) {
  const body = t.tBodies[0], row = body.rows[0];
  if (row) [...row.cells].forEach((c, i) => { if (c.classList.contains("n")) t.tHead.rows[0].cells[i]?.classList.add("n"); });
  if (!t.classList.contains("sortable")) continue;
  const value = cell => { const n = cell.querySelector("[data-raw]"); return n ? BigInt(n.dataset.raw) : cell.classList.contains("n") ? -1n : cell.textContent; };
  sortable(t.tHead.rows[0], (i, by) => body.append(...[...body.rows].sort((a, b) => by * inOrder(value(a.cells[i]), value(b.cells[i])))));
}

// The list of flows.
const fields = [
  ["Flow", f => f.flow], ["Start (UTC)", f => f.at.replace("T", " ").slice(0, 19)], ["Provider", f => f.provider], ["Merchant", f => f.merchant], ["Operation", f => f.operation],
  ["Amount", f => f.amount, f => f.written], ["First answer", f => f.first_answer],
  ["As recorded", f => phrase(f.recorded.harm || f.recorded.end)], ["With these rules", f => phrase(f.simulated.harm || f.simulated.end)],
];
if (against) fields.push(["With the other rules", f => phrase(f.against?.harm || f.against?.end || "")], ["Change", f => words(f.change || "")]);
const plain = { "%25": "%", "%0d": "\r", "%0a": "\n", "%00": "\0" };
for (const e of document.querySelectorAll("[data-behind]")) e.dataset.behind = e.dataset.behind.replace(/%(25|0d|0a|00)/g, c => plain[c]);
const numbers = new Map(data.numbers.map(n => [n.name, n]));
const names = own(data.names);
const title = name => names[name] || words(name.replace(".", ": "));
const choose = $("flows-behind");
choose.append(make("option", "all that are shown", { value: "" }));
for (const n of data.numbers) choose.append(make("option", title(n.name) + " (" + count(n.count) + ")", { value: n.name }));
const table = $("flows-table"), page = 50;
let limit = page, order = [1, 1];
for (const [name] of fields) table.tHead.rows[0].append(make("th", name, { scope: "col", className: name === "Amount" ? "n" : "" }));
sortable(table.tHead.rows[0], (i, by) => { order = [i, by]; list(); });
const texts = flows.map(f => [f.flow, f.payment_key, f.departure || "", f.week, ...fields.map(x => (x[2] || x[1])(f))].join(" ").toLowerCase());
function list() {
  const n = numbers.get(choose.value), wanted = $("flows-search").value.toLowerCase().split(/\s+/).filter(Boolean);
  const found = (n ? n.flows : flows.map((_, i) => i)).filter(i => wanted.every(w => texts[i].includes(w)));
  const [by, up] = order, value = fields[by][1];
  found.sort((a, b) => up * inOrder(value(flows[a]), value(flows[b])) || a - b);
  table.tBodies[0].replaceChildren(...found.slice(0, limit).map(i => {
    const row = make("tr");
    fields.forEach((f, k) => {
      const text = (f[2] || f[1])(flows[i]), cell = make(k ? "td" : "th", k ? text : undefined);
      if (!k) {
        cell.scope = "row";
        const b = make("button", text, { type: "button", className: "flow" });
        b.addEventListener("click", () => story(data.flows[i]));
        cell.append(b);
      }
      if (f[0] === "Amount") cell.className = "n";
      row.append(cell);
    });
    return row;
  }));
  $("flows-more").hidden = found.length <= limit;
  $("flows-says").textContent = "Showing " + count(Math.min(limit, found.length)) + " of " + count(found.length) + (wanted.length ? " that match" : "") + " here" +
    (n ? "; " + count(n.count) + " flows stand behind the number. recourse simulate --list '" + seen(n.name).replaceAll("'", "'\\''") + "' lists all." : ".");
}
choose.addEventListener("change", () => { limit = page; list(); });
$("flows-search").addEventListener("input", () => { limit = page; list(); });
$("flows-more").addEventListener("click", () => { limit += 200; list(); });
document.addEventListener("click", e => {
  const b = e.target.closest("[data-behind]");
  if (!b) return;
  choose.value = b.dataset.behind;
  $("flows-search").value = "";
  limit = page;
  list();
  $("flows").scrollIntoView();
  $("h-flows").focus({ preventScroll: true });
});
list();

// The story of one flow.
function story(one) {
  const f = one.flow;
  $("story-title").textContent = "Flow " + apart(f.flow) + ": " + f.provider + " " + f.operation + ", " + f.written + (f.merchant ? ", merchant " + apart(f.merchant) : "");
  const body = make("div", undefined, { className: "sides" });
  for (const side of sides) {
    const steps = one[side] || [], part = make("div", undefined, { className: side }), ol = make("ol");
    part.append(make("h3", titles[side]));
    let start = null;
    for (const [at, text, rule] of steps) {
      const li = make("li"), when = new Date(at).toISOString();
      if (at) {
        start ??= at;
        li.append(make("time", "+" + span(at - start), { dateTime: when, title: when }));
      }
      li.append(make("span", data.texts[text]));
      if (rule >= 0) li.append(make("span", "rule " + data.rules[rule][0] + " (" + data.rules[rule][1] + "): " + data.rules[rule][2], { className: "rule" }));
      ol.append(li);
    }
    part.append(steps.length ? ol : make("p", "Nothing happens."));
    body.append(part);
  }
  $("story-body").replaceChildren(body);
  $("story").showModal();
  $("story-title").focus();
}
$("story-close").addEventListener("click", () => $("story").close());
$("story").addEventListener("click", e => { if (e.target === $("story")) $("story").close(); });
})();
