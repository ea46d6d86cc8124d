// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "surface.hpp"

namespace shuibao::algorithms::simulated {
namespace {

constexpr std::int64_t strip = 32, rim = 3;

// Gaussian quantiles: twelve random bits make one draw, so that one hash serves five bands.
struct Quantiles {
    static constexpr int count = 4096;
    std::array<float, count> value{};
    Quantiles() {
        for (int i = 0; i < count / 2; ++i) {
            const double p = (i + 0.5) / count;
            double low = -5, high = 0;
            for (int step = 0; step < 40; ++step) {
                const double middle = (low + high) / 2;
                (0.5 * std::erfc(-middle / std::sqrt(2.0)) < p ? low : high) = middle;
            }
            // To 1/1024, so that the last bit of the C library's erfc cannot matter.
            value[static_cast<std::size_t>(i)] = static_cast<float>(std::round(low * 1024) / 1024);
            value[static_cast<std::size_t>(count - 1 - i)] = -value[static_cast<std::size_t>(i)];
        }
    }
};

// Weights of four neighbours for a shift of t pixels together with the sensor's blur (0.12, 0.76, 0.12).
struct Taps {
    std::int64_t first;
    std::array<float, 4> weight;
    explicit Taps(float shift) {
        const double t = -static_cast<double>(shift), whole = std::floor(t), f = t - whole;
        first = static_cast<std::int64_t>(whole) - 1;
        weight = {static_cast<float>(0.12 * (1 - f)), static_cast<float>(0.76 * (1 - f) + 0.12 * f),
                  static_cast<float>(0.12 * (1 - f) + 0.76 * f), static_cast<float>(0.12 * f)};
    }
};

class Drawing {
  public:
    Drawing(const Plan& plan, std::size_t i)
        : m_plan(plan),
          m_look(plan.looks[i]),
          m_day(m_look.date.days()),
          m_n(plan.options.size),
          m_bands(static_cast<std::size_t>(plan.options.bands)),
          m_seed(part(part(plan.options.seed, 98), static_cast<std::uint64_t>(m_day))),
          m_surfaces(plan, m_day),
          m_sky(make_sky(plan, i)),
          m_snow(plan.weather.snow[plan.weather.at(m_day)]),
          m_across(m_look.shift_x),
          m_down(m_look.shift_y) {
        const Sun sun = sun_on(m_day);
        m_light_x = static_cast<float>(-std::tan(sun.zenith) * std::sin(sun.azimuth));
        m_light_y = static_cast<float>(std::tan(sun.zenith) * std::cos(sun.azimuth));
        const auto pixels = static_cast<std::size_t>(m_n * m_n);
        m_out.bands.assign(m_bands, std::vector<std::uint16_t>(pixels));
        m_out.scl.resize(pixels);
        m_out.sites.resize(plan.sites.size());
        m_width = static_cast<std::size_t>(m_n + 2 * rim);
    }

    Picture draw() {
        for (std::int64_t row = 0; row < m_n; row += strip) {
            const auto rows = std::min(strip, m_n - row);
            ground(row, rows);
            for (std::int64_t y = row; y < row + rows; ++y) {
                blur(y - row);
                sky_over(y);
                expose(y);
                mask(y, y - row);
            }
        }
        return std::move(m_out);
    }

  private:
    // Reflectance of the land under a clear sky, with a rim: what lies outside is like its border.
    void ground(std::int64_t row, std::int64_t rows) {
        const auto lines = static_cast<std::size_t>(rows + 2 * rim);
        m_ground.resize(m_bands * lines * m_width);
        m_flags.resize(lines * m_width);
        m_lines = lines;
        for (std::size_t j = 0; j < lines; ++j) {
            const auto y = std::clamp<std::int64_t>(row + static_cast<std::int64_t>(j) - rim, 0, m_n - 1);
            for (std::size_t i = 0; i < m_width; ++i) {
                const auto x = std::clamp<std::int64_t>(static_cast<std::int64_t>(i) - rim, 0, m_n - 1);
                const auto k = static_cast<std::size_t>(y * m_n + x);
                const Surface& s = m_surfaces[m_surfaces.of(k)];
                float texture = m_plan.land.texture[k];
                if (s.rough > 0)
                    texture *=
                        1 + s.rough * static_cast<float>(
                                          2 * uniform(part(static_cast<std::uint64_t>(m_day / 15), k)) - 1);
                const float green = std::min(1.0F, s.green * (2 - m_plan.land.texture[k]));
                float light = 1 + m_light_x * m_plan.land.slope_x[k] + m_light_y * m_plan.land.slope_y[k];
                light = std::clamp(0.25F + 0.75F * light, 0.3F, 1.7F);  // a quarter comes from the sky
                const float bare = texture * (1 - green) * light, leafy = green * light;
                const float snow = m_snow > 0.02F ? snow_on(x, y) * s.snow : 0;
                float* out = &m_ground[j * m_width + i];
                for (std::size_t b = 0; b < m_bands; ++b)
                    out[b * lines * m_width] = s.ground[b] * bare + s.plant[b] * leafy;
                if (snow > 0)
                    for (std::size_t b = 0; b < m_bands; ++b) {
                        float& v = out[b * lines * m_width];
                        v += (material::snow[b] * light - v) * snow;
                    }
                m_flags[j * m_width + i] =
                    static_cast<std::uint8_t>((s.water ? 1 : 0) | (snow > 0.4F ? 2 : 0));
            }
        }
    }

    [[nodiscard]] float snow_on(std::int64_t x, std::int64_t y) const {
        const double patch = billows(m_seed + 1, static_cast<double>(x), static_cast<double>(y), 38);
        return static_cast<float>(
            smooth_step(0.75 * patch, 0.75 * patch + 0.25, static_cast<double>(m_snow)));
    }

    // One line of all bands, moved and blurred, into m_line.
    void blur(std::int64_t line) {
        const auto n = static_cast<std::size_t>(m_n);
        m_line.resize(m_bands * n);
        m_column.resize(m_width);
        const auto top = static_cast<std::size_t>(line + rim + m_down.first);
        for (std::size_t b = 0; b < m_bands; ++b) {
            const float* in = &m_ground[(b * m_lines + top) * m_width];
            const auto& v = m_down.weight;
            for (std::size_t i = 0; i < m_width; ++i)
                m_column[i] = v[0] * in[i] + v[1] * in[i + m_width] + v[2] * in[i + 2 * m_width] +
                              v[3] * in[i + 3 * m_width];
            const float* c = &m_column[static_cast<std::size_t>(rim + m_across.first)];
            float* out = &m_line[b * n];
            const auto& h = m_across.weight;
            for (std::size_t i = 0; i < n; ++i)
                out[i] = h[0] * c[i] + h[1] * c[i + 1] + h[2] * c[i + 2] + h[3] * c[i + 3];
        }
    }

    // The cloud field over a row of pixels, bilinear between lattice points, from a point moved by (dx, dy).
    void field_over(std::int64_t y, float dx, float dy, std::vector<float>& out) {
        const float fy = static_cast<float>(y) / Sky::step + Sky::margin + dy;
        const auto j = static_cast<int>(fy);
        const float v = fy - static_cast<float>(j);
        const float* a = &m_sky.field[static_cast<std::size_t>(j * m_sky.points)];
        const float* b = a + m_sky.points;
        m_coarse.resize(static_cast<std::size_t>(m_sky.points));
        for (std::size_t i = 0; i < m_coarse.size(); ++i) m_coarse[i] = a[i] + (b[i] - a[i]) * v;
        out.resize(static_cast<std::size_t>(m_n));
        for (std::size_t x = 0; x < out.size(); ++x) {
            const float fx = static_cast<float>(x) / Sky::step + Sky::margin + dx;
            const auto i = static_cast<std::size_t>(fx);
            out[x] = m_coarse[i] + (m_coarse[i + 1] - m_coarse[i]) * (fx - static_cast<float>(i));
        }
    }

    // Opacity of the cloud and depth of the shadow over a row: thin where the mask misses them.
    void sky_over(std::int64_t y) {
        field_over(y, 0, 0, m_here);
        field_over(y, m_sky.cast_x, m_sky.cast_y, m_caster);
        const auto n = static_cast<std::size_t>(m_n);
        m_opacity.resize(n);
        m_shadow.resize(n);
        const auto depth = [this](float field, float masked, float low, float high) {
            if (field <= m_sky.cloud) return 0.0F;
            if (field <= masked) return low + (high - low) * (field - m_sky.cloud) / (masked - m_sky.cloud);
            return std::min(1.0F, high + (1 - high) * (field - masked) / 0.06F);
        };
        for (std::size_t x = 0; x < n; ++x) {
            m_opacity[x] = 0.98F * depth(m_here[x], m_sky.masked_cloud, 0.05F, 0.35F);
            m_shadow[x] = depth(m_caster[x], m_sky.masked_shadow, 0.2F, 0.5F);
        }
    }

    // Air, cloud and sensor: from reflectance of the land to the numbers of the file.
    void expose(std::int64_t y) {
        static const Quantiles quantiles;
        static constexpr std::array<float, 6> darkening = {0.40F, 0.46F, 0.50F, 0.53F, 0.55F, 0.56F};
        const auto n = static_cast<std::size_t>(m_n);
        m_noise.resize(m_bands * n);
        const auto first = static_cast<std::uint64_t>(y * m_n);
        for (std::size_t x = 0; x < n; ++x) {
            std::uint64_t bits = mix(m_seed ^ (first + x));
            for (std::size_t b = 0; b < m_bands; ++b) {
                if (b == 5) bits = mix(bits);
                m_noise[b * n + x] = quantiles.value[bits & 0xFFF];
                bits >>= 12;
            }
        }
        const float calibration = m_look.miscalibrated ? 0.1F : 0, offset = m_look.offset ? 1000.5F : 0.5F;
        for (std::size_t b = 0; b < m_bands; ++b) {
            float* v = &m_line[b * n];
            const float* noise = &m_noise[b * n];
            std::uint16_t* out = &m_out.bands[b][static_cast<std::size_t>(y) * n];
            const float gain = m_look.gain[b], haze = m_look.haze[b] + calibration,
                        cloud = material::cloud[b], dark = darkening[b];
            for (std::size_t x = 0; x < n; ++x) {
                float r = v[x] * (1 - dark * m_shadow[x]) * gain + haze;
                r += (cloud * (0.7F + 0.6F * m_here[x]) - r) * m_opacity[x];
                r += (0.0015F + 0.011F * r) * noise[x];
                v[x] = r;
                out[x] = static_cast<std::uint16_t>(std::clamp(r * 10000 + offset, 1.0F, 20000.0F));
            }
        }
    }

    // The scene classification with its mistakes, and what it lets people see of the sites.
    void mask(std::int64_t y, std::int64_t line) {
        const auto n = static_cast<std::size_t>(m_n);
        // The classification is made from the moved image.
        const auto j = static_cast<std::size_t>(line + rim - std::lround(m_look.shift_y));
        const auto moved = static_cast<std::ptrdiff_t>(rim - std::lround(m_look.shift_x));
        const float edge = m_look.swath_x + m_look.swath_slope * static_cast<float>(y);
        for (std::size_t x = 0; x < n; ++x) {
            const auto k = static_cast<std::size_t>(y) * n + x;
            if (m_look.swath_x > 0 && static_cast<float>(x) >= edge) {
                for (auto& band : m_out.bands) band[k] = 0;
                m_out.scl[k] = 0;
                see(k, false);
                continue;
            }
            ++m_out.data;
            const auto flags =
                m_flags[j * m_width + static_cast<std::size_t>(static_cast<std::ptrdiff_t>(x) + moved)];
            const std::uint16_t code = class_of(x, y, k, flags);
            m_out.scl[k] = code;
            const bool clear = code == 4 || code == 5 || code == 6;
            if (clear) {
                ++m_out.clear;
                if (m_here[x] > m_sky.cloud)
                    ++m_out.missed_cloud;
                else if (m_caster[x] > m_sky.cloud)
                    ++m_out.missed_shadow;
            }
            see(k, clear);
        }
    }

    [[nodiscard]] std::uint16_t class_of(std::size_t x, std::int64_t y, std::size_t k, std::uint8_t flags) {
        const auto n = static_cast<std::size_t>(m_n);
        if (m_here[x] > m_sky.masked_cloud) return m_opacity[x] < 0.55F ? 10 : m_opacity[x] < 0.8F ? 8 : 9;
        if (m_caster[x] > m_sky.masked_shadow) return 3;
        if ((flags & 2) != 0 && uniform(m_seed + 7 + k) > 0.05) {
            ++m_out.snow;
            return 11;
        }
        const float red = m_line[2 * n + x], nir = m_line[3 * n + x];
        const float visible = (m_line[x] + m_line[n + x] + red) / 3;
        // Bright roofs, film and dry soil are called cloud now and then, in patches.
        if (visible > 0.185F &&
            billows(m_seed + 5, static_cast<double>(x), static_cast<double>(y), 13) > 0.69) {
            ++m_out.false_cloud;
            return 8;
        }
        if ((flags & 1) != 0) return 6;
        return nir - red > 0.4F * (nir + red) ? 4 : 5;
    }

    void see(std::size_t k, bool clear) {
        const auto s = m_plan.site[k];
        if (s < 0 || m_plan.opened[k] > m_day - m_plan.options.from.days()) return;
        auto& view = m_out.sites[static_cast<std::size_t>(s)];
        ++view.open;
        if (clear) ++view.clear;
    }

    const Plan& m_plan;
    const Look& m_look;
    int m_day;
    std::int64_t m_n;
    std::size_t m_bands, m_width = 0, m_lines = 0;
    std::uint64_t m_seed;
    Surfaces m_surfaces;
    Sky m_sky;
    float m_snow, m_light_x = 0, m_light_y = 0;
    Taps m_across, m_down;
    Picture m_out;
    std::vector<float> m_ground, m_line, m_column, m_noise, m_coarse, m_here, m_caster, m_opacity, m_shadow;
    std::vector<std::uint8_t> m_flags;
};

}  // namespace

Picture draw(const Plan& plan, std::size_t i) {
    return Drawing(plan, i).draw();
}

}  // namespace shuibao::algorithms::simulated
