// SPDX-License-Identifier: Apache-2.0
// Oracles O1 and O3 through the detector's interface: from stored numbers with scale and offset to the change
// map, `cold` says what the published core and the pure algorithm say. Said and passed when the data is
// absent.
#include <algorithm>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "support/series_pixels.hpp"
#include "support/shared_data.hpp"
#include <shuibao/algorithms/cold.hpp>

using namespace shuibao;
using namespace shuibao::algorithms;
using namespace shuibao::test;

namespace {

constexpr std::int32_t ordinal_1970 = 719163;

// day, blue, green, red, NIR, SWIR1, SWIR2, thermal, Fmask (0 clear, 1 water, 2 shadow, 3 snow, 4 cloud, 255
// fill); some begin with a header or a byte order mark.
struct Pixel {
    std::vector<Date> dates;
    std::vector<std::array<double, 6>> rows;
    std::vector<Quality> quality;
};

Pixel pixel_of(const std::string& name) {
    Pixel p;
    std::ifstream file(shared("pixel_timeseries/" + name));
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with("\xEF\xBB\xBF")) line.erase(0, 3);
        if (line.empty() || line[0] < '0' || line[0] > '9') continue;
        std::vector<double> field;
        std::istringstream text(line);
        for (std::string item; std::getline(text, item, ',');) field.push_back(std::stod(item));
        REQUIRE(field.size() >= 9);
        if (field[8] == 255) continue;
        p.dates.emplace_back(static_cast<std::int32_t>(field[0]) - ordinal_1970);
        std::copy_n(field.begin() + 1, 6, p.rows.emplace_back().begin());
        p.quality.push_back(field[8] == 0   ? Quality::clear
                            : field[8] == 1 ? Quality::water
                            : field[8] == 3 ? Quality::snow
                                            : Quality::cloud);
    }
    REQUIRE(p.dates.size() > 50);
    return p;
}

class PixelLooks final : public LookSource {
  public:
    explicit PixelLooks(const Pixel& pixel) : m_pixel(pixel) {}
    [[nodiscard]] std::span<const Date> dates() const override { return m_pixel.dates; }
    [[nodiscard]] std::size_t applied() const override { return 0; }
    [[nodiscard]] const Image& read(std::size_t i) override {
        m_image.date = m_pixel.dates[i];
        m_image.bands = {Band::blue, Band::green, Band::red, Band::nir, Band::swir16, Band::swir22};
        m_image.scaling.assign(6, {1e-4F, -0.1F});
        m_image.pixels.reset({0, 0, 1, 1}, 6);
        for (int b = 0; b < 6; ++b)  // what the core refuses as no reflectance stays outside its range
            m_image.pixels.plane(b)[0] = static_cast<std::uint16_t>(
                std::clamp(m_pixel.rows[i][static_cast<std::size_t>(b)] + 1000, 0.0, 65535.0));
        m_image.pixels.quality()[0] = m_pixel.quality[i];
        return m_image;
    }

  private:
    const Pixel& m_pixel;
    Image m_image;
};

std::vector<ColdSegment> pure(const Pixel& p) {
    std::vector<std::int32_t> days;
    std::vector<Look> looks;
    std::vector<float> values;
    for (std::size_t i = 0; i < p.dates.size(); ++i) {
        days.push_back(p.dates[i].days() + ordinal_1970);
        looks.push_back(usable(p.quality[i])            ? Look::clear
                        : p.quality[i] == Quality::snow ? Look::snow
                                                        : Look::hidden);
    }
    for (std::size_t b = 0; b < 6; ++b)
        for (const auto& row : p.rows) values.push_back(static_cast<float>(row[b]));
    std::vector<ColdSegment> out;
    Cold(days, 6).run(values, looks, out);
    return out;
}

struct Said {
    Change change;
    std::int32_t alarm;
};
Said said_of(const Pixel& p, Date watched) {
    const Follower f(watched, "cold");
    DetectorState state;
    const auto names = f.detector->state_bands();
    state.reset({0, 0, 1, 1}, names.size());
    PixelLooks looks(p);
    f.detector->advance(looks, f.times, f.options, state);
    const auto alarm =
        static_cast<std::size_t>(std::find(names.begin(), names.end(), "alarm") - names.begin());
    REQUIRE(alarm < names.size());
    return {f.report(state, p.dates.back(), 400), state.planes[alarm][0]};
}

}  // namespace

TEST_CASE("cold as a detector, O1 and O3: the published break, dated as by the pure algorithm") {
    struct Case {
        const char* name;
        std::int32_t last_before, broken;
        const char* watched;
    };
    for (const auto& [name, last_before, broken, watched] :
         {Case{"spectral_336_3980_obs.csv", 735032, 735040, "2005-01-01"},
          Case{"pyxccd_1_hls_sc.csv", 0, 738968, "2020-01-01"}}) {
        CAPTURE(name);
        if (!have_shared(std::string("pixel_timeseries/") + name)) continue;
        const Pixel p = pixel_of(name);
        const auto segments = pure(p);
        REQUIRE(segments.front().break_day == broken);
        const auto [change, alarm] = said_of(p, day(watched));
        REQUIRE(change.evidence[0] != Change::unobserved);
        CHECK(change.evidence[0] >= Change::evidence_zero);
        CHECK(change.onset_to[0] == broken - ordinal_1970);
        if (last_before > 0) CHECK(change.onset_from[0] == last_before - ordinal_1970);
        CHECK(change.onset_from[0] == segments.front().last_day - ordinal_1970);
        CHECK(alarm == segments.front().confirmed_day - ordinal_1970);
        // Six looks, so five gaps and more after the first.
        const auto at = std::lower_bound(p.dates.begin(), p.dates.end(), Date(broken - ordinal_1970));
        REQUIRE(p.dates.end() - at > 5);
        CHECK(alarm >= at[5].days());
        // What lies before the watched time is history.
        CHECK(said_of(p, Date(broken - ordinal_1970 + 1)).change.evidence[0] != change.evidence[0]);
    }
}

TEST_CASE("cold as a detector, O3: silent on beetles, moths and logging, as published") {
    for (const std::string name :
         {"pyxccd_2_mpb_co_landsat.csv", "pyxccd_2_sm_ma_landsat.csv", "pyxccd_7_logging_hls_w0.csv"}) {
        CAPTURE(name);
        if (!have_shared("pixel_timeseries/" + name)) continue;
        const Pixel p = pixel_of(name);
        const auto change = said_of(p, Date(p.dates.front().days() + 732)).change;
        CHECK(change.evidence[0] == Change::no_evidence);
    }
}
