// SPDX-License-Identifier: Apache-2.0
// The map: pictures before and after with the line between them, outlines, counties, what was not observed.
const map = L.map("map", { crs: L.CRS.Simple, minZoom: -12, maxZoom: 3, zoomSnap: 0.25, zoomAnimation: false,
  fadeAnimation: false, inertia: false, attributionControl: false, tap: false });
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
    if (!h.width || !h.height) return; // the map is not laid out yet, or hidden
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
// One finger scrolls the page past the map; two move and zoom it.
if (matchMedia("(pointer: coarse)").matches) {
  map.dragging.disable();
  $("fingers").hidden = false;
}
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
const pick = at => {
  const x = at.lng, y = at.lat, near = 8 / map.getZoomScale(map.getZoom(), 0);
  let best = null, least = Infinity;
  for (const s of state.shown) {
    const b = s.box;
    if (x < b[0] - near || x > b[2] + near || y < b[1] - near || y > b[3] + near) continue;
    const d = inside(s, x, y) ? 0 : Math.hypot(x - (b[0] + b[2]) / 2, y - (b[1] + b[3]) / 2);
    if (d < least) { least = d; best = s; }
  }
  if (best) choose(best, false, true);
};
map.on("click", e => pick(e.latlng));

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
let pulled = false; // a click on the line that does not pull it is one on the map below
divider.addEventListener("pointerdown", e => { divider.setPointerCapture(e.pointerId); e.preventDefault(); pulled = false; });
divider.addEventListener("click", e => { if (!pulled) pick(map.mouseEventToLatLng(e)); });
divider.addEventListener("pointermove", e => {
  if (!divider.hasPointerCapture(e.pointerId)) return;
  const box = map.getContainer().getBoundingClientRect();
  pulled = pulled || Math.abs(e.movementX) > 0;
  swipe.value = (e.clientX - box.left) / box.width * 100;
  clip();
});
map.on("move zoom resize", clip);
if (!swipes) { $("swipe-box").hidden = true; $("swipe-box").style.display = "none"; divider.hidden = true; }
const span = p => (p.from === p.to ? p.to : p.from + " – " + p.to);
if (pictures.before) $("swipe-before").append(both("前期 ", "before "), span(pictures.before));
if (pictures.after) $("swipe-after").append(both("后期 ", "after "), span(pictures.after));
if (data.mosaic && !pictures.natural) $("colours").append(both("近红外假彩色", "near infrared false colour"));
clipNow();
