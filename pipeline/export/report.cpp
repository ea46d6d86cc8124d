// SPDX-License-Identifier: Apache-2.0
#include <array>

#include <fmt/format.h>

#include "leaflet.hpp"
#include "products.hpp"
#include "report_data.hpp"
#include "report_pdf.hpp"
#include "rules.hpp"
#include <shuibao/engine/hash.hpp>
#include <shuibao/io/atomic_output.hpp>
#include <shuibao/pipeline/archive.hpp>

namespace shuibao::pipeline {
namespace {

constexpr std::array scripts = {"report_base.js", "report_map.js", "report_list.js", "report_tables.js"};

// JSON that may lie inside <script>: no text of it can end the element, nor begin a comment.
std::string inside_script(const nlohmann::ordered_json& j) {
    const auto text = j.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    std::string out;
    out.reserve(text.size());
    for (const char c : text) {
        if (c == '<')
            out += "\\u003c";
        else if (c == '>')
            out += "\\u003e";
        else if (c == '&')
            out += "\\u0026";
        else
            out += c;
    }
    return out;
}

// Without the pointer to a file that is not there.
std::string without_source_map(std::string_view script) {
    return std::string(script.substr(0, script.rfind("//# sourceMappingURL")));
}

// The pictures that Leaflet's controls would ask for: none of them is used, and nothing may be fetched.
std::string without_pictures(std::string_view style) {
    std::string out(style);
    for (auto at = out.find("url("); at != std::string::npos; at = out.find("url(", at)) {
        const auto end = out.find(')', at);
        out.replace(at, end == std::string::npos ? std::string::npos : end - at + 1, "none");
    }
    return out;
}

class ReportExporter final : public Exporter {
  public:
    [[nodiscard]] ExporterInfo info() const override {
        return {.summary =
                    "report_<batch>.html: the whole batch in one page that needs no network; "
                    "report_<batch>.pdf to print",
                .purpose =
                    "for the supervisor: how many, where, which county and industry, what was not "
                    "observed; opens in any browser, on a phone, and prints"};
    }
    void declare(OptionTable& t) const override {
        t.add({.key = "export.report.pixels",
               .type = OptionType::integer,
               .fallback = "1600",
               .help = "Longer side of the pictures of the area before and after; about 0.4 MB each at 1600",
               .unit = "px",
               .min = 64,
               .max = 8000,
               .long_name = "report-pixels"});
    }
    [[nodiscard]] std::map<std::string, std::string> inputs(const ExportInput& in) const override {
        std::vector<std::string> templates = {"report.html", "report.css"};
        templates.insert(templates.end(), scripts.begin(), scripts.end());
        auto list = page_hashes(in.run, templates);
        list.merge(summary_hashes(in.run, in.batch));
        list["leaflet"] = engine::hash_bytes(leaflet_script());
        std::string pages;
        for (const auto& file : in.earlier)
            if (file.ends_with(".html")) pages += file + "\n";
        list["pages"] = engine::hash_bytes(pages);
        if (const auto archive = archive_of(in.run.store)) list["tiles"] = tiles_hash(in.run, *archive);
        return list;
    }
    [[nodiscard]] std::vector<std::string> files(const ExportInput& in) const override {
        return {fmt::format("report_{}.html", in.batch), fmt::format("report_{}.pdf", in.batch)};
    }
    void write(const ExportInput& in, const std::filesystem::path& folder) const override {
        const PageWords words(in.run);
        const auto summary = summary_of(in, words);
        Mosaic mosaic;
        // Pictures lie under the polygons only where both have one CRS.
        if (const auto archive = archive_of(in.run.store);
            archive && archive->grid().crs() == in.suspects.crs) {
            std::vector<io::Geometry> sites;
            for (const auto* row : in.suspects.rows) sites.push_back(row->shape);
            mosaic = mosaic_of(*archive, supervised_area(in.run, archive->grid()), end_of_batch(in.batch),
                               static_cast<int>(in.run.settings.integer("export.report.pixels")), sites);
        }
        std::string script;
        for (const char* part : scripts) script += template_text(part);
        TemplateData page;
        page.texts = {
            {"batch", in.batch},
            {"css", without_pictures(leaflet_style()) + words.colours.css() + template_text("report.css")},
            {"leaflet", without_source_map(leaflet_script())},
            {"script", script},
            {"data", inside_script(report_json(in, summary, mosaic, words))},
            {"disclaimer", words.disclaimer(false)},
            {"disclaimer_en", words.disclaimer(true)}};
        io::write_text(folder / files(in).front(), fill_template("report.html", page));
        write_report_pdf(folder / files(in).back(), in, summary, mosaic, words);
    }
};

const Registration<Exporter, ReportExporter> registration{"report", 50};

}  // namespace
}  // namespace shuibao::pipeline
