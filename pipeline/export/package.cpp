// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <fmt/format.h>

#include "field_rows.hpp"
#include <shuibao/engine/hash.hpp>
#include <shuibao/io/zip.hpp>

namespace shuibao::pipeline {
namespace {

// Everything that was made for a county, in one file to send.
class PackageExporter final : public Exporter {
  public:
    [[nodiscard]] ExporterInfo info() const override {
        return {.summary = "<stem>.zip: what the other formats made for a county, and 说明.txt",
                .purpose = "To hand to a county's field team"};
    }
    [[nodiscard]] std::map<std::string, std::string> inputs(const ExportInput& input) const override {
        auto map = word_inputs(input.run);
        for (const auto& [stem, files] : packages(input))
            for (const auto& file : files) {
                const auto path = input.run.output / "export" / file;
                std::error_code error;
                map["file " + file] = std::filesystem::is_regular_file(path, error)
                                          ? engine::hash_file(path.string())
                                          : std::string("missing");
            }
        return map;
    }
    [[nodiscard]] std::vector<std::string> files(const ExportInput& input) const override {
        std::vector<std::string> list;
        for (const auto& [stem, files] : packages(input)) list.push_back(stem + ".zip");
        return list;
    }
    void write(const ExportInput& input, const std::filesystem::path& folder) const override {
        const ExportWords words(input.run);
        for (const auto& [stem, files] : packages(input)) {
            io::ZipWriter zip(folder / (stem + ".zip"));
            zip.add_text(stem + "/说明.txt", note(stem, files, words));
            for (const auto& file : files) zip.add_file(file, folder / file);
            zip.finish();
        }
    }

  private:
    // Folder of a county → the files in it.
    static std::map<std::string, std::vector<std::string>> packages(const ExportInput& input) {
        std::map<std::string, std::vector<std::string>> map;
        for (const auto& file : input.earlier) {
            const auto slash = file.find('/');
            const auto stem = file.substr(0, slash == std::string::npos ? 0 : slash);
            if (stem.starts_with("RDTB_") && stem.ends_with("_" + input.batch)) map[stem].push_back(file);
        }
        return map;
    }

    // With byte order mark and CRLF: what opens a text file in the county does not always know UTF-8.
    static std::string note(const std::string& stem, const std::vector<std::string>& files,
                            const ExportWords& words) {
        static const std::vector<std::pair<const char*, const char*>> kinds = {
            {".shp",
             "扰动图斑矢量（CGCS2000 三度带高斯-克吕格投影，CM 后为中央经线），同名 .qml 为 QGIS 样式"},
            {".gpkg", "图斑矢量（完整字段名，内含样式），可用 QGIS、QField 打开"},
            {".qgs", "QGIS 工程"},
            {".kmz", "手机、奥维、谷歌地球用图"},
            {".gpx", "手持导航航点与路线"},
            {".xlsx", "疑似图斑台账与汇总表"},
            {".html", "图斑证据页"},
            {".pdf", "图斑证据页（打印）"}};
        std::string text = "\xEF\xBB\xBF" + stem + "\r\n" + words.text("disclaimer") + "\r\n\r\n";
        for (const auto& [extension, what] : kinds) {
            const auto n = std::count_if(files.begin(), files.end(),
                                         [&, e = extension](const std::string& f) { return f.ends_with(e); });
            if (n > 0) text += fmt::format("{}（{}）：{}\r\n", extension, n, what);
        }
        return text;
    }
};

const Registration<Exporter, PackageExporter> registration{"package", 90};

}  // namespace
}  // namespace shuibao::pipeline
