// SPDX-License-Identifier: Apache-2.0
// Pixels in memory: band-sequential planes with their mask. NaN is never "no data".
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

#include <shuibao/core/band.hpp>
#include <shuibao/core/date.hpp>
#include <shuibao/core/grid.hpp>
#include <shuibao/core/quality.hpp>

namespace shuibao {

/// `planes` images of one window, plane after plane, each row-major, with one mask for all planes.
/// Values under a mask that is not usable() are unspecified and must not be read as data.
template <class T>
class Block {
  public:
    Block() = default;
    Block(const Window& window, int planes)
        : m_window(window),
          m_planes(planes),
          m_values(static_cast<std::size_t>(window.pixels()) * static_cast<std::size_t>(planes)),
          m_quality(static_cast<std::size_t>(window.pixels()), Quality::nodata) {}

    /// Makes this a block of another window in place, keeping its memory. All is nodata, values unspecified.
    void reset(const Window& window, int planes) {
        m_window = window;
        m_planes = planes;
        const auto pixels = static_cast<std::size_t>(window.pixels());
        m_values.resize(pixels * static_cast<std::size_t>(planes));
        m_quality.assign(pixels, Quality::nodata);
    }

    [[nodiscard]] const Window& window() const { return m_window; }
    [[nodiscard]] int planes() const { return m_planes; }
    [[nodiscard]] std::size_t pixels() const { return m_quality.size(); }
    [[nodiscard]] std::size_t cols() const { return static_cast<std::size_t>(m_window.cols); }
    [[nodiscard]] std::size_t rows() const { return static_cast<std::size_t>(m_window.rows); }

    [[nodiscard]] std::span<T> plane(int p) {
        return std::span<T>(m_values).subspan(static_cast<std::size_t>(p) * pixels(), pixels());
    }
    [[nodiscard]] std::span<const T> plane(int p) const {
        return std::span<const T>(m_values).subspan(static_cast<std::size_t>(p) * pixels(), pixels());
    }
    [[nodiscard]] std::span<Quality> quality() { return m_quality; }
    [[nodiscard]] std::span<const Quality> quality() const { return m_quality; }

  private:
    Window m_window;
    int m_planes = 0;
    std::vector<T> m_values;
    std::vector<Quality> m_quality;
};

/// One acquisition over one window, as stored: integers with a scaling per plane.
struct Image {
    Date date;
    std::vector<Band> bands;       ///< role of each plane, ascending
    std::vector<Scaling> scaling;  ///< per plane
    bool reflectance = true;       ///< scaled values are reflectance (0–1), else relative DN
    Block<std::uint16_t> pixels;

    /// Plane that holds a role, or -1.
    [[nodiscard]] int plane_of(Band band) const {
        auto it = std::find(bands.begin(), bands.end(), band);
        return it == bands.end() ? -1 : static_cast<int>(it - bands.begin());
    }
    /// Scaled value of a pixel (row-major index) of a plane.
    [[nodiscard]] double value(int plane, std::size_t pixel) const {
        const auto& s = scaling[static_cast<std::size_t>(plane)];
        return static_cast<double>(pixels.plane(plane)[pixel]) * static_cast<double>(s.scale) +
               static_cast<double>(s.offset);
    }
};

}  // namespace shuibao
