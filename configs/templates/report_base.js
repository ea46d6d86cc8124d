// SPDX-License-Identifier: Apache-2.0
// What all parts of the report share: the data, elements, words. The parts are put one behind the other into one
// function (report.html), so what one declares the later ones know. Texts of the data only ever become text nodes.
const data = JSON.parse(document.getElementById("data").textContent);
const $ = id => document.getElementById(id);
const names = ["id", "rank", "tier", "verdict", "county", "industry", "area", "outside", "from", "to",
  "confidence", "severity", "project", "owner", "why", "lon", "lat", "page", "rings", "state", "due", "reason", "confirmed"];
const style = getComputedStyle(document.documentElement);
const COLOURS = Object.fromEntries(["high", "medium", "low", "none"].map(tier => [tier, style.getPropertyValue("--" + tier).trim()]));
const ROW = 56;

// Elements: text is text, children are elements.
const make = (tag, attributes, ...children) => {
  const e = document.createElement(tag);
  for (const [k, v] of Object.entries(attributes || {})) e.setAttribute(k, v);
  for (const c of children) e.append(c);
  return e;
};
const both = (zh, en) => {
  const f = document.createDocumentFragment();
  f.append(make("span", { class: "zh" }, zh), make("span", { class: "en", lang: "en" }, en));
  return f;
};
const word = (section, code) => {
  const w = data.words[section][code];
  return w ? both(w[0], w[1] || w[0]) : both(code || "—", code || "—");
};
const hectares = m2 => (m2 / 1e4).toLocaleString("en", { maximumFractionDigits: m2 < 1e6 ? 2 : 0 });
const TITLES = { zh: "水土保持遥感监管报告 ", en: "Remote sensing supervision report " };
const size = m2 => both(hectares(m2) + " hm²", hectares(m2) + " ha");
// What the program wrote in Chinese, with its English where the dictionary has it; else it says so.
const translated = ([zh, en]) => (zh ? both(zh, en || zh + " (in Chinese)") : "");
const days = (from, to) => {
  const f = document.createDocumentFragment(), day = text => make("span", { class: "day" }, text);
  f.append(day((from || "…") + " – "), day(to || "…"));
  return f;
};
const unknown = () => both("未注明", "not stated");

const suspects = data.suspects.map(values => {
  const s = {};
  names.forEach((n, i) => { s[n] = values[i]; });
  s.countyName = data.counties[s.county] || "";
  s.industryName = data.industries[s.industry] || ["", ""];
  s.late = Boolean(s.due) && s.due < data.end;
  s.text = [s.id, s.project, s.owner, s.countyName].join("\n").toLowerCase();
  const box = [Infinity, Infinity, -Infinity, -Infinity];
  for (const ring of s.rings)
    for (let i = 0; i < ring.length; i += 2) {
      box[0] = Math.min(box[0], ring[i]); box[2] = Math.max(box[2], ring[i]);
      box[1] = Math.min(box[1], ring[i + 1]); box[3] = Math.max(box[3], ring[i + 1]);
    }
  s.box = box;
  return s;
});
const state = { tiers: new Set(), verdicts: new Set(), county: "", search: "", shown: suspects, chosen: null };
