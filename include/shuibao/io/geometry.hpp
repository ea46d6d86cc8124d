// SPDX-License-Identifier: Apache-2.0
// Geometry operations (GEOS through OGR) and measures on the ellipsoid.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <shuibao/core/grid.hpp>
#include <shuibao/core/polygon.hpp>

class OGRGeometry;

namespace shuibao::io {

/// A planar areal geometry as a value, in a CRS that whoever holds it knows: lengths and areas are in its
/// unit, coordinates in traditional axis order (x east or longitude, y north or latitude). Two geometries of
/// one operation must be in one CRS. Copies share nothing; operations give new values. Operations throw
/// Error(input) when GEOS fails. An empty geometry is a valid value.
class Geometry {
  public:
    Geometry();
    ~Geometry();
    Geometry(const Geometry& other);
    Geometry(Geometry&& other) noexcept;
    Geometry& operator=(Geometry other) noexcept;
    /// Takes over; areal parts only (lines and points that MakeValid leaves are dropped).
    explicit Geometry(std::unique_ptr<OGRGeometry> geometry);
    explicit Geometry(const MultiPolygon& polygons);
    [[nodiscard]] static Geometry from_wkt(const std::string& wkt);

    [[nodiscard]] bool empty() const;
    [[nodiscard]] bool valid() const;
    [[nodiscard]] Geometry made_valid() const;
    [[nodiscard]] double area() const;  ///< planar, unit of the CRS squared
    [[nodiscard]] double perimeter() const;
    [[nodiscard]] Bounds bounds() const;
    [[nodiscard]] bool intersects(const Geometry& other) const;
    [[nodiscard]] Geometry intersection(const Geometry& other) const;
    [[nodiscard]] Geometry difference(const Geometry& other) const;
    [[nodiscard]] Geometry buffered(double distance) const;  ///< 16 segments per quarter circle
    /// With fewer vertices, none of the boundary moved by more than `distance`, still valid (Douglas and
    /// Peucker 1973, as GEOS's topology preserving simplifier does it): for drawing.
    [[nodiscard]] Geometry simplified(double distance) const;
    [[nodiscard]] double distance(const Geometry& other) const;
    [[nodiscard]] double distance(Point p) const;  ///< 0 inside
    /// Whether distance(other) is at most this; mostly without measuring it.
    [[nodiscard]] bool within_distance(const Geometry& other, double distance) const;
    [[nodiscard]] std::vector<Geometry> parts() const;
    [[nodiscard]] Point point_inside() const;
    /// True when a circle of this radius fits inside, to a hundredth of it. Stops at the first that does, so
    /// it costs a small part of what looking for the largest would.
    [[nodiscard]] bool holds_circle(double radius) const;
    /// What lies in the box; exact along straight cuts (GEOS intersection).
    [[nodiscard]] Geometry within(const Bounds& box) const;
    [[nodiscard]] std::size_t vertices() const;  ///< of all rings, closing points counted
    /// Where a box lies: inside, outside, or across the boundary or so close to it that only GEOS could tell.
    /// O(vertices), without GEOS: most shapes are far smaller than the zones they lie in.
    enum class Lies { inside, outside, across };
    [[nodiscard]] Lies holds(const Bounds& box) const;
    /// Largest distance of a boundary point of this geometry from `other`.
    [[nodiscard]] double depth_beyond(const Geometry& other) const;
    [[nodiscard]] MultiPolygon polygons() const;
    [[nodiscard]] std::string wkt() const;
    [[nodiscard]] const OGRGeometry* ogr() const { return m_geometry.get(); }

  private:
    friend class Transformation;
    std::unique_ptr<OGRGeometry> m_geometry;
};

/// 1 where a pixel's centre lies in one of the shapes (CRS of the grid), else 0; row-major.
[[nodiscard]] std::vector<std::uint8_t> burn(const std::vector<Geometry>& shapes, const Grid& grid,
                                             const Window& window);

/// All polygons side by side, overlapping or not: for measuring (distances, areas of parts that lie apart).
[[nodiscard]] Geometry joined(const std::vector<Geometry>& parts);
[[nodiscard]] Geometry union_of(const std::vector<Geometry>& parts);

/// Brings coordinates from one CRS to another (traditional axis order: x east, y north).
class Transformation {
  public:
    Transformation(const std::string& from_crs, const std::string& to_crs);
    ~Transformation();
    Transformation(Transformation&&) noexcept;
    [[nodiscard]] Geometry operator()(Geometry geometry) const;
    [[nodiscard]] Point operator()(Point p) const;

  private:
    struct Impl;
    std::unique_ptr<Impl> m_impl;
};

/// Area on the CGCS2000 ellipsoid (Karney 2013 geodesics of PROJ), m². `to_geographic` leads to EPSG:4490.
[[nodiscard]] double geodesic_area(const Geometry& geometry, const Transformation& to_geographic);

/// True for CRS in degrees. Throws Error(input) for CRS PROJ does not know.
[[nodiscard]] bool is_geographic(const std::string& crs);
/// The CRS as WKT 1 in one line: WKT 2 names a datum or its ensemble, depending on what PROJ was asked
/// before. Throws Error(input) for CRS PROJ does not know.
[[nodiscard]] std::string crs_wkt(const std::string& crs);

/// EPSG code of the CGCS2000 3-degree Gauss–Krüger zone without zone prefix (4534…4554) for a longitude.
[[nodiscard]] int gauss_kruger_code(double longitude);
/// Central meridian of that zone, degrees east.
[[nodiscard]] int gauss_kruger_meridian(double longitude);

}  // namespace shuibao::io
