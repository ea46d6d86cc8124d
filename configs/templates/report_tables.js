// SPDX-License-Identifier: Apache-2.0
// Totals, charts, tables, the language and the page on paper.
const card = (kind, value, zh, en) => $("totals").append(make("div", { class: "card " + kind }, make("b", {}, value), make("small", {}, both(zh, en))));
const t = data.totals, count = (list, code) => (list.find(r => r[0] === code) || [0, 0])[1];
for (const [code, zh, en] of [["high", "高：限期复核", "high: check first"], ["medium", "中：现场复核", "medium: field check"], ["low", "低：预提醒", "low: reminder"]])
  card(code, String(suspects.filter(s => s.tier === code).length), zh, en);
card("", hectares(t.suspect_area), "疑似面积 hm²", "suspect area, ha");
if (t.overdue) card("", String(t.overdue), "逾期未办", "overdue");
card("", String(t.disturbances), "扰动图斑总数", "disturbances in all");
card("", String(count(data.tables.verdicts, "compliant")), "其中合规", "of them compliant");
if (t.unobserved !== undefined) card("", hectares(t.unobserved), "未观测面积 hm²", "not observed, ha");
if (t.smallest !== undefined) card("", hectares(t.smallest), "可发现的最小工地 hm²", "smallest site that would show, ha");
if (t.share_with_range !== undefined) card("", Math.round(t.share_with_range * 100) + " %", "已批项目有范围的比例", "approved projects with a range");

const svg = (tag, attributes) => {
  const e = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [k, v] of Object.entries(attributes)) e.setAttribute(k, v);
  return e;
};
const chart = (zh, en, list, name, colour, note) => {
  if (!list.length) return;
  const most = Math.max(...list.map(r => r[1]), 1);
  const body = make("tbody");
  const late = list.some(r => r[3]);
  for (const [key, n, area, overdue] of list) {
    const bar = svg("svg", { viewBox: "0 0 100 14", preserveAspectRatio: "none", "aria-hidden": "true" });
    bar.append(svg("rect", { width: Math.max(0.8, n / most * 100), height: 14, rx: 1, fill: colour(key) }));
    body.append(make("tr", {}, make("th", { scope: "row" }, name(key)), make("td", { class: "bar" }, bar),
      make("td", { class: "n" }, String(n)), ...(late ? [make("td", { class: overdue ? "n late" : "n" }, String(overdue))] : []), make("td", { class: "n" }, hectares(area))));
  }
  const head = make("thead", {}, make("tr", {}, make("th", {}, both(note[0], note[1])), make("th"), make("th", { class: "n" }, both("个数", "count")), ...(late ? [make("th", { class: "n" }, both("逾期", "overdue"))] : []), make("th", { class: "n" }, both("hm²", "ha"))));
  $("charts").append(make("div", {}, make("h2", {}, both(zh, en)), make("div", { class: "scroll" }, make("table", {}, head, body))));
};
const industry = key => (key ? translated(data.industries.find(i => i[0] === key) || [key, ""]) : unknown());
const plain = key => (key ? key : unknown()), blue = () => "#3b78b8";
chart("按等级", "By tier", data.tables.tiers, c => word("tiers", c), c => COLOURS[c] || COLOURS.none, ["全部扰动图斑", "all disturbances"]);
chart("按判定", "By verdict", data.tables.verdicts, c => word("verdicts", c), c => (c === "compliant" ? "#5a9a63" : "#3b78b8"), ["全部扰动图斑", "all disturbances"]);
chart("按县区", "By county", data.tables.counties, plain, blue, ["疑似图斑", "suspects"]);
chart("按行业", "By industry", data.tables.industries, industry, blue, ["疑似图斑", "suspects"]);

const section = (id, zh, en, ...children) => $(id).append(make("div", {}, make("h2", {}, both(zh, en)), ...children));
const table = (heads, lines) => make("div", { class: "wide" }, make("table", {}, make("thead", {}, make("tr", {}, ...heads.map((h, i) => make("th", i ? { class: "n" } : {}, h)))),
  make("tbody", {}, ...lines.map(cells => make("tr", {}, ...cells.map((c, i) => make("td", i ? { class: "n" } : {}, c)))))));
if (t.previous) {
  const codes = [...new Set([...Object.keys(data.words.verdicts), ...data.tables.previous.map(r => r[0])])];
  const lines = [];
  for (const code of codes) {
    const now = data.tables.verdicts.find(r => r[0] === code) || [code, 0, 0], then = data.tables.previous.find(r => r[0] === code) || [code, 0, 0];
    if (now[1] || then[1])
      lines.push([word("verdicts", code), String(then[1]), String(now[1]), (now[1] > then[1] ? "+" : "") + (now[1] - then[1]), hectares(then[2]), hectares(now[2])]);
  }
  const fates = data.tables.changes.map(([code, n, listed, before, now]) =>
    [word("changes", code), String(n), String(listed), (now > before ? "+" : "") + hectares(now - before), hectares(before), hectares(now)]);
  const parts = [];
  if (fates.length) {
    parts.push(make("h3", {}, both("图斑的变化", "What became of the cases")),
      table([both("变化", "change"), both("个数", "cases"), both("其中疑似", "of them suspects"), both("增减 hm²", "change, ha"), both(t.previous + " hm²", t.previous + " ha"), both(data.batch + " hm²", data.batch + " ha")], fates));
    if (data.tables.changes.some(r => r[0] === "unseen"))
      parts.push(make("p", { class: "note" }, both("本期未显示不等于已恢复：可能没有可用影像，或两期影像之间没有变化。", "Not shown does not mean restored: there may be no usable image, or no change between its images.")));
  }
  parts.push(make("h3", {}, both("判定", "Verdicts")),
    table([both("判定", "verdict"), t.previous, data.batch, both("增减", "change"), both(t.previous + " hm²", t.previous + " ha"), both(data.batch + " hm²", data.batch + " ha")], lines));
  section("comparison", `与上期（${t.previous}）比较`, `Compared with the last batch (${t.previous})`, ...parts);
} else section("comparison", "与上期比较", "Compared with the last batch", make("p", {}, both("存储中没有更早的期次。", "The store holds no earlier batch.")));
if (data.hits.all) {
  const rate = r => Math.round(r[2] / r[1] * 100) + " %";
  const cells = (name, r) => [name, String(r[1]), String(r[2]), String(r[3]), String(r[4]), rate(r)];
  const heads = (zh, en) => [both(zh, en), both("已复核", "checked"), both("认定违法违规", "confirmed"), both("合规", "lawful"), both("非扰动", "no works"), both("命中率", "hit rate")];
  const tierOf = name => Object.keys(data.words.tiers).find(c => data.words.tiers[c][0] === name);
  const parts = [make("p", {}, both(`截至目前本库全部期次已复核 ${data.hits.all[1]} 个，命中率 ${rate(data.hits.all)}。`, `Of all batches in the store ${data.hits.all[1]} were checked; hit rate ${rate(data.hits.all)}.`))];
  const groups = [];
  for (const [key, zh, en] of [["tier", "等级", "tier"], ["county", "县区", "county"], ["industry", "行业", "industry"]])
    if (data.hits[key])
      groups.push(table(heads(zh, en), data.hits[key].map(r => cells(key === "tier" && tierOf(r[0]) ? word("tiers", tierOf(r[0])) : (key === "industry" ? industry : plain)(r[0]), r))));
  section("hits", "现场复核命中率", "Hit rates of the field checks", ...parts, ...groups);
} else section("hits", "现场复核命中率", "Hit rates of the field checks", make("p", {}, both("尚无复核结果。", "No field results yet.")));
if (data.problems.length) {
  const list = table([both("环节", "stage"), both("对象", "what"), both("问题", "problem")], data.problems.map(p => [both(p[0], p[1]), p[2], both(p[3], p[4])]));
  for (const cell of list.querySelectorAll(".n")) cell.className = "";
  section("problems", `本次运行的问题（${data.problems.length}）`, `Problems of the run (${data.problems.length})`, make("div", { class: "scroll" }, list),
    make("p", { class: "note" }, both("详情见 run.json。", "Details: run.json.")));
} else section("problems", "本次运行的问题", "Problems of the run", make("p", {}, both("没有。", "None.")));
section("provenance", "数据与程序", "Where it comes from",
  make("p", {}, both(`影像 ${data.looks.length} 期：`, `${data.looks.length} images: `), data.looks.join("，")),
  make("p", {}, both("防治责任范围图层：", "approved ranges: "), data.approvals || both("无", "none"), both("；规则集：", "; rule set: "), data.rule_set || "—"),
  make("p", {}, both("坐标系 ", "CRS "), data.crs, both("；面积按 CGCS2000 椭球。", "; areas on the CGCS2000 ellipsoid.")),
  make("p", {}, both("程序 ", "program "), "shuibao " + data.program, both("；输入、设置与版本见 run.json。", "; inputs, settings and versions: run.json.")));
if (data.looks.length) {
  const day = key => key.replace(/^(\d{4})(\d\d)(\d\d).*/, "$1-$2-$3");
  $("period").append(both("影像 ", "images "), days(day(data.looks[0]), day(data.looks[data.looks.length - 1])));
}

// ---- language, print -------------------------------------------------------------------------------------
const speak = lang => {
  document.documentElement.dataset.lang = lang;
  document.documentElement.lang = lang === "zh" ? "zh-CN" : "en";
  document.title = TITLES[lang] + data.batch;
  all.textContent = lang === "zh" ? `全部 (${suspects.length})` : `all (${suspects.length})`;
};
$("language").addEventListener("click", () => speak(document.documentElement.dataset.lang === "zh" ? "en" : "zh"));
window.addEventListener("beforeprint", () => {
  // On paper one picture with its date: nobody can move the line. Screens get theirs back.
  swipe.dataset.at = swipe.value;
  // As it is drawn, only smaller: paper is 690 px wide.
  const { x, y } = map.getSize(), paper = document.documentElement.style;
  paper.setProperty("--map-width", x + "px");
  paper.setProperty("--map-height", y + "px");
  paper.setProperty("--map-zoom", x ? Math.min(1.8, 690 / x) : 1);
  if (swipes) swipe.value = 0;
  clipNow();
  const most = 200, lines = state.shown.slice(0, most).map(s => make("tr", {}, ...[String(s.rank), s.id, word("tiers", s.tier), verdict(s),
    s.countyName, s.project || s.owner, hectares(s.area), days(s.from, s.to), s.due].map(c => make("td", {}, c))));
  const n = state.shown.length;
  $("printed-note").replaceChildren(n > most ? both(`只印前 ${most} 个，共 ${n} 个；全部见台账（XLSX）。`, `The first ${most} of ${n} in rank; all are in the ledger (XLSX).`) : "");
  $("printed").replaceChildren(make("thead", {}, make("tr", {}, ...[["序号", "rank"], ["编号", "case"], ["等级", "tier"], ["判定", "verdict"], ["县区", "county"],
    ["项目", "project"], ["hm²", "ha"], ["发生区间", "onset"], ["期限", "due"]].map(h => make("th", {}, both(h[0], h[1]))))), make("tbody", {}, ...lines));
});
window.addEventListener("afterprint", () => { swipe.value = swipe.dataset.at; clipNow(); });
speak("zh");
apply();
