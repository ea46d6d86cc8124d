// SPDX-License-Identifier: Apache-2.0
// Areas on the ellipsoid against the integral of the authalic latitude (Snyder 1987, eq. 3-12) along the
// edges: another formula than the geodesics the program uses.
#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <random>

#include <doctest/doctest.h>

#include "support/boxes.hpp"
#include <shuibao/io/geometry.hpp>

using namespace shuibao;

namespace {

constexpr double a = 6378137, f = 1 / 298.257222101, pi = std::numbers::pi;  // CGCS2000

// Area between the equator and a parallel, per radian of longitude.
double strip(double latitude) {
    const double e = std::sqrt(f * (2 - f)), s = std::sin(latitude);
    return a * a * (1 - e * e) / 2 * (s / (1 - e * e * s * s) + std::atanh(e * s) / e);
}

// Geodetic latitude of the foot of the normal through a point near the surface (Bowring 1976, to 1e-12 here).
double surface_latitude(double x, double y, double z) {
    const double e2 = f * (2 - f), b = a * (1 - f), p = std::hypot(x, y), u = std::atan2(z * a, p * b);
    return std::atan2(z + e2 / (1 - e2) * b * std::pow(std::sin(u), 3),
                      p - e2 * a * std::pow(std::cos(u), 3));
}

// Edges follow the section through the chord, which leaves the geodesic by less than a millimetre over 50 km;
// each is cut into 200 pieces.
double area_of(const Ring& ring) {
    const double e2 = f * (2 - f);
    const auto cartesian = [&](Point p) {
        const double la = p.y * pi / 180, lo = p.x * pi / 180,
                     n = a / std::sqrt(1 - e2 * std::sin(la) * std::sin(la));
        return std::array{n * std::cos(la) * std::cos(lo), n * std::cos(la) * std::sin(lo),
                          n * (1 - e2) * std::sin(la)};
    };
    double sum = 0;
    for (std::size_t i = 0; i + 1 < ring.size(); ++i) {
        const auto p = cartesian(ring[i]), q = cartesian(ring[i + 1]);
        constexpr int pieces = 200;
        double lo0 = ring[i].x * pi / 180, la0 = ring[i].y * pi / 180;
        for (int k = 1; k <= pieces; ++k) {
            const double t = static_cast<double>(k) / pieces;
            const double x = p[0] + t * (q[0] - p[0]), y = p[1] + t * (q[1] - p[1]),
                         z = p[2] + t * (q[2] - p[2]);

            const double lo = std::atan2(y, x), la = surface_latitude(x, y, z);
            sum += (lo - lo0) * (strip(la0) + 4 * strip((la0 + la) / 2) + strip(la)) / 6;
            lo0 = lo;
            la0 = la;
        }
    }
    return std::abs(sum);
}

}  // namespace

TEST_CASE("areas on the ellipsoid agree with an independent integral") {
    std::mt19937 random(21);
    const auto uniform = [&](double low, double high) {
        return low + (high - low) * static_cast<double>(random()) / 4294967295.0;
    };
    const io::Transformation same("EPSG:4490", "EPSG:4490");
    for (int round = 0; round < 300; ++round) {
        const double latitude = uniform(-55, 55), longitude = uniform(74, 135);
        const double radius = std::pow(10, uniform(-3.7, -0.7));  // degrees: 20 m to 20 km
        Ring ring;
        const int corners = 3 + static_cast<int>(random() % 20);
        for (int i = 0; i < corners; ++i) {
            const double angle = 2 * pi * i / corners, r = radius * uniform(0.4, 1);
            ring.push_back({longitude + r * std::cos(angle) / std::cos(latitude * pi / 180),
                            latitude + r * std::sin(angle)});
        }
        ring.push_back(ring.front());
        const double want = area_of(ring);
        CAPTURE(radius);
        CHECK(io::geodesic_area(io::Geometry(MultiPolygon{Polygon{ring, {}}}), same) ==
              doctest::Approx(want).epsilon(1e-6));
        // A hole is taken away, and the direction of rings does not matter.
        Ring inner;
        for (const auto& p : ring)
            inner.push_back({longitude + 0.5 * (p.x - longitude), latitude + 0.5 * (p.y - latitude)});
        std::reverse(ring.begin(), ring.end());
        CHECK(io::geodesic_area(io::Geometry(MultiPolygon{Polygon{ring, {inner}}}), same) ==
              doctest::Approx(want - area_of(inner)).epsilon(1e-6));
    }
}

TEST_CASE("the same ground has the same area in every projection") {
    std::mt19937 random(22);
    for (int round = 0; round < 60; ++round) {
        const double x = 380000 + static_cast<double>(random() % 240000),
                     y = 2'400'000 + static_cast<double>(random() % 2'400'000);
        const auto shape = test::boxes("0 0 300 200; 100 150 180 400 - 20 20 60 60", x, y);
        const io::Transformation from_zone("EPSG:4546", "EPSG:4490");
        const double here = io::geodesic_area(shape, from_zone);
        for (const char* other : {"EPSG:4547", "EPSG:32649", "EPSG:3857", "EPSG:4490"}) {
            CAPTURE(other);
            const auto moved = io::Transformation("EPSG:4546", other)(shape);
            CHECK(io::geodesic_area(moved, io::Transformation(other, "EPSG:4490")) ==
                  doctest::Approx(here).epsilon(1e-7));
        }
    }
}

TEST_CASE("zones of 3 degrees") {
    for (int meridian = 75; meridian <= 135; meridian += 3) {
        const int code = 4534 + (meridian - 75) / 3;
        for (const double offset : {-1.49, 0.0, 1.49}) {
            CHECK(io::gauss_kruger_meridian(meridian + offset) == meridian);
            CHECK(io::gauss_kruger_code(meridian + offset) == code);
        }
        // PROJ agrees about what the code means.
        const auto p = io::Transformation(
            "EPSG:4490", "EPSG:" + std::to_string(code))(Point{static_cast<double>(meridian), 33});
        CHECK(p.x == doctest::Approx(500000).epsilon(1e-9));
    }
}

TEST_CASE(
    "A simplified border has fewer vertices and lies nowhere farther than the distance from what it was") {
    std::mt19937 random(3);
    std::uniform_real_distribution<double> wave(-1, 1);
    for (int round = 0; round < 20; ++round) {
        Ring ring;
        const double a3 = wave(random), a7 = wave(random), a31 = wave(random);
        for (int i = 0; i < 2000; ++i) {
            const double t = 2 * pi * i / 2000, r = 1000 + 200 * a3 * std::sin(3 * t) +
                                                    60 * a7 * std::sin(7 * t) + 9 * a31 * std::sin(31 * t);
            ring.push_back({500000 + r * std::cos(t), 3600000 + r * std::sin(t)});
        }
        ring.push_back(ring.front());
        const io::Geometry shape(MultiPolygon{{ring, {}}});
        for (const double distance : {1.0, 5.0, 25.0}) {
            const auto simple = shape.simplified(distance);
            CAPTURE(distance);
            CHECK(simple.valid());
            CHECK(simple.vertices() < shape.vertices() / 4);
            CHECK(simple.vertices() >= 4);
            CHECK(shape.depth_beyond(simple) <= distance * 1.0001);
            CHECK(simple.depth_beyond(shape) <= distance * 1.0001);
        }
    }
}

TEST_CASE("whether shapes lie within a distance of each other is what the distance says") {
    std::mt19937 random(7);
    const auto between = [&](double least, double most) {
        return std::uniform_real_distribution(least, most)(random);
    };
    const auto star = [&](double x, double y) {
        const int corners = static_cast<int>(between(3, 12));
        Ring ring;
        for (int k = 0; k < corners; ++k) {
            const double r = between(5, 60), t = 2 * pi * k / corners;
            ring.push_back({x + r * std::cos(t), y + r * std::sin(t)});
        }
        ring.push_back(ring.front());
        return io::Geometry(MultiPolygon{Polygon{ring, {}}});
    };
    int near = 0, far = 0;
    for (int round = 0; round < 2000; ++round) {
        const auto p = star(0, 0), q = star(between(-400, 400), between(-400, 400));
        const double d = p.distance(q);
        for (const double most : {0.0, 10.0, 100.0, d - 1e-6, d, d + 1e-6}) {
            if (most < 0) continue;
            CHECK(p.within_distance(q, most) == (d <= most));
            CHECK(q.within_distance(p, most) == (q.distance(p) <= most));
            ++(d <= most ? near : far);
        }
    }
    CHECK(near > 1000);
    CHECK(far > 1000);
    CHECK_FALSE(io::Geometry().within_distance(star(0, 0), 1e9));
}

TEST_CASE("depth beyond a shape is the distance of the vertex that is farthest from it") {
    std::mt19937 random(11);
    std::uniform_real_distribution<double> wave(-1, 1), place(-900, 900);
    const auto blob = [&](int vertices) {
        Ring ring;
        const double a2 = wave(random), a5 = wave(random), x = place(random), y = place(random);
        for (int i = 0; i < vertices; ++i) {
            const double t = 2 * pi * i / vertices,
                         r = 400 + 150 * a2 * std::sin(2 * t) + 90 * a5 * std::cos(5 * t);
            ring.push_back({500000 + x + r * std::cos(t), 3600000 + y + r * std::sin(t)});
        }
        ring.push_back(ring.front());
        return ring;
    };
    for (int round = 0; round < 200; ++round) {
        // More vertices than are asked for how far they may be, and fewer; apart, across and inside.
        const MultiPolygon parts = {{blob(7 + round), {}}};
        const io::Geometry from(parts), beyond(MultiPolygon{{blob(5 + 3 * (round % 60)), {}}});
        double farthest = 0;
        for (const auto& p : parts.front().outer) farthest = std::max(farthest, beyond.distance(p));
        CAPTURE(round);
        CHECK(from.depth_beyond(beyond) == doctest::Approx(farthest).epsilon(1e-12));
    }
}
