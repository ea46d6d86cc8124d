// SPDX-License-Identifier: Apache-2.0
#include "vector_source.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <fstream>
#include <optional>
#include <string_view>
#include <utility>

#include <cpl_conv.h>
#include <fmt/format.h>
#include <iconv.h>

#include "dataset.hpp"
#include <shuibao/core/error.hpp>

namespace shuibao::io {
namespace fs = std::filesystem;
namespace {

// Compared without regard to case, spaces, hyphens and underscores.
constexpr std::array<std::pair<const char*, const char*>, 12> refused_datums = {{
    {"beijing", "Beijing 1954"},
    {"北京54", "Beijing 1954"},
    {"北京1954", "Beijing 1954"},
    {"bj54", "Beijing 1954"},
    {"krassowsky", "Beijing 1954"},
    {"xian", "Xian 1980"},
    {"xi'an", "Xian 1980"},
    {"西安80", "Xian 1980"},
    {"西安1980", "Xian 1980"},
    {"gcj", "GCJ-02"},
    {"火星", "GCJ-02"},
    {"bd09", "BD-09"},
}};
constexpr const char* wanted_datum =
    "Ask for the layer in CGCS2000 (EPSG:4490 or its 3-degree zones); a local transformation is needed to "
    "convert it.";

std::string folded(const std::string& text) {
    std::string out;
    for (const char c : text)
        if (c != ' ' && c != '-' && c != '_')
            out += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return out;
}

bool is_ascii(const char* s) {
    for (; *s != 0; ++s)
        if ((static_cast<unsigned char>(*s) & 0x80U) != 0) return false;
    return true;
}

}  // namespace

std::string extension_of(const std::string& path) {
    std::string e = fs::path(path).extension().string();
    std::transform(e.begin(), e.end(), e.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return e;
}

GDALDatasetUniquePtr open_vector(const std::string& path, std::vector<const char*> options) {
    if (is_remote(path) && !network_allowed())
        throw Error(ErrorCode::input, fmt::format("{} lies on the network.", path),
                    "Copy it here, or say --allow-network.");
    std::error_code error;
    if (!path.starts_with("/vsi") && path.find(':') == std::string::npos && !fs::exists(path, error))
        throw Error(ErrorCode::input, fmt::format("The layer {} does not exist.", path),
                    "Correct its path in the configuration.");
    const GdalMessages messages;
    // A shapefile's bytes come as they are: what its .cpg claims is checked here, not believed.
    if (extension_of(path) == ".shp") options.push_back("ENCODING=");
    options.push_back(nullptr);
    GDALDatasetUniquePtr d(GDALDataset::Open(
        path.c_str(), GDAL_OF_VECTOR | GDAL_OF_READONLY | GDAL_OF_VERBOSE_ERROR, nullptr, options.data()));
    if (!d)
        throw Error(ErrorCode::input,
                    fmt::format("{} cannot be opened as a vector layer: {}.", path, messages.reason()),
                    extension_of(path) == ".shp" ? "A shapefile needs its .shx and .dbf beside it."
                                                 : "Check that it is whole and of a format that GDAL reads.");
    return d;
}

std::string crs_of(const OGRLayer& layer, const std::string& path) {
    const GdalMessages messages;  // a .prj is parsed when it is asked for
    const OGRSpatialReference* srs = const_cast<OGRLayer&>(layer).GetSpatialRef();
    if (srs == nullptr || srs->IsEmpty() != 0)
        throw Error(ErrorCode::input, fmt::format("{} has no coordinate reference system.", path),
                    "Ask the sender for the .prj; a CRS is never guessed.");
    std::string names = srs->GetName() == nullptr ? "" : srs->GetName();
    for (const char* node : {"DATUM", "SPHEROID"})
        if (const char* value = srs->GetAttrValue(node)) names += std::string(" ") + value;
    names = folded(names);
    for (const auto& [sign, datum] : refused_datums)
        if (names.find(sign) != std::string::npos)
            throw Error(
                ErrorCode::input,
                fmt::format("{} is in the datum {}, which lies 50 to 500 m from CGCS2000.", path, datum),
                wanted_datum);
    if (srs->IsGeographic() == 0 && srs->IsProjected() == 0)
        throw Error(ErrorCode::input, fmt::format("{} is in a local grid without a known datum.", path),
                    wanted_datum);
    return crs_name(srs);
}

OGRLayer& layer_of(GDALDataset& d, const std::string& path, const std::string& name) {
    if (!name.empty()) {
        if (auto* layer = d.GetLayerByName(name.c_str())) return *layer;
        std::string known;
        for (int i = 0; i < d.GetLayerCount(); ++i)
            known += (known.empty() ? "" : ", ") + std::string(d.GetLayer(i)->GetName());
        throw Error(ErrorCode::input, fmt::format("{} has no layer '{}'.", path, name),
                    "Its layers are: " + known + ".");
    }
    for (int i = 0; i < d.GetLayerCount(); ++i)
        if (d.GetLayer(i)->GetGeomType() != wkbNone) return *d.GetLayer(i);
    throw Error(ErrorCode::input, fmt::format("{} has no layer with geometries.", path),
                "Name a layer with shapes; make points of a table's coordinates first.");
}

namespace {

void require_attributes(const std::string& path) {
    VSIStatBufL found;
    for (const char* extension : {"dbf", "DBF"})
        if (VSIStatL(CPLResetExtension(path.c_str(), extension), &found) == 0) return;
    throw Error(ErrorCode::input, fmt::format("The .dbf of {} is missing.", path),
                "Ask the sender for all files of the shapefile: .shp, .shx, .dbf, .prj and .cpg.");
}

// Nothing when the bytes are no text in this encoding. CPLRecode warns of that once in the life of a process.
std::optional<std::string> recoded(std::string_view bytes, const std::string& from) {
    const iconv_t conversion = ::iconv_open("UTF-8", from.c_str());
    // What iconv_open returns for an encoding that it does not know.
    if (reinterpret_cast<std::intptr_t>(conversion) == -1) return std::nullopt;
    std::string source(bytes), out(4 * bytes.size() + 4, '\0');
    char *in = source.data(), *to = out.data();
    std::size_t left = source.size(), room = out.size();
    const bool whole = ::iconv(conversion, &in, &left, &to, &room) != static_cast<std::size_t>(-1);
    ::iconv_close(conversion);
    if (!whole) return std::nullopt;
    out.resize(out.size() - room);
    return out;
}

}  // namespace

Decoder::Decoder(const std::string& path, const std::string& wanted, std::vector<LayerNote>& notes)
    : m_notes(notes) {
    if (!wanted.empty() && !recoded("a", wanted))
        throw Error(ErrorCode::usage, fmt::format("{}: there is no encoding '{}'.", path, wanted),
                    "Give UTF-8 or GBK, or leave it out.");
    const auto extension = extension_of(path);
    // Other formats state and honour their encoding; a CSV has no place to state one.
    if (extension != ".shp" && extension != ".csv") return;
    if (extension == ".shp") require_attributes(path);
    m_raw = true;
    m_encoding = wanted;
    if (m_encoding.empty()) {
        for (const char* ext : {".cpg", ".CPG"})
            if (std::ifstream cpg(fs::path(path).replace_extension(ext)); cpg) std::getline(cpg, m_encoding);
        while (!m_encoding.empty() && std::isspace(static_cast<unsigned char>(m_encoding.back())) != 0)
            m_encoding.pop_back();
    }
    m_declared = !m_encoding.empty();
    if (!m_declared) m_encoding = "UTF-8";
    if (m_encoding == "936" || m_encoding == "GB2312" || m_encoding == "gbk" || m_encoding == "CP936" ||
        m_encoding == "cp936")
        m_encoding = "GBK";
    if (m_encoding == "65001" || m_encoding == "utf-8" || m_encoding == "UTF8") m_encoding = "UTF-8";
}

std::string Decoder::operator()(const char* bytes, std::int64_t row) {
    if (!m_raw) return bytes;
    if (CPLIsUTF8(bytes, -1) != 0 && (m_encoding == "UTF-8" || is_ascii(bytes))) return bytes;
    if (m_encoding == "UTF-8" && !m_noted) {
        m_noted = true;
        m_notes.push_back(
            {row, "encoding",
             m_declared ? "The texts are declared UTF-8 but are not; they were read as GBK."
                        : "No encoding is declared and the texts are no UTF-8; they were read as GBK."});
    }
    const std::string from = m_encoding == "UTF-8" ? "GBK" : m_encoding;
    if (auto text = recoded(bytes, from)) return *text;
    char* forced = CPLForceToASCII(bytes, -1, '?');
    std::string out = forced;
    CPLFree(forced);
    m_notes.push_back({row, "encoding",
                       fmt::format("A text is not valid {}; what could not be read stands as '?'.", from)});
    return out;
}

Value value_of(const OGRFeature& f, int i, Decoder& decode, std::int64_t row) {
    if (f.IsFieldSetAndNotNull(i) == 0) return {};
    switch (f.GetFieldDefnRef(i)->GetType()) {
        case OFTInteger:
        case OFTInteger64:
            return static_cast<std::int64_t>(f.GetFieldAsInteger64(i));
        case OFTReal:
            return f.GetFieldAsDouble(i);
        case OFTDate:
        case OFTDateTime: {
            int y = 0, m = 0, d = 0, h = 0, min = 0, s = 0, zone = 0;
            f.GetFieldAsDateTime(i, &y, &m, &d, &h, &min, &s, &zone);
            if (const auto date = Date::parse(fmt::format("{:04}-{:02}-{:02}", y, m, d))) return *date;
            return {};
        }
        default:
            return decode(f.GetFieldAsString(i), row);
    }
}

}  // namespace shuibao::io
