// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <fmt/format.h>

#include "field_rows.hpp"
#include "range_states.hpp"
#include <shuibao/io/workbook.hpp>

namespace shuibao::pipeline {
namespace {

// The ledger (台账) that a county keeps, and what stands in it in a few numbers.
class WorkbookExporter final : public Exporter {
  public:
    [[nodiscard]] ExporterInfo info() const override {
        return {
            .summary =
                "<stem>.xlsx: the suspects as a ledger with filters, real dates and numbers and columns to "
                "fill in, and a summary sheet",
            .purpose = "For Excel, WPS and LibreOffice: county officers, and the city over all counties",
            .scope = ExportScope::both};
    }
    [[nodiscard]] std::map<std::string, std::string> inputs(const ExportInput& input) const override {
        auto inputs = word_inputs(input.run);
        if (const auto share = share_with_range(input.run.store, input.batch))
            inputs["share with range"] = fmt::format("{}", *share);
        return inputs;
    }
    [[nodiscard]] std::vector<std::string> files(const ExportInput& input) const override {
        return {input.stem + ".xlsx"};
    }
    void write(const ExportInput& input, const std::filesystem::path& folder) const override {
        const ExportWords words(input.run);
        const auto title = words.text("title");
        const std::vector<io::Sheet> sheets = {summary(input, words), ledger(input, words)};
        io::write_workbook(folder / files(input).front(), fmt::format("{} {}", title, input.batch), sheets);
    }

  private:
    static io::Sheet ledger(const ExportInput& input, const ExportWords& words) {
        io::Sheet sheet{.name = "图斑台账", .tables = {{}}, .ledger = true};
        auto& table = sheet.tables.front();
        // What the first column counts, the rows go by: the way of a county, the rank over all counties.
        auto columns = words.columns("ledger");
        auto stops = visiting_order(input.suspects, words);
        if (input.whole)
            std::stable_partition(columns.begin(), columns.end(),
                                  [](const auto& c) { return c.field == "rank"; });
        else
            sort_by_turn(stops);
        for (const auto& c : columns) {
            const auto title = words.label(input.whole && c.field == "route" ? "county_route" : c.field);
            table.columns.push_back(
                {title, c.decimals, c.width, c.field == "tier" ? fills(input, words) : Fills()});
            if (c.field == "case_id") sheet.kept = table.columns.size();
        }
        for (const auto& title : words.form()) table.columns.push_back({title, 0, 14});
        // What is chosen from the list, `feedback` takes.
        table.columns[columns.size()].choices = words.findings();
        for (const auto& stop : stops) {
            std::vector<io::Value> row;
            for (const auto& c : columns) row.push_back(value_of(stop, c.field));
            row.resize(table.columns.size());
            table.rows.push_back(std::move(row));
        }
        return sheet;
    }

    using Fills = std::map<std::string, std::uint32_t>;
    static Fills fills(const ExportInput& input, const ExportWords& words) {
        Fills map;
        for (const auto* f : input.suspects.rows) {
            const auto tier = text_of(*f, "tier");
            map.emplace(tier, words.colour(tier));
        }
        return map;
    }

    struct Sum {
        std::int64_t disturbances = 0, suspects = 0,
                     cut_off = 0;      // beyond the capacity: with a tier, not sent
        double area = 0, outside = 0;  // m², of the suspects
        std::int64_t first = 0;        // place of its first row, to keep the order of rank
    };

    static io::SheetTable counted(const ExportInput& input, const ExportWords& words,
                                  const std::string& field) {
        std::map<std::string, Sum> sums;
        std::int64_t n = 0;
        const auto of = [&](const io::VectorFeature& f) -> Sum& {
            const auto [it, fresh] = sums.try_emplace(text_of(f, field));
            if (fresh) it->second.first = n;
            ++n;
            return it->second;
        };
        for (const auto* f : input.disturbances.rows) {
            auto& s = of(*f);
            ++s.disturbances;
            s.cut_off += words.none(text_of(*f, "tier")) ? 0 : 1;
        }
        for (const auto* f : input.suspects.rows) {
            auto& s = of(*f);
            ++s.suspects;
            --s.cut_off;
            s.area += io::to_number(field_of(*f, "area_m2")).value_or(0);
            s.outside += io::to_number(field_of(*f, "outside_tolerant_m2")).value_or(0);
        }
        std::vector<std::pair<std::string, Sum>> list(sums.begin(), sums.end());
        std::sort(list.begin(), list.end(),
                  [](const auto& a, const auto& b) { return a.second.first < b.second.first; });
        io::SheetTable table;
        table.title = "按" + words.label(field) + "统计";
        table.columns = {{words.label(field), 0, 28},
                         {"扰动图斑数", 0, 14},
                         {"疑似图斑数", 0, 14},
                         {"疑似面积（公顷）", 2, 18},
                         {"容差外超出面积（公顷）", 2, 24},
                         {"超出核查能力未下发数", 0, 22}};
        Sum all;
        const auto add = [&](const std::string& name, const Sum& s) {
            table.rows.push_back(
                {name, s.disturbances, s.suspects, s.area / 1e4, s.outside / 1e4, s.cut_off});
        };
        for (const auto& [name, s] : list) {
            add(name.empty() ? words.text("unknown") : name, s);
            all.disturbances += s.disturbances;
            all.suspects += s.suspects;
            all.cut_off += s.cut_off;
            all.area += s.area;
            all.outside += s.outside;
        }
        add("合计", all);
        return table;
    }

    static io::Sheet summary(const ExportInput& input, const ExportWords& words) {
        io::Sheet sheet{.name = "汇总", .tables = {}};
        sheet.preface = {
            words.text("title"),
            fmt::format("期次 {}{}", input.batch, input.county.empty() ? "" : "　" + input.county),
            words.text("disclaimer")};
        if (const auto share = share_with_range(input.run.store, input.batch))
            sheet.preface.push_back(fmt::format("{} {:.0f} %", words.text("share_with_range"), 100 * *share));
        for (const char* field : {"tier", "verdict_zh", "industry"})
            sheet.tables.push_back(counted(input, words, field));
        sheet.tables.push_back(counted(input, words, input.whole ? "county" : "township"));
        return sheet;
    }
};

const Registration<Exporter, WorkbookExporter> registration{"xlsx", 50};

}  // namespace
}  // namespace shuibao::pipeline
