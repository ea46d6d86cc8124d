// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "field_rows.hpp"

namespace shuibao::pipeline {
namespace {

// The ranked list as a table, with the place of each in degrees.
class CsvExporter final : public Exporter {
  public:
    [[nodiscard]] ExporterInfo info() const override {
        return {.summary =
                    "suspects_<batch>.csv (UTF-8 with byte order mark): the ranked list, with longitude and "
                    "latitude",
                .purpose = "For spreadsheets and scripts",
                .scope = ExportScope::batch};
    }
    [[nodiscard]] std::vector<std::string> files(const ExportInput& input) const override {
        return {fmt::format("suspects_{}.csv", input.batch)};
    }
    void write(const ExportInput& input, const std::filesystem::path& folder) const override {
        const auto& source = input.suspects;
        io::LayerData table;
        table.name = "suspects";
        table.crs = source.crs;
        for (const auto& f : source.fields) table.fields.push_back({f});
        table.fields.push_back({"longitude", io::FieldType::real});
        table.fields.push_back({"latitude", io::FieldType::real});
        const io::Transformation to_geographic(source.crs, "EPSG:4490");
        for (const auto* f : source.rows) {
            io::LayerData::Row row;
            for (const auto& name : source.fields) row.values.push_back(plain(field_of(*f, name)));
            const auto p = to_geographic(f->shape.point_inside());
            row.values.emplace_back(fmt::format("{:.6f}", p.x));
            row.values.emplace_back(fmt::format("{:.6f}", p.y));
            table.rows.push_back(std::move(row));
        }
        io::write_csv(folder / files(input).front(), table);
    }
};

const Registration<Exporter, CsvExporter> registration{"csv", 20};

}  // namespace
}  // namespace shuibao::pipeline
