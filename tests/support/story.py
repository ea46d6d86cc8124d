# SPDX-License-Identifier: Apache-2.0
"""Two years of works told as polygons with known truth: what each site does in each of eight batches, and what the
ledger must therefore say. Sites stand on their own squares, so no truth depends on the program."""
import random

from layers import box, reference, write_layer
from osgeo import ogr, osr

X, Y, STEP = 500000, 3600000, 600
BATCHES = ["202403", "202406", "202409", "202412", "202503", "202506", "202509", "202512"]
FIELDS = {"onset_to": ogr.OFTString, "confidence": ogr.OFTReal, "bare_share": ogr.OFTReal, "full_pixels": ogr.OFTInteger,
          "core_share": ogr.OFTReal, "gsd": ogr.OFTReal}
CRS = 4546
DELTA = 2  # m: what rules §3 make of a ground sample of 2 m


class Site:
    """`shows(t)`: the polygons of batch t as (part, box, bare share); `says(t)`: part → what the ledger must say."""

    def __init__(self, n, kind, start, rng):
        self.n, self.kind, self.start = n, kind, start
        self.x, self.y = X + STEP * (n % 10), Y + STEP * (n // 10)
        self.w, self.h = rng.randrange(120, 240, 10), rng.randrange(120, 200, 10)
        self.turn = min(start + rng.randrange(1, 4), 7)  # the batch in which something happens

    def rect(self, x0=0.0, x1=1.0):
        return box(self.x + x0 * self.w, self.y, self.x + x1 * self.w, self.y + self.h)

    def shows(self, t):
        if t < self.start or (self.kind == "hidden" and t == self.turn):
            return []
        past = t >= self.turn
        if self.kind == "grows":  # by a quarter at the turn, by another one later
            return [("", self.rect(0, 1 + 0.25 * past + 0.25 * (t >= self.turn + 2)), None)]
        if self.kind == "shrinks":
            return [("", self.rect(0, 0.6 if past else 1), None)]
        if self.kind == "splits":  # a road through it: the greater part in the west
            return [("", self.rect(0, 0.6), None), ("b", self.rect(0.65, 1), None)] if past else [("", self.rect(), None)]
        if self.kind == "merges":  # two yards that become one, the greater in the west
            return [("", self.rect(), None)] if past else [("", self.rect(0, 0.6), None), ("b", self.rect(0.7, 1), None)]
        if self.kind == "rejoins":  # split, then one again
            return [("", self.rect(0, 0.55), None), ("b", self.rect(0.6, 1), None)] if t == self.turn else [("", self.rect(), None)]
        if self.kind == "ends":
            return [("", self.rect(), 0.1 if past else 0.9)]
        return [("", self.rect(), None)]

    def says(self, t):
        """part → (change by rules §5, parts it comes from besides its own past)"""
        now, past = t >= self.turn, t > self.turn
        change = "new" if t == self.start else change_by_rule(self.shows(self.last_shown(t)), self.shows(t))
        if self.kind == "ends" and past:  # two batches with next to no bare ground
            change = "finished"
        out = {part: (change, set()) for part, _, _ in self.shows(t)}
        if self.kind in ("splits", "rejoins") and "b" in out and t > self.start:
            out["b"] = (change, {""})
        if self.kind == "merges" and now or self.kind == "rejoins" and past:
            out[""] = (change, {"b"})
        return out

    def last_shown(self, t):
        return next(b for b in range(t - 1, -1, -1) if self.shows(b))


def change_by_rule(before, after):
    """rules §5, of all that share ground: ΔA beyond max(δ·perimeter, 0.1 hm², 5 %)."""
    old, new = (sum(shape.GetArea() for _, shape, _ in shown) for shown in (before, after))
    limit = max(DELTA * sum(shape.Boundary().Length() for _, shape, _ in after), 1000, 0.05 * old)
    assert abs(abs(new - old) - limit) > 20, "a story must not hang on a hair"
    return "grown" if new - old > limit else "shrunk" if old - new > limit else "same"


KINDS = ["stays", "grows", "shrinks", "splits", "merges", "rejoins", "ends", "hidden"]


def moved(shape, crs):
    """The shape in another CRS. Its straight sides stay straight there, as when somebody reprojects a layer."""
    if crs != CRS:
        shape = shape.Clone()
        shape.Transform(osr.CoordinateTransformation(reference(CRS), reference(crs)))
    return shape


def write_ranges(path, all_sites, crs=CRS, split=False):
    """Approved ranges: all of every third site's square, the western third of the next, none of the last. Split: each in
    three parts that share sides, listed backwards."""
    rows = []
    for s in all_sites:
        share = (2, 1 / 3, 0)[s.n % 3]
        cuts = [0, 0.3, 0.65, 1] if split else [0, 1]
        for a, b in zip(cuts, cuts[1:]):
            if share:
                shape = box(s.x - 20 + a * (share * s.w + 20), s.y - 20, s.x - 20 + b * (share * s.w + 20), s.y + s.h + 20)
                rows.append((moved(shape, crs), {"PRID": f"P{s.n}", "PRNM": f"项目{s.n}", "SADT": "2020-01-01"}))
    write_layer(path, crs, {"PRID": ogr.OFTString, "PRNM": ogr.OFTString, "SADT": ogr.OFTString}, rows[::-1] if split else rows)


def sites(seed=1, n=40):
    rng = random.Random(seed)
    return [Site(i, KINDS[i % len(KINDS)], 0 if i < 24 else rng.randrange(1, 5), rng) for i in range(n)]


def write_batch(path, all_sites, t, shuffle=None, jitter=None, crs=CRS):
    """The layer of batch t; returns what was written, in order, as (site, part)."""
    rows = [(s, *shown) for s in all_sites for shown in s.shows(t)]
    if shuffle is not None:
        random.Random(shuffle).shuffle(rows)
    rng, drawn = random.Random(jitter), []
    for site, _, shape, bare in rows:
        first = BATCHES[site.start]
        values = {"onset_to": f"{first[:4]}-{first[4:]}-15", "confidence": 0.9, "full_pixels": 100, "core_share": 0.9, "gsd": DELTA}
        if bare is not None:
            values["bare_share"] = bare
        shape = shape.Clone()
        if jitter is not None:
            ring = shape.GetGeometryRef(0)
            for k in range(1, ring.GetPointCount() - 1):
                ring.SetPoint_2D(k, ring.GetX(k) + rng.uniform(-1e-3, 1e-3), ring.GetY(k) + rng.uniform(-1e-3, 1e-3))
        drawn.append((moved(shape, crs), values))
    write_layer(path, crs, FIELDS, drawn)
    return [(site, part) for site, part, _, _ in rows]
