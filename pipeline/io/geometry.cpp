// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <mutex>

#include <fmt/format.h>
#include <gdal_alg.h>
#include <gdal_priv.h>
#include <geodesic.h>
#include <ogr_api.h>
#include <ogr_geometry.h>
#include <ogr_spatialref.h>

#include "dataset.hpp"
#include <shuibao/core/error.hpp>
#include <shuibao/io/gdal_session.hpp>
#include <shuibao/io/geometry.hpp>

namespace shuibao::io {
namespace {

constexpr double cgcs2000_a = 6378137.0,
                 cgcs2000_f = 1 / 298.257222101;  // GB/T 30168; ellipsoid of EPSG:4490

void collect(const OGRGeometry& g, OGRMultiPolygon& out) {
    const auto type = wkbFlatten(g.getGeometryType());
    if (type == wkbPolygon) {
        if (!g.IsEmpty()) out.addGeometry(&g);
    } else if (OGR_GT_IsSubClassOf(type, wkbGeometryCollection)) {
        for (const auto* part : *g.toGeometryCollection()) collect(*part, out);
    } else if (OGR_GT_IsCurve(type) == 0 && OGR_GT_IsSurface(type) != 0) {
        const std::unique_ptr<OGRGeometry> linear(g.getLinearGeometry());
        if (linear && wkbFlatten(linear->getGeometryType()) == wkbPolygon) out.addGeometry(linear.get());
    }
}

std::unique_ptr<OGRGeometry> areal(const OGRGeometry* g) {
    auto out = std::make_unique<OGRMultiPolygon>();
    if (g != nullptr) collect(*g, *out);
    out->flattenTo2D();
    return out;
}

// What is in that form already, as nearly all that we read back is, need not be copied.
std::unique_ptr<OGRGeometry> areal(std::unique_ptr<OGRGeometry> g) {
    if (g == nullptr || g->getGeometryType() != wkbMultiPolygon) return areal(g.get());
    for (const auto* part : *g->toMultiPolygon())
        if (part->IsEmpty() != 0) return areal(g.get());
    g->assignSpatialReference(nullptr);
    return g;
}

OGRLinearRing ring_of(const Ring& ring) {
    OGRLinearRing r;
    for (const auto& p : ring) r.addPoint(p.x, p.y);
    r.closeRings();
    return r;
}

}  // namespace

Geometry::Geometry() : m_geometry(std::make_unique<OGRMultiPolygon>()) {}
Geometry::~Geometry() = default;
Geometry::Geometry(const Geometry& o) : m_geometry(o.m_geometry->clone()) {}
Geometry::Geometry(Geometry&& o) noexcept = default;
Geometry& Geometry::operator=(Geometry o) noexcept {
    std::swap(m_geometry, o.m_geometry);
    return *this;
}
Geometry::Geometry(std::unique_ptr<OGRGeometry> g) : m_geometry(areal(std::move(g))) {}

Geometry::Geometry(const MultiPolygon& polygons) {
    auto out = std::make_unique<OGRMultiPolygon>();
    for (const auto& p : polygons) {
        OGRPolygon polygon;
        auto outer = ring_of(p.outer);
        polygon.addRing(&outer);
        for (const auto& hole : p.holes) {
            auto inner = ring_of(hole);
            polygon.addRing(&inner);
        }
        out->addGeometry(&polygon);
    }
    m_geometry = std::move(out);
}

Geometry Geometry::from_wkt(const std::string& wkt) {
    OGRGeometry* g = nullptr;
    if (OGRGeometryFactory::createFromWkt(wkt.c_str(), nullptr, &g) != OGRERR_NONE)
        throw Error(ErrorCode::input, "This is not WKT: " + wkt.substr(0, 60) + ".");
    return Geometry(std::unique_ptr<OGRGeometry>(g));
}

bool Geometry::empty() const {
    return m_geometry->IsEmpty() != 0;
}
double Geometry::area() const {
    return m_geometry->toMultiPolygon()->get_Area();
}

double Geometry::perimeter() const {
    double sum = 0;
    for (const auto* polygon : *m_geometry->toMultiPolygon())
        for (const auto* ring : *polygon) sum += ring->get_Length();
    return sum;
}

Bounds Geometry::bounds() const {
    if (empty()) return {};
    OGREnvelope e;
    m_geometry->getEnvelope(&e);
    return {e.MinX, e.MinY, e.MaxX, e.MaxY};
}

double Geometry::distance(Point p) const {
    const OGRPoint point(p.x, p.y);
    return m_geometry->Distance(&point);
}

std::vector<Geometry> Geometry::parts() const {
    std::vector<Geometry> list;
    for (const auto* polygon : *m_geometry->toMultiPolygon())
        list.emplace_back(std::unique_ptr<OGRGeometry>(polygon->clone()));
    return list;
}

Point Geometry::point_inside() const {
    const GdalMessages messages;
    if (empty()) return {};
    const std::unique_ptr<OGRGeometry> inside(
        OGRGeometry::FromHandle(OGR_G_PointOnSurface(OGRGeometry::ToHandle(m_geometry.get()))));
    if (!inside || wkbFlatten(inside->getGeometryType()) != wkbPoint) return {};
    return {inside->toPoint()->getX(), inside->toPoint()->getY()};
}

std::size_t Geometry::vertices() const {
    std::size_t n = 0;
    for (const auto* polygon : *m_geometry->toMultiPolygon())
        for (const auto* ring : *polygon) n += static_cast<std::size_t>(ring->getNumPoints());
    return n;
}

MultiPolygon Geometry::polygons() const {
    const auto ring = [](const OGRLinearRing* r) {
        Ring out;
        for (int i = 0; i < r->getNumPoints(); ++i) out.push_back({r->getX(i), r->getY(i)});
        return out;
    };
    MultiPolygon out;
    for (const auto* polygon : *m_geometry->toMultiPolygon()) {
        Polygon p;
        p.outer = ring(polygon->getExteriorRing());
        for (int i = 0; i < polygon->getNumInteriorRings(); ++i)
            p.holes.push_back(ring(polygon->getInteriorRing(i)));
        out.push_back(std::move(p));
    }
    return out;
}

std::vector<std::uint8_t> burn(const std::vector<Geometry>& shapes, const Grid& grid, const Window& window) {
    const GdalMessages messages;
    std::vector<std::uint8_t> out(static_cast<std::size_t>(window.pixels()), 0);
    auto* memory = GetGDALDriverManager()->GetDriverByName("MEM");
    const GDALDatasetUniquePtr d(memory->Create("", static_cast<int>(window.cols),
                                                static_cast<int>(window.rows), 1, GDT_Byte, nullptr));
    const Bounds b = grid.bounds(window);
    std::array<double, 6> transform = {b.min_x, grid.gsd(), 0, b.max_y, 0, -grid.gsd()};
    d->SetGeoTransform(transform.data());
    std::vector<OGRGeometryH> handles;
    for (const auto& s : shapes)
        if (!s.empty()) handles.push_back(OGRGeometry::ToHandle(const_cast<OGRGeometry*>(s.ogr())));
    const std::vector<double> ones(handles.size(), 1.0);
    int band = 1;
    const bool ok =
        handles.empty() ||
        GDALRasterizeGeometries(d.get(), 1, &band, static_cast<int>(handles.size()), handles.data(), nullptr,
                                nullptr, ones.data(), nullptr, nullptr, nullptr) == CE_None;
    if (!ok || d->GetRasterBand(1)->RasterIO(GF_Read, 0, 0, static_cast<int>(window.cols),
                                             static_cast<int>(window.rows), out.data(),
                                             static_cast<int>(window.cols), static_cast<int>(window.rows),
                                             GDT_Byte, 0, 0, nullptr) != CE_None)
        throw Error(ErrorCode::failed, fmt::format("Polygons cannot be drawn: {}.", messages.reason()));
    return out;
}

std::string Geometry::wkt() const {
    return m_geometry->exportToWkt();
}

Geometry joined(const std::vector<Geometry>& parts) {
    auto all = std::make_unique<OGRMultiPolygon>();
    for (const auto& g : parts)
        for (const auto* polygon : *g.ogr()->toMultiPolygon()) all->addGeometry(polygon);
    return Geometry(std::unique_ptr<OGRGeometry>(std::move(all)));
}

namespace {

// Making a transformation costs tens of milliseconds of look-ups in PROJ's database, so idle ones are kept.
// One serves one Transformation at a time, because PROJ's objects belong to one thread at a time.
class TransformationPool {
  public:
    using Made = std::unique_ptr<OGRCoordinateTransformation>;
    using Key = std::pair<std::string, std::string>;

    /// Null where both CRS are the same.
    Made take(const Key& key) {
        {
            const std::lock_guard lock(m_mutex);
            if (auto& idle = m_idle[key]; !idle.empty()) {
                Made made = std::move(idle.back());
                idle.pop_back();
                return made;
            }
        }
        const auto a = known_reference(key.first), b = known_reference(key.second);
        if (a.IsSame(&b) != 0) return nullptr;
        const GdalMessages messages;
        Made made(OGRCreateCoordinateTransformation(&a, &b));
        if (!made)
            throw Error(ErrorCode::input,
                        fmt::format("There is no way from {} to {}: {}.", key.first.substr(0, 60),
                                    key.second.substr(0, 60), messages.reason()));
        return made;
    }
    void give_back(const Key& key, Made made) {
        const std::lock_guard lock(m_mutex);
        if (auto& idle = m_idle[key]; idle.size() < most_idle) idle.push_back(std::move(made));
    }

  private:
    static constexpr std::size_t most_idle = 64;
    std::mutex m_mutex;
    std::map<Key, std::vector<Made>> m_idle;
};

TransformationPool& transformations() {
    static auto* pool = new TransformationPool;  // outlives every static that might still transform
    return *pool;
}

}  // namespace

struct Transformation::Impl {
    TransformationPool::Key key;
    TransformationPool::Made ct;  // null = same CRS
    ~Impl() {
        if (ct) transformations().give_back(key, std::move(ct));
    }
};

Transformation::Transformation(const std::string& from, const std::string& to)
    : m_impl(std::make_unique<Impl>()) {
    m_impl->key = {from, to};
    if (from != to) m_impl->ct = transformations().take(m_impl->key);
}
Transformation::~Transformation() = default;
Transformation::Transformation(Transformation&&) noexcept = default;

Geometry Transformation::operator()(Geometry g) const {
    if (!m_impl->ct) return g;
    const GdalMessages messages;
    if (g.m_geometry->transform(m_impl->ct.get()) != OGRERR_NONE)
        throw Error(ErrorCode::input, fmt::format("A geometry cannot be reprojected: {}.", messages.reason()),
                    "Check the layer's CRS: the coordinates do not fit it.");
    return g;
}

Point Transformation::operator()(Point p) const {
    if (m_impl->ct && m_impl->ct->Transform(1, &p.x, &p.y) == 0)
        throw Error(ErrorCode::input, "A point cannot be reprojected.", "Check the layer's CRS.");
    return p;
}

double geodesic_area(const Geometry& geometry, const Transformation& to_geographic) {
    geod_geodesic ellipsoid;
    geod_init(&ellipsoid, cgcs2000_a, cgcs2000_f);
    const auto ring_area = [&](const Ring& ring) {
        geod_polygon polygon;
        geod_polygon_init(&polygon, 0);
        for (std::size_t i = 0; i + 1 < ring.size(); ++i)
            geod_polygon_addpoint(&ellipsoid, &polygon, ring[i].y, ring[i].x);
        double area = 0, length = 0;
        geod_polygon_compute(&ellipsoid, &polygon, 0, 1, &area, &length);
        return std::abs(area);
    };
    double sum = 0;
    for (const auto& p : to_geographic(geometry).polygons()) {
        sum += ring_area(p.outer);
        for (const auto& hole : p.holes) sum -= ring_area(hole);
    }
    return sum;
}

bool is_geographic(const std::string& crs) {
    return known_reference(crs).IsGeographic() != 0;
}

std::string crs_wkt(const std::string& crs) {
    char* text = nullptr;
    const char* const options[] = {"FORMAT=WKT1_GDAL", "MULTILINE=NO", nullptr};
    const auto code = known_reference(crs).exportToWkt(&text, options);
    const std::string wkt = text == nullptr ? "" : text;
    CPLFree(text);
    if (code != OGRERR_NONE || wkt.empty())
        throw Error(ErrorCode::input, fmt::format("The CRS '{}' cannot be written as WKT.", crs),
                    "Use a CRS of the EPSG registry.");
    return wkt;
}

int gauss_kruger_meridian(double longitude) {
    return static_cast<int>(std::clamp(std::lround(longitude / 3) * 3, 75L, 135L));
}
int gauss_kruger_code(double longitude) {
    return 4534 + (gauss_kruger_meridian(longitude) - 75) / 3;
}

}  // namespace shuibao::io
