// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "field_rows.hpp"

namespace shuibao::pipeline {
namespace {

// Both layers of the batch for other systems, one class for each format.
template <void (*write_format)(const std::filesystem::path&, const io::LayerData&)>
class OpenVectors : public Exporter {
  public:
    OpenVectors(ExporterInfo info, const char* extension) : m_info(std::move(info)), m_extension(extension) {}
    [[nodiscard]] ExporterInfo info() const override { return m_info; }
    [[nodiscard]] std::map<std::string, std::string> inputs(const ExportInput& input) const override {
        return word_inputs(input.run);
    }
    [[nodiscard]] std::vector<std::string> files(const ExportInput& input) const override {
        return {fmt::format("suspects_{}.{}", input.batch, m_extension),
                fmt::format("disturbances_{}.{}", input.batch, m_extension)};
    }
    void write(const ExportInput& input, const std::filesystem::path& folder) const override {
        const auto names = files(input);
        const auto stops = visiting_order(input.suspects, ExportWords(input.run));
        write_format(folder / names[0], long_layer(input.suspects, stops));
        write_format(folder / names[1], long_layer(input.disturbances));
    }

  private:
    ExporterInfo m_info;
    const char* m_extension;
};

class GeoJsonExporter final : public OpenVectors<io::write_geojson> {
  public:
    GeoJsonExporter()
        : OpenVectors({.summary = "suspects_<batch>.geojson, disturbances_<batch>.geojson: RFC 7946, degrees",
                       .purpose = "For web maps and scripts"},
                      "geojson") {}
};

class FlatGeobufExporter final : public OpenVectors<io::write_flatgeobuf> {
  public:
    FlatGeobufExporter()
        : OpenVectors(
              {.summary = "suspects_<batch>.fgb, disturbances_<batch>.fgb: FlatGeobuf with an index, CRS of "
                          "the imagery",
               .purpose = "For services that read a part of a large layer"},
              "fgb") {}
};

const Registration<Exporter, GeoJsonExporter> geojson{"geojson", 30};
const Registration<Exporter, FlatGeobufExporter> flatgeobuf{"flatgeobuf", 31};

}  // namespace
}  // namespace shuibao::pipeline
