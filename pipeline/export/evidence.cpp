// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <numeric>

#include <fmt/format.h>

#include "approvals.hpp"
#include "evidence_content.hpp"
#include "products.hpp"
#include "series_figure.hpp"
#include <shuibao/algorithms/detector.hpp>
#include <shuibao/engine/hash.hpp>
#include <shuibao/io/atomic_output.hpp>
#include <shuibao/io/box_index.hpp>
#include <shuibao/pipeline/exporter.hpp>

namespace shuibao::pipeline {
namespace {

constexpr std::size_t chunk = 16;  // suspects a thread does one after the other: neighbours share blocks

// Approved ranges as they are drawn, to lay over the pictures.
struct Ranges {
    std::vector<io::Geometry> shapes;
    io::BoxIndex index{{}};

    static Ranges of(const RunContext& c, const std::string& crs) {
        Ranges r;
        std::vector<Bounds> boxes;
        for (auto& drawn : drawn_ranges(c, crs)) {
            boxes.push_back(drawn.shape.bounds());
            r.shapes.push_back(std::move(drawn.shape));
        }
        r.index = io::BoxIndex(boxes);
        return r;
    }
};

class EvidenceExporter final : public Exporter {
  public:
    [[nodiscard]] ExporterInfo info() const override {
        return {.summary =
                    "evidence/<case>.html and .pdf: one page of A4 for each suspect, and its pictures "
                    "with the outlines as _before.jpg and _after.jpg",
                .purpose =
                    "for the field team and the file: pictures before and after, why, and the form to fill",
                .scope = ExportScope::county};
    }
    void declare(OptionTable& t) const override {
        t.add({.key = "export.evidence.series",
               .type = OptionType::integer,
               .fallback = "200",
               .help =
                   "So many suspects, the first in rank of the county, get the history of their pixel; each "
                   "costs reading it in all looks",
               .min = 0,
               .max = 1e9,
               .long_name = "evidence-series"});
        t.add({.key = "export.evidence.pdf",
               .type = OptionType::flag,
               .fallback = "true",
               .help = "Write the pages as PDF beside the HTML",
               .long_name = "evidence-pdf"});
    }
    [[nodiscard]] std::map<std::string, std::string> inputs(const ExportInput& in) const override {
        const auto& c = in.run;
        auto list = page_hashes(c, {"evidence.html", "evidence.css"});
        list.merge(case_past_hashes(c.store, in.batch));
        list.merge(kind_hashes(c, "county"));
        list.merge(drawn_range_hashes(c));
        if (const auto archive = archive_of(c.store)) {
            list["acquisitions"] = engine::hash_file(c.store.acquisitions_file().string());
            list["tiles"] = tiles_hash(c, *archive);
            for (const auto& [key, value] : c.settings.canonical("detect.")) list[key] = value;
        }
        return list;
    }
    [[nodiscard]] std::vector<std::string> files(const ExportInput& in) const override {
        std::vector<std::string> list;
        const bool pictures = archive_of(in.run.store).has_value();
        for (const auto* row : in.suspects.rows) {
            const auto id = text_of(*row, "case_id");
            const auto page = evidence_page(id);
            list.push_back(page);
            if (in.run.settings.flag("export.evidence.pdf")) list.push_back(pdf_of(page));
            if (pictures)
                for (const char* which : {"before", "after"}) list.push_back(evidence_picture(id, which));
        }
        return list;
    }
    void write(const ExportInput& in, const std::filesystem::path& folder) const override {
        const auto archive = archive_of(in.run.store);
        const std::string crs = archive ? archive->grid().crs() : in.suspects.crs;
        const auto ranges = Ranges::of(in.run, crs);
        const Job job{in,
                      folder,
                      archive ? &*archive : nullptr,
                      crs,
                      ranges,
                      PageWords(in.run),
                      case_pasts(in.run.store, in.batch),
                      areas_of_kind(in.run, "county", crs),
                      archive && follows_series(in.run, *archive)};
        const auto& rows = in.suspects.rows;
        std::vector<std::size_t> order(rows.size());
        std::iota(order.begin(), order.end(), std::size_t{0});
        if (archive) {
            const ChipCutter cutter(*archive);
            const io::Transformation to_grid(in.suspects.crs, crs);
            std::vector<std::pair<std::int64_t, std::int64_t>> block;
            for (const auto* row : rows)
                block.push_back(cutter.cut_order(to_grid(row->shape.point_inside())));
            std::stable_sort(order.begin(), order.end(),
                             [&](std::size_t a, std::size_t b) { return block[a] < block[b]; });
        }
        in.run.executor.parallel_for((order.size() + chunk - 1) / chunk, [&](std::size_t k) {
            const io::Transformation to_grid(in.suspects.crs, crs), to_degrees(in.suspects.crs, "EPSG:4490");
            for (std::size_t i = k * chunk; i < std::min(order.size(), (k + 1) * chunk); ++i) {
                if (engine::stop_requested()) return;
                one(job, order[i], to_grid, to_degrees);
            }
        });
        engine::check_stop();
    }

  private:
    struct Job {
        const ExportInput& in;
        const std::filesystem::path& folder;
        const io::TileArchive* archive;
        std::string crs;
        const Ranges& ranges;
        PageWords words;
        std::map<std::string, CasePast> pasts;
        std::vector<NamedArea> counties;
        bool series;
    };

    static std::string pdf_of(const std::string& page) {
        return page.substr(0, page.size() - std::string_view(".html").size()) + ".pdf";
    }

    static bool follows_series(const RunContext& c, const io::TileArchive& archive) {
        RunContext mine = c;  // only to look: what it notes stays here
        const auto detector = Registry<algorithms::Detector>::make(detect_job(mine, archive).method);
        return dynamic_cast<const algorithms::SeriesDetector*>(detector.get()) != nullptr;
    }

    // Of the pixel in the suspect's middle.
    static std::optional<algorithms::Figure> history(const Job& job, const io::Geometry& shape) {
        const auto& grid = job.archive->grid();
        const auto middle = shape.point_inside();
        const Window pixel{static_cast<std::int64_t>(std::floor(grid.col_of_x(middle.x))),
                           static_cast<std::int64_t>(std::floor(grid.row_of_y(middle.y))), 1, 1};
        RunContext mine = job.in.run;
        try {
            return series_figure(history_of(mine, *job.archive, pixel));
        } catch (const Error& e) {
            // A page without its curve is still a page.
            job.in.run.log.write(engine::LogLevel::warn, fmt::format("No history: {}", e.what()), "export");
            return std::nullopt;
        }
    }

    // For balloons and for documents that people write. Where no look is usable a picture says so: which
    // files there are must not depend on clouds.
    static void write_pictures(const Job& job, const EvidenceContent& content) {
        constexpr int quality = 70, side = 192;
        const auto write = [&](const char* which, const std::optional<Chip>& chip) {
            algorithms::Figure marks;
            std::vector<std::uint8_t> ground(std::size_t{side} * side * 3, 200);
            marks.width = marks.height = side;
            std::string words = "no clear image";
            if (chip && content.outlines) {
                marks = *content.outlines;
                ground = chip->rgb;
                words = chip->date.iso() + " " + chip->sensor;
            }
            marks.parts.emplace_back(
                algorithms::FigureArea{{{0, 0},
                                        {9.0 * static_cast<double>(words.size()) + 8, 0},
                                        {9.0 * static_cast<double>(words.size()) + 8, 22},
                                        {0, 22}},
                                       {255, 255, 255, 0.8}});
            marks.parts.emplace_back(algorithms::FigureLabel{
                {4, 16}, words, "", 15, {20, 20, 20}, algorithms::Anchor::start, true});
            const auto jpeg =
                io::encode_jpeg(algorithms::drawn_over(ground, marks), marks.width, marks.height, quality);
            io::write_text(job.folder / evidence_picture(content.case_id, which),
                           std::string(jpeg.begin(), jpeg.end()));
        };
        write("before", content.chips.before);
        write("after", content.chips.after);
    }

    static void one(const Job& job, std::size_t i, const io::Transformation& to_grid,
                    const io::Transformation& to_degrees) {
        const auto& row = *job.in.suspects.rows[i];
        const auto past = job.pasts.find(text_of(row, "case_id"));
        auto content = evidence_content(row, to_degrees(row.shape.point_inside()),
                                        past == job.pasts.end() ? nullptr : &past->second, job.words);
        if (job.archive != nullptr) {
            const auto shape = to_grid(row.shape);
            content.chips = ChipCutter(*job.archive)
                                .cut(shape, io::to_date(field_of(row, "onset_from")),
                                     io::to_date(field_of(row, "onset_to")));
            const auto& chips = content.chips;
            if (const auto& any = chips.after ? chips.after : chips.before) {
                std::vector<const io::Geometry*> near;
                for (const auto n : job.ranges.index.near(chips.frame)) near.push_back(&job.ranges.shapes[n]);
                content.outlines = chip_outlines(shape, near, chips.frame, any->cols, any->rows);
                content.locator_marks = locator_marks(chips, job.counties);
            }
            if (const auto most = job.in.run.settings.integer("export.evidence.series"); job.series) {
                if (static_cast<std::int64_t>(i) < most)
                    content.series = history(job, shape);
                else
                    content.series_note = fmt::format(
                        "像元历程只附于每县区排名前 {} 个图斑（export.evidence.series），本页没有", most);
            }
            write_pictures(job, content);
        }
        const auto page = evidence_page(content.case_id);
        io::write_text(job.folder / page, evidence_html(content, job.words));
        if (job.in.run.settings.flag("export.evidence.pdf"))
            write_evidence_pdf(job.folder / pdf_of(page), content, job.words);
    }
};

const Registration<Exporter, EvidenceExporter> registration{"evidence", 15};

}  // namespace
}  // namespace shuibao::pipeline
