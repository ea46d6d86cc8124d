// SPDX-License-Identifier: Apache-2.0
"use strict";
// The report at work: map with swipe, filters, list, detail, tables. Texts of the data only ever become text nodes.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const $ = id => document.getElementById(id);
  const names = ["id", "rank", "tier", "verdict", "county", "industry", "area", "outside", "from", "to",
    "confidence", "severity", "project", "owner", "why", "lon", "lat", "page", "rings"];
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
  const unknown = () => both("未注明", "not stated");

  const suspects = data.suspects.map(values => {
    const s = {};
    names.forEach((n, i) => { s[n] = values[i]; });
    s.countyName = data.counties[s.county] || "";
    s.industryName = data.industries[s.industry] || "";
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

  // ---- map -------------------------------------------------------------------------------------------------
  const map = L.map("map", { crs: L.CRS.Simple, minZoom: -12, maxZoom: 3, zoomSnap: 0.25, zoomAnimation: false,
    fadeAnimation: false, inertia: false, attributionControl: false });
  L.control.scale({ imperial: false }).addTo(map);
  const extent = [[0, 0], [data.extent[1], data.extent[0]]];
  for (const [pane, z] of [["before", 210], ["after", 220]]) map.createPane(pane).style.zIndex = z;
  const pictures = data.mosaic || {};
  for (const pane of ["before", "after"])
    if (pictures[pane])
      L.imageOverlay(pictures[pane].image, [[pictures.bounds[1], pictures.bounds[0]], [pictures.bounds[3], pictures.bounds[2]]],
        { pane, alt: pane }).addTo(map);
  const swipes = Boolean(pictures.before && pictures.after);

  // Drawn on a canvas out of sight, a slice of a few milliseconds a frame, and shown when it is whole: an event never
  // waits for thousands of outlines, and many events at once are drawn once. Until then the old picture moves with the map.
  const SLICE = 8;
  const Outlines = L.Layer.extend({
    onAdd(m) {
      this._canvas = L.DomUtil.create("canvas", "leaflet-layer", m.getPane("overlayPane"));
      this._canvas.style.transformOrigin = "0 0";
      this._hidden = document.createElement("canvas");
      m.on("move zoom resize viewreset moveend", this.draw, this);
      this.draw();
    },
    draw() {
      this._wanted = true;
      if (this._drawn && this._drawn.zoom !== map.getZoom())
        L.DomUtil.setTransform(this._canvas, map.latLngToLayerPoint(this._drawn.corner), map.getZoomScale(map.getZoom(), this._drawn.zoom));
      if (this._frame) return;
      this._canvas.dataset.busy = "1";
      this._frame = requestAnimationFrame(() => this.frame());
    },
    frame() {
      this._frame = 0;
      // A picture of another scale or of other suspects is given up; one that only lies elsewhere is finished first.
      if (this._wanted && (!this._work || this._next.zoom !== map.getZoom() || this._next.shown !== state.shown)) this.begin();
      const until = performance.now() + SLICE;
      let done = false;
      while (!(done = this._work.next().done) && performance.now() < until);
      if (done) { this._work = null; this.publish(); }
      if (!done || this._wanted) this._frame = requestAnimationFrame(() => this.frame());
      else delete this._canvas.dataset.busy;
    },
    begin() {
      this._wanted = false;
      this._next = { zoom: map.getZoom(), shown: state.shown, size: map.getSize(), corner: map.containerPointToLatLng([0, 0]) };
      this._work = this.work(this._next);
    },
    publish() {
      const c = this._canvas, h = this._hidden, view = this._drawn = this._next;
      if (c.width !== h.width || c.height !== h.height) {
        c.width = h.width; c.height = h.height;
        c.style.width = view.size.x + "px"; c.style.height = view.size.y + "px";
      }
      const g = c.getContext("2d");
      g.clearRect(0, 0, c.width, c.height);
      g.drawImage(h, 0, 0);
      L.DomUtil.setPosition(c, map.latLngToLayerPoint(view.corner));
    },
    * work({ size, shown }) {
      const m = map, c = this._hidden, ratio = window.devicePixelRatio || 1;
      if (c.width !== size.x * ratio || c.height !== size.y * ratio) { c.width = size.x * ratio; c.height = size.y * ratio; }
      const g = c.getContext("2d"), o = m.latLngToContainerPoint([0, 0]), k = m.getZoomScale(m.getZoom(), 0);
      g.setTransform(ratio, 0, 0, ratio, 0, 0);
      g.clearRect(0, 0, size.x, size.y);
      const path = rings => {
        for (const r of rings) {
          for (let i = 0; i < r.length; i += 2) {
            const x = o.x + r[i] * k, y = o.y - r[i + 1] * k;
            if (i) g.lineTo(x, y); else g.moveTo(x, y);
          }
          g.closePath();
        }
      };
      if (data.unobserved.length) {
        g.beginPath();
        for (const rings of data.unobserved) path(rings);
        g.fillStyle = this.hatch(g);
        g.fill("evenodd");
        yield;
      }
      if (data.borders.length) {
        g.beginPath();
        for (const b of data.borders) path(b[3]);
        // Not dashed: neighbours draw the border between them twice.
        g.lineWidth = 3.2; g.strokeStyle = "rgba(0,0,0,.5)"; g.stroke();
        g.lineWidth = 1.3; g.strokeStyle = "#fff"; g.stroke();
        yield;
      }
      const seen = shown.filter(s => {
        const x0 = o.x + s.box[0] * k, x1 = o.x + s.box[2] * k, y0 = o.y - s.box[3] * k, y1 = o.y - s.box[1] * k;
        return x1 > -9 && x0 < size.x + 9 && y1 > -9 && y0 < size.y + 9;
      });
      for (const tier of ["none", "low", "medium", "high"]) {
        const dot = this.dot(tier, ratio), list = seen.filter(s => (COLOURS[s.tier] ? s.tier : "none") === tier);
        for (let first = 0; first < list.length; first += 250) {
          g.beginPath();
          for (const s of list.slice(first, first + 250)) {
            const w = (s.box[2] - s.box[0]) * k, h = (s.box[3] - s.box[1]) * k;
            // Too small for an outline: a dot that can be hit, printed from one picture because there are thousands.
            if (w < 7 && h < 7) g.drawImage(dot, o.x + (s.box[0] + s.box[2]) / 2 * k - 5, o.y - (s.box[1] + s.box[3]) / 2 * k - 5, 10, 10);
            else path(s.rings);
          }
          g.lineWidth = 4.2; g.strokeStyle = "rgba(255,255,255,.85)"; g.stroke();
          g.lineWidth = 2.1; g.strokeStyle = COLOURS[tier]; g.stroke();
          yield;
        }
      }
      this.titles(g, o, k, size);
      if (state.chosen) {
        const b = state.chosen.box;
        g.setLineDash([6, 4]); g.lineWidth = 2; g.strokeStyle = "#fff";
        g.strokeRect(o.x + b[0] * k - 8, o.y - b[3] * k - 8, (b[2] - b[0]) * k + 16, (b[3] - b[1]) * k + 16);
        g.setLineDash([]);
      }
    },
    // Names of counties, where the county is wide enough on the screen to carry its name.
    titles(g, o, k, size) {
      g.font = "600 13px sans-serif"; g.textAlign = "center"; g.textBaseline = "middle";
      g.lineWidth = 3; g.lineJoin = "round"; g.strokeStyle = "rgba(0,0,0,.6)"; g.fillStyle = "#fff";
      for (const [name, x, y, rings] of data.borders) {
        let [left, right] = [Infinity, -Infinity];
        for (const r of rings)
          for (let i = 0; i < r.length; i += 2) { left = Math.min(left, r[i]); right = Math.max(right, r[i]); }
        const at = [o.x + x * k, o.y - y * k];
        if ((right - left) * k < g.measureText(name).width + 16 || at[0] < 0 || at[0] > size.x || at[1] < 0 || at[1] > size.y) continue;
        g.strokeText(name, ...at); g.fillText(name, ...at);
      }
    },
    dot(tier, ratio) {
      this._dots = this._dots || {};
      if (!this._dots[tier]) {
        const c = make("canvas", { width: 10 * ratio, height: 10 * ratio }), g = c.getContext("2d");
        g.scale(ratio, ratio);
        for (const [width, colour] of [[4.2, "rgba(255,255,255,.85)"], [2.1, COLOURS[tier]]]) {
          g.beginPath(); g.arc(5, 5, 2.8, 0, 7);
          g.lineWidth = width; g.strokeStyle = colour; g.stroke();
        }
        this._dots[tier] = c;
      }
      return this._dots[tier];
    },
    hatch(g) {
      if (!this._hatch) {
        const t = make("canvas", { width: 8, height: 8 }), h = t.getContext("2d");
        h.fillStyle = "rgba(255,255,255,.35)"; h.fillRect(0, 0, 8, 8);
        h.strokeStyle = "rgba(40,40,40,.8)"; h.lineWidth = 1.5;
        h.beginPath(); h.moveTo(-2, 6); h.lineTo(6, -2); h.moveTo(2, 10); h.lineTo(10, 2); h.stroke();
        this._hatch = g.createPattern(t, "repeat");
      }
      return this._hatch;
    }
  });
  const outlines = new Outlines();
  map.fitBounds(extent);
  outlines.addTo(map);

  const inside = (s, x, y) => {
    let odd = false;
    for (const r of s.rings)
      for (let i = 0, j = r.length - 2; i < r.length; j = i, i += 2)
        if ((r[i + 1] > y) !== (r[j + 1] > y) && x < (r[j] - r[i]) * (y - r[i + 1]) / (r[j + 1] - r[i + 1]) + r[i]) odd = !odd;
    return odd;
  };
  map.on("click", e => {
    const x = e.latlng.lng, y = e.latlng.lat, near = 8 / map.getZoomScale(map.getZoom(), 0);
    let best = null, least = Infinity;
    for (const s of state.shown) {
      const b = s.box;
      if (x < b[0] - near || x > b[2] + near || y < b[1] - near || y > b[3] + near) continue;
      const d = inside(s, x, y) ? 0 : Math.hypot(x - (b[0] + b[2]) / 2, y - (b[1] + b[3]) / 2);
      if (d < least) { least = d; best = s; }
    }
    if (best) choose(best, false);
  });

  $("borders").hidden = !data.borders.length;

  const swipe = $("swipe"), divider = $("divider");
  // Once a frame, and nothing is asked of the layout after something was written into it.
  let clipping = 0;
  const clip = () => { if (!clipping) clipping = requestAnimationFrame(clipNow); };
  const clipNow = () => {
    clipping = 0;
    const pane = map.getPane("after"), size = map.getSize();
    const nw = map.containerPointToLayerPoint([0, 0]), se = map.containerPointToLayerPoint(size);
    const x = Math.round(size.x * swipe.value / 100);
    pane.style.clip = swipes ? `rect(${nw.y}px,${se.x}px,${se.y}px,${nw.x + x}px)` : "";
    divider.style.transform = `translateX(${x}px)`;
  };
  swipe.addEventListener("input", clipNow);
  map.on("move zoom resize", clip);
  if (!swipes) { $("swipe-box").hidden = true; $("swipe-box").style.display = "none"; divider.hidden = true; }
  const span = p => (p.from === p.to ? p.to : p.from + " – " + p.to);
  if (pictures.before) $("swipe-before").append(both("前期 ", "before "), span(pictures.before));
  if (pictures.after) $("swipe-after").append(both("后期 ", "after "), span(pictures.after));
  if (data.mosaic && !pictures.natural) $("colours").append(both("近红外假彩色", "near infrared false colour"));
  clipNow();

  // ---- list and detail -------------------------------------------------------------------------------------
  const rows = $("rows"), space = $("space");
  const line = (s, i) => {
    const e = make("div", { class: "row " + s.tier, role: "option", "aria-selected": String(s === state.chosen), id: "row-" + i },
      make("div", {}, make("span", { class: "area" }, hectares(s.area) + " hm²"), s.rank + "　" + s.id + "　", word("verdicts", s.verdict)),
      make("div", { class: "sub" }, [s.countyName, s.project || s.owner].filter(Boolean).join(" · ") || unknown()));
    e.style.top = i * ROW + "px";
    e.addEventListener("click", () => choose(s, true));
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
  const choose = (s, go) => {
    state.chosen = s;
    const at = state.shown.indexOf(s);
    if (at >= 0 && (at * ROW < rows.scrollTop || (at + 1) * ROW > rows.scrollTop + rows.clientHeight)) rows.scrollTop = at * ROW - 60;
    fill();
    rows.setAttribute("aria-activedescendant", "row-" + at);
    const d = $("detail"), dl = make("dl");
    const fact = (zh, en, value) => { if (value) dl.append(make("dt", {}, both(zh, en)), make("dd", {}, value)); };
    fact("判定", "verdict", word("verdicts", s.verdict));
    fact("等级", "tier", word("tiers", s.tier));
    fact("面积", "area", hectares(s.area) + " hm²");
    if (s.verdict === "exceeds") fact("超出", "beyond", hectares(s.outside) + " hm²");
    fact("发生区间", "onset between", s.from || s.to ? (s.from || "…") + " – " + (s.to || "…") : "");
    fact("严重度、置信度", "severity, confidence", s.severity + " · " + s.confidence.toFixed(2));
    fact("依据", "why", data.whys[s.why]);
    fact("项目", "project", s.project);
    fact("建设单位", "owner", s.owner);
    fact("行业", "industry", s.industryName);
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
    d.replaceChildren(make("h3", {}, s.id), dl, links);
    d.hidden = false;
    if (go) show(s); else outlines.draw();
  };
  const show = s => {
    const w = Math.max(400, (s.box[2] - s.box[0]) * 0.8), h = Math.max(400, (s.box[3] - s.box[1]) * 0.8);
    map.fitBounds([[s.box[1] - h, s.box[0] - w], [s.box[3] + h, s.box[2] + w]], { animate: false });
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

  // ---- totals, tables --------------------------------------------------------------------------------------
  const card = (kind, value, zh, en) => $("totals").append(make("div", { class: "card " + kind }, make("b", {}, value), make("small", {}, both(zh, en))));
  const t = data.totals, count = (list, code) => (list.find(r => r[0] === code) || [0, 0])[1];
  for (const [code, zh, en] of [["high", "高：限期复核", "high: check first"], ["medium", "中：现场复核", "medium: field check"], ["low", "低：预提醒", "low: reminder"]])
    card(code, String(suspects.filter(s => s.tier === code).length), zh, en);
  card("", hectares(t.suspect_area), "疑似面积 hm²", "suspect area, ha");
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
    for (const [key, n, area] of list) {
      const bar = svg("svg", { viewBox: "0 0 100 14", preserveAspectRatio: "none", "aria-hidden": "true" });
      bar.append(svg("rect", { width: Math.max(0.8, n / most * 100), height: 14, rx: 1, fill: colour(key) }));
      body.append(make("tr", {}, make("th", { scope: "row" }, name(key)), make("td", { class: "bar" }, bar),
        make("td", { class: "n" }, String(n)), make("td", { class: "n" }, hectares(area))));
    }
    const head = make("thead", {}, make("tr", {}, make("th", {}, both(note[0], note[1])), make("th"), make("th", { class: "n" }, both("个数", "count")), make("th", { class: "n" }, both("hm²", "ha"))));
    $("charts").append(make("div", {}, make("h2", {}, both(zh, en)), make("div", { class: "scroll" }, make("table", {}, head, body))));
  };
  const plain = key => (key ? key : unknown()), blue = () => "#3b78b8";
  chart("按等级", "By tier", data.tables.tiers, c => word("tiers", c), c => COLOURS[c] || COLOURS.none, ["全部扰动图斑", "all disturbances"]);
  chart("按判定", "By verdict", data.tables.verdicts, c => word("verdicts", c), c => (c === "compliant" ? "#5a9a63" : "#3b78b8"), ["全部扰动图斑", "all disturbances"]);
  chart("按县区", "By county", data.tables.counties, plain, blue, ["疑似图斑", "suspects"]);
  chart("按行业", "By industry", data.tables.industries, plain, blue, ["疑似图斑", "suspects"]);

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
        table([both("变化", "change"), both("个数", "cases"), both("其中疑似", "of them suspects"), both("增减 hm²", "change, ha"), t.previous + " hm²", data.batch + " hm²"], fates));
      if (data.tables.changes.some(r => r[0] === "unseen"))
        parts.push(make("p", { class: "note" }, both("本期未显示不等于已恢复：可能没有可用影像，或两期影像之间没有变化。", "Not shown does not mean restored: there may be no usable image, or no change between its images.")));
    }
    parts.push(make("h3", {}, both("判定", "Verdicts")),
      table([both("判定", "verdict"), t.previous, data.batch, both("增减", "change"), t.previous + " hm²", data.batch + " hm²"], lines));
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
        groups.push(table(heads(zh, en), data.hits[key].map(r => cells(key === "tier" && tierOf(r[0]) ? word("tiers", tierOf(r[0])) : plain(r[0]), r))));
    section("hits", "现场复核命中率", "Hit rates of the field checks", ...parts, ...groups);
  } else section("hits", "现场复核命中率", "Hit rates of the field checks", make("p", {}, both("尚无复核结果。", "No field results yet.")));
  if (data.problems.length) {
    const list = table([both("环节", "stage"), both("问题", "problem"), both("建议", "what to do")], data.problems.map(p => [p[0] + " " + p[1], p[2], p[3]]));
    for (const cell of list.querySelectorAll(".n")) cell.className = "";
    section("problems", `本次运行的问题（${data.problems.length}）`, `Problems of the run (${data.problems.length})`, make("div", { class: "scroll" }, list));
  } else section("problems", "本次运行的问题", "Problems of the run", make("p", {}, both("没有。", "None.")));
  section("provenance", "数据与程序", "Where it comes from",
    make("p", {}, both(`影像 ${data.looks.length} 期：`, `${data.looks.length} images: `), data.looks.join("，")),
    make("p", {}, both("坐标系 ", "CRS "), data.crs, both("；面积按 CGCS2000 椭球。", "; areas on the CGCS2000 ellipsoid.")),
    make("p", {}, both("程序 ", "program "), "shuibao " + data.program, both("；输入、设置与版本见 run.json。", "; inputs, settings and versions: run.json.")));
  if (data.looks.length) {
    const day = key => key.replace(/^(\d{4})(\d\d)(\d\d).*/, "$1-$2-$3");
    $("period").append(both("影像 ", "images "), day(data.looks[0]) + " – " + day(data.looks[data.looks.length - 1]));
  }

  // ---- language, print -------------------------------------------------------------------------------------
  const speak = lang => {
    document.documentElement.dataset.lang = lang;
    document.documentElement.lang = lang === "zh" ? "zh-CN" : "en";
    all.textContent = lang === "zh" ? `全部 (${suspects.length})` : `all (${suspects.length})`;
  };
  $("language").addEventListener("click", () => speak(document.documentElement.dataset.lang === "zh" ? "en" : "zh"));
  window.addEventListener("beforeprint", () => {
    const lines = state.shown.slice(0, 200).map(s => make("tr", {}, ...[String(s.rank), s.id, word("tiers", s.tier), word("verdicts", s.verdict),
      s.countyName, s.project || s.owner, hectares(s.area), s.from + " – " + s.to].map(c => make("td", {}, c))));
    $("printed").replaceChildren(make("thead", {}, make("tr", {}, ...[["序号", "rank"], ["编号", "case"], ["等级", "tier"], ["判定", "verdict"], ["县区", "county"],
      ["项目", "project"], ["hm²", "ha"], ["发生区间", "onset"]].map(h => make("th", {}, both(h[0], h[1]))))), make("tbody", {}, ...lines));
  });
  speak("zh");
  apply();
})();
