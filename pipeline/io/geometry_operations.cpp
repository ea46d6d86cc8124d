// SPDX-License-Identifier: Apache-2.0
// Operations on geometries by GEOS. OGR offers them too, but makes a GEOS context for each call and hands
// every geometry over as WKB and back, which cost an eighth of `screen`.
#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <geos_c.h>
#include <ogr_geometry.h>

#include <shuibao/core/error.hpp>
#include <shuibao/io/gdal_session.hpp>
#include <shuibao/io/geometry.hpp>

namespace shuibao::io {
namespace {

constexpr int quarter_segments = 16;

// GEOS for this thread: a context belongs to one.
class Geos {
  public:
    struct Free {
        void operator()(GEOSGeometry* g) const { GEOSGeom_destroy_r(here().m_context, g); }
        void operator()(const GEOSPreparedGeometry* g) const {
            GEOSPreparedGeom_destroy_r(here().m_context, g);
        }
    };
    using Owned = std::unique_ptr<GEOSGeometry, Free>;
    using Prepared = std::unique_ptr<const GEOSPreparedGeometry, Free>;

    static Geos& here() {
        thread_local Geos geos;
        return geos;
    }
    [[nodiscard]] GEOSContextHandle_t context() const { return m_context; }
    /// What GEOS complained of last; asked once.
    [[nodiscard]] std::string reason() {
        std::string why = m_error.empty() ? "GEOS gave no reason" : std::move(m_error);
        m_error.clear();
        return why;
    }

    /// Null where a ring is none (fewer than four points, not closed).
    [[nodiscard]] Owned take(const OGRGeometry& areal) {
        std::vector<GEOSGeometry*> polygons;
        bool whole = true;
        for (const auto* polygon : *areal.toMultiPolygon()) {
            auto* g = take(*polygon);
            whole = whole && g != nullptr;
            if (g != nullptr) polygons.push_back(g);
        }
        Owned all(GEOSGeom_createCollection_r(m_context, GEOS_MULTIPOLYGON, polygons.data(),
                                              static_cast<unsigned>(polygons.size())));
        return whole ? std::move(all) : Owned();
    }

    /// The areal parts.
    [[nodiscard]] std::unique_ptr<OGRGeometry> give(const GEOSGeometry& g) const {
        auto out = std::make_unique<OGRMultiPolygon>();
        collect(g, *out);
        return out;
    }

  private:
    Geos() : m_context(GEOS_init_r()) {
        GEOSContext_setErrorMessageHandler_r(
            m_context,
            [](const char* text, void* self) {
                static_cast<Geos*>(self)->m_error = text == nullptr ? "" : text;
            },
            this);
    }
    ~Geos() { GEOS_finish_r(m_context); }
    Geos(const Geos&) = delete;
    Geos& operator=(const Geos&) = delete;

    GEOSGeometry* ring(const OGRLinearRing& r) {
        const auto n = static_cast<std::size_t>(r.getNumPoints());
        m_buffer.resize(2 * n);
        constexpr int stride = 2 * sizeof(double);
        if (n > 0) r.getPoints(m_buffer.data(), stride, m_buffer.data() + 1, stride);
        auto* points =
            GEOSCoordSeq_copyFromBuffer_r(m_context, m_buffer.data(), static_cast<unsigned>(n), 0, 0);
        return points == nullptr ? nullptr : GEOSGeom_createLinearRing_r(m_context, points);
    }
    GEOSGeometry* take(const OGRPolygon& polygon) {
        const auto* outer = polygon.getExteriorRing();
        if (outer == nullptr) return GEOSGeom_createEmptyPolygon_r(m_context);
        GEOSGeometry* shell = ring(*outer);
        std::vector<GEOSGeometry*> holes;
        bool whole = shell != nullptr;
        for (int i = 0; whole && i < polygon.getNumInteriorRings(); ++i)
            if (auto* hole = ring(*polygon.getInteriorRing(i)))
                holes.push_back(hole);
            else
                whole = false;
        if (whole)
            return GEOSGeom_createPolygon_r(m_context, shell, holes.data(),
                                            static_cast<unsigned>(holes.size()));
        for (auto* hole : holes) GEOSGeom_destroy_r(m_context, hole);
        if (shell != nullptr) GEOSGeom_destroy_r(m_context, shell);
        return nullptr;
    }

    void collect(const GEOSGeometry& g, OGRMultiPolygon& out) const {
        const int type = GEOSGeomTypeId_r(m_context, &g);
        if (type == GEOS_POLYGON) {
            if (GEOSisEmpty_r(m_context, &g) == 0) out.addGeometryDirectly(polygon_of(g).release());
        } else if (type == GEOS_MULTIPOLYGON || type == GEOS_GEOMETRYCOLLECTION) {
            for (int i = 0; i < GEOSGetNumGeometries_r(m_context, &g); ++i)
                collect(*GEOSGetGeometryN_r(m_context, &g, i), out);
        }
    }
    [[nodiscard]] std::unique_ptr<OGRPolygon> polygon_of(const GEOSGeometry& g) const {
        auto polygon = std::make_unique<OGRPolygon>();
        const auto add = [&](const GEOSGeometry* from) {
            const auto* points = GEOSGeom_getCoordSeq_r(m_context, from);
            unsigned n = 0;
            GEOSCoordSeq_getSize_r(m_context, points, &n);
            std::vector<OGRRawPoint> flat(n);
            GEOSCoordSeq_copyToBuffer_r(m_context, points, &flat.data()->x, 0, 0);
            auto to = std::make_unique<OGRLinearRing>();
            to->setPoints(static_cast<int>(n), flat.data());
            polygon->addRingDirectly(to.release());
        };
        add(GEOSGetExteriorRing_r(m_context, &g));
        for (int i = 0; i < GEOSGetNumInteriorRings_r(m_context, &g); ++i)
            add(GEOSGetInteriorRingN_r(m_context, &g, i));
        return polygon;
    }

    GEOSContextHandle_t m_context;
    std::vector<double> m_buffer;
    std::string m_error;
};

[[noreturn]] void failed(const char* what, const std::string& why) {
    throw Error(ErrorCode::input, fmt::format("GEOS cannot compute the {} of two geometries: {}.", what, why),
                "Repair the layers (e.g. QGIS: Fix geometries).");
}

Geometry result(GEOSGeometry* made, const char* what) {
    const Geos::Owned g(made);
    if (!g) failed(what, Geos::here().reason());
    return Geometry(Geos::here().give(*g));
}

Geometry of_two(const Geometry& a, const Geometry& b, decltype(&GEOSIntersection_r) operation,
                const char* what) {
    auto& geos = Geos::here();
    const auto first = geos.take(*a.ogr()), second = geos.take(*b.ogr());
    if (!first || !second) failed(what, geos.reason());
    return result(operation(geos.context(), first.get(), second.get()), what);
}

// False where GEOS cannot tell.
bool of_two(const Geometry& a, const Geometry& b, decltype(&GEOSIntersects_r) predicate) {
    auto& geos = Geos::here();
    const auto first = geos.take(*a.ogr()), second = geos.take(*b.ogr());
    return first && second && predicate(geos.context(), first.get(), second.get()) == 1;
}

bool apart(const Geometry& a, const Geometry& b) {
    const Bounds x = a.bounds(), y = b.bounds();
    return x.empty() || y.empty() || x.max_x < y.min_x || y.max_x < x.min_x || x.max_y < y.min_y ||
           y.max_y < x.min_y;
}

// Whether a segment may touch a box: their bounds do, and not all corners lie on one side of it.
bool meets(const Bounds& b, double x0, double y0, double x1, double y1) {
    if (std::max(x0, x1) < b.min_x || std::min(x0, x1) > b.max_x || std::max(y0, y1) < b.min_y ||
        std::min(y0, y1) > b.max_y)
        return false;
    const auto side = [&](double x, double y) { return (x1 - x0) * (y - y0) - (y1 - y0) * (x - x0); };
    const double a = side(b.min_x, b.min_y), c = side(b.max_x, b.min_y), d = side(b.max_x, b.max_y),
                 e = side(b.min_x, b.max_y);
    return !((a > 0 && c > 0 && d > 0 && e > 0) || (a < 0 && c < 0 && d < 0 && e < 0));
}

// A vertex and what it is at most away from a geometry.
struct FarVertex {
    double most, x, y;
};

// The vertices of the outer rings by how far they may be from `o`: no farther than from its vertices, of
// which some are asked. Most need not be asked how far they really are.
std::vector<FarVertex> farthest_first(const OGRMultiPolygon& from, const OGRMultiPolygon& o) {
    constexpr std::size_t asked = 64;
    std::vector<OGRRawPoint> all;
    for (const auto* polygon : o)
        for (const auto* ring : *polygon)
            for (int i = 0; i < ring->getNumPoints(); ++i) all.emplace_back(ring->getX(i), ring->getY(i));
    const std::size_t step = std::max<std::size_t>(1, all.size() / asked);
    constexpr double rounding = 1 + 1e-12;
    std::vector<FarVertex> list;
    for (const auto* polygon : from)
        for (int i = 0; i < polygon->getExteriorRing()->getNumPoints(); ++i) {
            const double x = polygon->getExteriorRing()->getX(i), y = polygon->getExteriorRing()->getY(i);
            double least = std::numeric_limits<double>::infinity();
            for (std::size_t k = 0; k < all.size(); k += step) {
                const double dx = all[k].x - x, dy = all[k].y - y;
                least = std::min(least, dx * dx + dy * dy);
            }
            list.push_back({std::sqrt(least) * rounding, x, y});
        }
    std::sort(list.begin(), list.end(), [](const auto& a, const auto& b) { return a.most > b.most; });
    return list;
}

}  // namespace

bool Geometry::valid() const {
    auto& geos = Geos::here();
    const auto g = geos.take(*m_geometry);
    return g && GEOSisValid_r(geos.context(), g.get()) == 1;
}

Geometry Geometry::made_valid() const {
    const GdalMessages messages;
    std::unique_ptr<OGRGeometry> g(m_geometry->MakeValid());
    if (!g) failed("repair", messages.reason());
    return Geometry(std::move(g));
}

bool Geometry::intersects(const Geometry& o) const {
    return !apart(*this, o) && of_two(*this, o, GEOSIntersects_r);
}
Geometry Geometry::intersection(const Geometry& o) const {
    return of_two(*this, o, GEOSIntersection_r, "intersection");
}
Geometry Geometry::difference(const Geometry& o) const {
    return of_two(*this, o, GEOSDifference_r, "difference");
}

Geometry Geometry::buffered(double distance) const {
    auto& geos = Geos::here();
    const auto g = geos.take(*m_geometry);
    if (!g) failed("buffer", geos.reason());
    return result(GEOSBuffer_r(geos.context(), g.get(), distance, quarter_segments), "buffer");
}

Geometry Geometry::simplified(double distance) const {
    auto& geos = Geos::here();
    const auto g = geos.take(*m_geometry);
    if (!g) failed("simplification", geos.reason());
    return result(GEOSTopologyPreserveSimplify_r(geos.context(), g.get(), distance), "simplification");
}

Geometry Geometry::within(const Bounds& b) const {
    return intersection(Geometry(MultiPolygon{Polygon{
        {{b.min_x, b.min_y}, {b.max_x, b.min_y}, {b.max_x, b.max_y}, {b.min_x, b.max_y}, {b.min_x, b.min_y}},
        {}}}));
}

Geometry::Lies Geometry::holds(const Bounds& box) const {
    bool inside = false;  // the low corner, by the crossings of a ray
    for (const auto* polygon : *m_geometry->toMultiPolygon())
        for (const auto* ring : *polygon)
            for (int i = 0; i + 1 < ring->getNumPoints(); ++i) {
                const double x0 = ring->getX(i), y0 = ring->getY(i), x1 = ring->getX(i + 1),
                             y1 = ring->getY(i + 1);
                if (meets(box, x0, y0, x1, y1)) return Lies::across;
                if ((y0 > box.min_y) != (y1 > box.min_y) &&
                    box.min_x < (x1 - x0) * (box.min_y - y0) / (y1 - y0) + x0)
                    inside = !inside;
            }
    return inside ? Lies::inside : Lies::outside;
}

double Geometry::distance(const Geometry& o) const {
    auto& geos = Geos::here();
    const auto a = geos.take(*m_geometry), b = geos.take(*o.ogr());
    double d = -1;  // as OGR says where it cannot tell
    if (a && b && GEOSDistance_r(geos.context(), a.get(), b.get(), &d) == 0) d = -1;
    return d;
}

bool Geometry::within_distance(const Geometry& o, double most) const {
    if (empty() || o.empty()) return false;
    const auto a = bounds(), b = o.bounds();
    const double right = std::max(a.max_x - b.min_x, b.max_x - a.min_x),
                 up = std::max(a.max_y - b.min_y, b.max_y - a.min_y);
    if (std::hypot(right, up) <= most) return true;  // the farthest corners of their boxes
    const auto* first = o.ogr()->toMultiPolygon()->getGeometryRef(0)->getExteriorRing();
    const double x = first->getX(0), y = first->getY(0);
    for (const auto* polygon : *m_geometry->toMultiPolygon()) {
        const auto* ring = polygon->getExteriorRing();
        for (int i = 0; i < ring->getNumPoints(); ++i)
            if (std::hypot(ring->getX(i) - x, ring->getY(i) - y) <= most) return true;
    }
    return distance(o) <= most;
}

double Geometry::depth_beyond(const Geometry& o) const {
    if (empty() || o.empty()) return 0;
    auto& geos = Geos::here();
    const auto g = geos.take(*o.ogr());
    // By an index over `o`, made once for all points.
    const Geos::Prepared index(g ? GEOSPrepare_r(geos.context(), g.get()) : nullptr);
    double deepest = 0;
    for (const auto& [most, x, y] :
         farthest_first(*m_geometry->toMultiPolygon(), *o.ogr()->toMultiPolygon())) {
        if (!index || most <= deepest) break;
        const Geos::Owned p(GEOSGeom_createPointFromXY_r(geos.context(), x, y));
        double d = 0;
        if (p && GEOSPreparedDistance_r(geos.context(), index.get(), p.get(), &d) == 1)
            deepest = std::max(deepest, d);
    }
    return deepest;
}

Geometry union_of(const std::vector<Geometry>& parts) {
    const auto all = joined(parts);
    if (all.empty()) return {};
    auto& geos = Geos::here();
    const auto g = geos.take(*all.ogr());
    if (!g) failed("union", geos.reason());
    return result(GEOSUnionCascaded_r(geos.context(), g.get()), "union");
}

}  // namespace shuibao::io
