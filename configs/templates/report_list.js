// SPDX-License-Identifier: Apache-2.0
// The list with its filters, and what is told of the suspect that was chosen.
const rows = $("rows"), space = $("space");
const verdict = s => {
  const f = word("verdicts", s.verdict);
  if (s.confirmed) f.append(both("：", ": "), s.confirmed);
  return f;
};
const phone = matchMedia("(max-width: 900px)");
const line = (s, i) => {
  const e = make("div", { class: "row " + s.tier, role: "option", "aria-selected": String(s === state.chosen), id: "row-" + i },
    make("div", {}, make("span", { class: "area" }, size(s.area)), s.rank + "　" + s.id + "　", verdict(s)),
    make("div", { class: "sub" }, [s.countyName, s.project || s.owner].filter(Boolean).join(" · ") || unknown()));
  if (s.late) e.lastChild.prepend(make("span", { class: "late" }, both("逾期 ", "overdue ")));
  e.style.top = i * ROW + "px";
  e.addEventListener("click", () => choose(s, true, phone.matches));
  return e;
};
const fill = () => {
  const first = Math.max(0, Math.floor(rows.scrollTop / ROW) - 4);
  const last = Math.min(state.shown.length, first + Math.ceil(rows.clientHeight / ROW) + 9);
  space.replaceChildren(...state.shown.slice(first, last).map((s, i) => line(s, first + i)));
};
rows.addEventListener("scroll", fill, { passive: true });
rows.addEventListener("keydown", e => {
  const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 5, PageUp: -5 }[e.key];
  if (!step || !state.shown.length) return;
  e.preventDefault();
  const at = Math.min(state.shown.length - 1, Math.max(0, state.shown.indexOf(state.chosen) + step));
  choose(state.shown[at], true);
});
const close = () => {
  $("detail").hidden = true;
  state.chosen = null;
  fill();
  outlines.draw();
  rows.focus({ preventScroll: true });
};
document.addEventListener("keydown", e => { if (e.key === "Escape" && !$("detail").hidden) close(); });
// `go`: the map goes there; `enter`: so does the focus, because who chose it did not choose it in the list.
const choose = (s, go, enter) => {
  state.chosen = s;
  const at = state.shown.indexOf(s);
  if (at >= 0 && (at * ROW < rows.scrollTop || (at + 1) * ROW > rows.scrollTop + rows.clientHeight)) rows.scrollTop = at * ROW - 60;
  fill();
  rows.setAttribute("aria-activedescendant", "row-" + at);
  const d = $("detail"), dl = make("dl");
  const fact = (zh, en, value) => { if (value) dl.append(make("dt", {}, both(zh, en)), make("dd", {}, value)); };
  fact("判定", "verdict", verdict(s));
  const tier = word("tiers", s.tier), reason = translated(data.whys[s.reason]);
  if (reason) tier.append(both("（", " ("), reason, both("）", ")"));
  fact("等级", "tier", tier);
  fact("严重度", "severity", String(s.severity));
  fact("置信度", "confidence", s.confidence.toFixed(2));
  fact("办理状态", "state", translated(data.states[s.state]));
  if (s.due) fact("办理期限", "due", s.late ? make("span", { class: "late" }, s.due, both("（已逾期）", " (overdue)")) : s.due);
  fact("面积", "area", size(s.area));
  if (s.verdict === "exceeds") fact("超出", "beyond", size(s.outside));
  fact("发生区间", "onset between", s.from || s.to ? days(s.from, s.to) : "");
  fact("依据", "why", translated(data.whys[s.why]));
  fact("项目", "project", s.project);
  fact("建设单位", "owner", s.owner);
  fact("行业", "industry", translated(s.industryName));
  fact("县区", "county", s.countyName);
  fact("位置", "position", s.lat.toFixed(6) + "°N " + s.lon.toFixed(6) + "°E");
  const links = make("p", { class: "links" });
  if (s.page) {
    const href = s.page.split("/").map(encodeURIComponent).join("/");
    links.append(make("a", { href, target: "_blank", rel: "noopener" }, both("证据页", "evidence page")));
  }
  const zoom = make("button", { type: "button" }, both("放大到图斑", "zoom to it"));
  zoom.addEventListener("click", () => show(s));
  links.append(zoom);
  const shut = make("button", { type: "button", class: "close", "aria-label": "Close / 关闭" }, "×");
  shut.addEventListener("click", close);
  d.replaceChildren(shut, make("h3", {}, s.id), dl, links);
  // A page alone cannot know whether a file lies beside it.
  if (s.page) d.append(make("p", { class: "note" }, both("证据页在本报告所在的导出文件夹中：", "the page lies in the export folder, beside this report: "), s.page));
  d.hidden = false;
  if (go) show(s); else outlines.draw();
  const middle = map.latLngToContainerPoint([(s.box[1] + s.box[3]) / 2, (s.box[0] + s.box[2]) / 2]);
  d.classList.toggle("left", middle.x > map.getSize().x - 370);
  d.scrollTop = 0;
  if (!phone.matches) d.scrollIntoView({ block: "nearest" });
  if (enter) d.focus({ preventScroll: true });
};
const show = s => {
  const w = Math.max(400, (s.box[2] - s.box[0]) * 0.8), h = Math.max(400, (s.box[3] - s.box[1]) * 0.8);
  // Beside what lies over the map.
  map.fitBounds([[s.box[1] - h, s.box[0] - w], [s.box[3] + h, s.box[2] + w]],
    { animate: false, paddingBottomRight: [phone.matches ? 0 : Math.min(350, map.getSize().x / 2), 0] });
  outlines.draw();
};

// ---- filters ---------------------------------------------------------------------------------------------
const apply = () => {
  const words = state.search.toLowerCase().split(/\s+/).filter(Boolean);
  state.shown = suspects.filter(s => (!state.tiers.size || state.tiers.has(s.tier)) &&
    (!state.verdicts.size || state.verdicts.has(s.verdict)) &&
    (state.county === "" || s.county === Number(state.county)) && words.every(w => s.text.includes(w)));
  const area = state.shown.reduce((sum, s) => sum + s.area, 0);
  $("found").replaceChildren(both(`${state.shown.length} 个疑似图斑，${hectares(area)} hm²`, `${state.shown.length} suspects, ${hectares(area)} ha`));
  space.style.height = state.shown.length * ROW + "px";
  rows.scrollTop = 0;
  fill();
  outlines.draw();
};
const chips = (box, set, section, codes) => {
  for (const [code, n] of codes) {
    const input = make("input", { type: "checkbox", value: code });
    input.addEventListener("change", () => { if (input.checked) set.add(code); else set.delete(code); apply(); });
    $(box).append(make("label", { class: "chip" }, input, word(section, code), " " + n));
  }
};
const tally = key => {
  const counts = new Map();
  for (const s of suspects) counts.set(s[key], (counts.get(s[key]) || 0) + 1);
  return counts;
};
const ordered = (section, counts) => [...new Set([...Object.keys(data.words[section]), ...counts.keys()])]
  .filter(c => counts.has(c)).map(c => [c, counts.get(c)]);
chips("tiers", state.tiers, "tiers", ordered("tiers", tally("tier")));
chips("verdicts", state.verdicts, "verdicts", ordered("verdicts", tally("verdict")));
const all = make("option", { value: "" });
const counties = tally("county");
$("county").append(all);
data.counties.map((name, i) => [name, i]).sort((a, b) => counties.get(b[1]) - counties.get(a[1]))
  .forEach(([name, i]) => $("county").append(make("option", { value: i }, `${name || "—"} (${counties.get(i)})`)));
$("county").addEventListener("change", e => { state.county = e.target.value; apply(); });
$("search").addEventListener("input", e => { state.search = e.target.value; apply(); });
$("filters").addEventListener("submit", e => e.preventDefault());
