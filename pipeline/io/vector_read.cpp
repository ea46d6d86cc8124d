// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <fstream>

#include <cpl_conv.h>
#include <fmt/format.h>
#include <gdal_priv.h>
#include <ogrsf_frmts.h>

#include <shuibao/core/error.hpp>
#include <shuibao/io/gdal_session.hpp>
#include <shuibao/io/vector.hpp>

namespace shuibao::io {
namespace fs = std::filesystem;
namespace {

struct Close {
    void operator()(GDALDataset* d) const { GDALClose(d); }
};
using DatasetPtr = std::unique_ptr<GDALDataset, Close>;

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

std::string extension_of(const std::string& path) {
    std::string e = fs::path(path).extension().string();
    std::transform(e.begin(), e.end(), e.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return e;
}

DatasetPtr open(const std::string& path) {
    if (is_remote(path) && !network_allowed())
        throw Error(ErrorCode::input, fmt::format("{} lies on the network.", path),
                    "Copy it here, or say --allow-network.");
    std::error_code error;
    if (!path.starts_with("/vsi") && path.find(':') == std::string::npos && !fs::exists(path, error))
        throw Error(ErrorCode::input, fmt::format("The layer {} does not exist.", path),
                    "Correct its path in the configuration.");
    const GdalMessages messages;
    // A shapefile's bytes come as they are: what its .cpg claims is checked here, not believed.
    const char* const raw[] = {"ENCODING=", nullptr};
    DatasetPtr d(GDALDataset::Open(path.c_str(), GDAL_OF_VECTOR | GDAL_OF_READONLY | GDAL_OF_VERBOSE_ERROR,
                                   nullptr, extension_of(path) == ".shp" ? raw : nullptr));
    if (!d)
        throw Error(ErrorCode::input,
                    fmt::format("{} cannot be opened as a vector layer: {}.", path, messages.reason()),
                    "Check the path; a shapefile needs its .shx and .dbf beside it.");
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
    const char* authority = srs->GetAuthorityName(nullptr);
    const char* code = srs->GetAuthorityCode(nullptr);
    if (authority != nullptr && code != nullptr) return fmt::format("{}:{}", authority, code);
    char* wkt = nullptr;
    srs->exportToWkt(&wkt);
    std::string text = wkt == nullptr ? "" : wkt;
    CPLFree(wkt);
    return text;
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
                "Name a polygon layer.");
}

// Texts of one layer: decided once from what is declared and what the bytes are.
class Decoder {
  public:
    Decoder(const std::string& path, const std::string& wanted, VectorLayer& layer) : m_layer(layer) {
        if (extension_of(path) != ".shp") return;  // other formats state and honour their encoding
        m_raw = true;
        m_encoding = wanted;
        if (m_encoding.empty()) {
            for (const char* ext : {".cpg", ".CPG"})
                if (std::ifstream cpg(fs::path(path).replace_extension(ext)); cpg)
                    std::getline(cpg, m_encoding);
            while (!m_encoding.empty() && std::isspace(static_cast<unsigned char>(m_encoding.back())) != 0)
                m_encoding.pop_back();
        }
        if (m_encoding.empty()) m_encoding = "UTF-8";
        if (m_encoding == "936" || m_encoding == "GB2312" || m_encoding == "gbk" || m_encoding == "CP936" ||
            m_encoding == "cp936")
            m_encoding = "GBK";
        if (m_encoding == "65001" || m_encoding == "utf-8" || m_encoding == "UTF8") m_encoding = "UTF-8";
    }
    std::string operator()(const char* bytes, std::int64_t row) {
        if (!m_raw) return bytes;
        if (CPLIsUTF8(bytes, -1) != 0 && (m_encoding == "UTF-8" || is_ascii(bytes))) return bytes;
        if (m_encoding == "UTF-8" && !m_noted) {
            m_noted = true;
            m_layer.notes.push_back(
                {row, "encoding", "The texts are declared UTF-8 but are not; they were read as GBK."});
        }
        const GdalMessages messages;
        char* text = CPLRecode(bytes, m_encoding == "UTF-8" ? "GBK" : m_encoding.c_str(), CPL_ENC_UTF8);
        std::string out = text == nullptr ? "" : text;
        CPLFree(text);
        if (!messages.errors().empty() || !messages.warnings().empty() || CPLIsUTF8(out.c_str(), -1) == 0) {
            char* forced = CPLForceToASCII(bytes, -1, '?');
            out = forced;
            CPLFree(forced);
            m_layer.notes.push_back(
                {row, "encoding",
                 fmt::format("A text is not valid {}; what could not be read stands as '?'.", m_encoding)});
        }
        return out;
    }

  private:
    static bool is_ascii(const char* s) {
        for (; *s != 0; ++s)
            if ((static_cast<unsigned char>(*s) & 0x80U) != 0) return false;
        return true;
    }
    VectorLayer& m_layer;
    std::string m_encoding;
    bool m_raw = false, m_noted = false;
};

FieldType type_of(OGRFieldType type) {
    switch (type) {
        case OFTInteger:
        case OFTInteger64:
            return FieldType::integer;
        case OFTReal:
            return FieldType::real;
        case OFTDate:
        case OFTDateTime:
            return FieldType::date;
        default:
            return FieldType::text;
    }
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

// No projection in use has larger numbers; NaN and infinity are refused as well.
bool on_earth(const Bounds& b) {
    constexpr double farthest = 1e8;
    const auto fine = [](double v) { return std::abs(v) <= farthest; };
    return fine(b.min_x) && fine(b.max_x) && fine(b.min_y) && fine(b.max_y);
}

Transformation transformation(const std::string& path, const std::string& from, const std::string& to) {
    try {
        return {from, to};
    } catch (const Error& e) {
        throw Error(e.code(), fmt::format("{}: {}", path, e.what()), e.hint());
    }
}

}  // namespace

VectorLayer read_layer(const std::string& path, const ReadOptions& o) {
    const DatasetPtr d = open(path);
    OGRLayer& source = layer_of(*d, path, o.layer);
    VectorLayer layer;
    layer.name = source.GetName();
    layer.crs = crs_of(source, path);
    const Transformation move = transformation(path, layer.crs, o.to_crs.empty() ? layer.crs : o.to_crs);
    Decoder decode(path, o.encoding, layer);
    for (int i = 0; i < source.GetLayerDefn()->GetFieldCount(); ++i) {
        const auto* definition = source.GetLayerDefn()->GetFieldDefn(i);
        layer.fields.push_back(decode(definition->GetNameRef(), 0));
        layer.types.push_back(type_of(definition->GetType()));
    }
    const GdalMessages messages;
    source.ResetReading();
    std::int64_t row = 0;
    while (const std::unique_ptr<OGRFeature> f{source.GetNextFeature()}) {
        ++row;
        VectorFeature feature;
        feature.row = row;
        for (int i = 0; i < f->GetFieldCount(); ++i)
            feature.values[layer.fields[static_cast<std::size_t>(i)]] = value_of(*f, i, decode, row);
        const OGRGeometry* g = f->GetGeometryRef();
        if (g == nullptr || g->IsEmpty() != 0) {
            layer.notes.push_back({row, "no_geometry", "The row has no geometry and was left out."});
            layer.shapeless.push_back(std::move(feature));
            continue;
        }
        feature.shape = Geometry(std::unique_ptr<OGRGeometry>(g->clone()));
        if (!on_earth(feature.shape.bounds())) {
            layer.notes.push_back(
                {row, "bad_coordinates", "The row has coordinates beyond the earth and was left out."});
            continue;
        }
        try {
            if (!feature.shape.valid()) {
                feature.shape = feature.shape.made_valid();
                layer.notes.push_back(
                    {row, "repaired", "A ring crossed or touched itself and was repaired."});
            }
            feature.shape = move(feature.shape);
        } catch (const Error& e) {
            layer.notes.push_back({row, "bad_geometry", std::string("The row was left out. ") + e.what()});
            continue;
        }
        if (feature.shape.empty()) {
            layer.notes.push_back({row, "no_area", "The row has no area and was left out."});
            continue;
        }
        layer.features.push_back(std::move(feature));
    }
    if (!messages.errors().empty())
        throw Error(ErrorCode::input,
                    fmt::format("{} row {} cannot be read: {}.", path, row + 1, messages.reason()),
                    "The file is damaged: ask for it again.");
    if (!o.to_crs.empty()) layer.crs = o.to_crs;
    return layer;
}

std::vector<Point> read_places(const std::string& path, const std::string& to_crs) {
    const DatasetPtr d = open(path);
    OGRLayer& source = layer_of(*d, path, {});
    const Transformation move = transformation(path, crs_of(source, path), to_crs);
    std::vector<Point> places;
    const auto take = [&](auto&& self, const OGRGeometry& g) -> void {
        if (g.IsEmpty() != 0) return;
        if (const auto type = wkbFlatten(g.getGeometryType());
            type == wkbMultiPoint || type == wkbGeometryCollection) {
            for (const auto* part : *g.toGeometryCollection()) self(self, *part);
            return;
        }
        OGRPoint p;
        if (wkbFlatten(g.getGeometryType()) == wkbPoint)
            p = *g.toPoint();
        else if (g.Centroid(&p) != OGRERR_NONE)
            return;
        if (on_earth({p.getX(), p.getY(), p.getX(), p.getY()}))
            places.push_back(move(Point{p.getX(), p.getY()}));
    };
    const GdalMessages messages;
    source.ResetReading();
    while (const std::unique_ptr<OGRFeature> f{source.GetNextFeature()})
        if (const OGRGeometry* g = f->GetGeometryRef()) take(take, *g);
    if (!messages.errors().empty())
        throw Error(ErrorCode::input, fmt::format("{} cannot be read: {}.", path, messages.reason()),
                    "The file is damaged: ask for it again.");
    return places;
}

LayerExtent layer_extent(const std::string& path) {
    const DatasetPtr d = open(path);
    OGRLayer& layer = layer_of(*d, path, {});
    const GdalMessages messages;
    OGREnvelope e;
    if (layer.GetExtent(&e) != OGRERR_NONE)
        throw Error(ErrorCode::input, fmt::format("{} is empty.", path),
                    "Give a layer with at least one polygon.");
    return {crs_of(layer, path), {e.MinX, e.MinY, e.MaxX, e.MaxY}};
}

std::string to_text(const Value& value) {
    struct Visitor {
        std::string operator()(std::monostate) const { return {}; }
        std::string operator()(std::int64_t v) const { return std::to_string(v); }
        std::string operator()(double v) const { return fmt::format("{}", v); }
        std::string operator()(const std::string& v) const { return v; }
        std::string operator()(Date v) const { return v.iso(); }
    };
    return std::visit(Visitor{}, value);
}

std::optional<double> to_number(const Value& value) {
    if (const auto* i = std::get_if<std::int64_t>(&value)) return static_cast<double>(*i);
    if (const auto* d = std::get_if<double>(&value); d != nullptr && std::isfinite(*d)) return *d;
    if (const auto* s = std::get_if<std::string>(&value)) {
        double v = 0;
        const auto [end, error] = std::from_chars(s->data(), s->data() + s->size(), v);
        if (error == std::errc{} && end == s->data() + s->size() && std::isfinite(v)) return v;
    }
    return std::nullopt;
}

namespace {

// A day as offices write it: 2021/5/6, 2021.05.06, 2021年5月6日, with or without a time of day behind it.
std::optional<Date> written_date(std::string_view text) {
    const auto blank = [](char c) { return c == ' ' || c == '\t'; };
    while (!text.empty() && blank(text.front())) text.remove_prefix(1);
    while (!text.empty() && blank(text.back())) text.remove_suffix(1);
    if (const auto date = Date::parse(text)) return date;
    const auto number = [&](std::size_t least, std::size_t most) {
        std::size_t n = 0;
        int value = 0;
        for (; n < text.size() && n < most && text[n] >= '0' && text[n] <= '9'; ++n)
            value = value * 10 + (text[n] - '0');
        text.remove_prefix(n);
        return n >= least ? value : -1;
    };
    const auto take = [&](std::string_view sign) {
        if (!text.starts_with(sign)) return false;
        text.remove_prefix(sign.size());
        return true;
    };
    const int year = number(4, 4);
    std::string_view second;
    if (take("年"))
        second = "月";
    else
        for (const std::string_view sign : {"-", "/", "."})
            if (second.empty() && take(sign)) second = sign;
    if (year < 0 || second.empty()) return std::nullopt;
    const int month = number(1, 2);
    if (month < 0 || !take(second)) return std::nullopt;
    const int day = number(1, 2);
    if (day < 0 || (second == "月" && !take("日"))) return std::nullopt;
    if (!text.empty()) {  // a time of day: it does not move the day
        if (!take(" ") && !take("T")) return std::nullopt;
        if (number(1, 2) < 0 || !take(":") || number(2, 2) < 0) return std::nullopt;
        if (take(":") && number(2, 2) < 0) return std::nullopt;
        if (!text.empty()) return std::nullopt;
    }
    return Date::parse(fmt::format("{:04}-{:02}-{:02}", year, month, day));
}

}  // namespace

std::optional<Date> to_date(const Value& value) {
    if (const auto* d = std::get_if<Date>(&value)) return *d;
    if (const auto* s = std::get_if<std::string>(&value)) return written_date(*s);
    if (const auto* i = std::get_if<std::int64_t>(&value)) return Date::parse(std::to_string(*i));
    return std::nullopt;
}

}  // namespace shuibao::io
