// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <charconv>
#include <cmath>
#include <memory>

#include <fmt/format.h>

#include "vector_source.hpp"
#include <shuibao/core/error.hpp>
#include <shuibao/io/gdal_session.hpp>
#include <shuibao/io/vector.hpp>

namespace shuibao::io {
namespace {

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

// Moves every vertex to another CRS, in place.
class Mover : public OGRDefaultGeometryVisitor {
  public:
    explicit Mover(const Transformation& move) : m_move(move) {}
    using OGRDefaultGeometryVisitor::visit;
    void visit(OGRPoint* p) override {
        const auto moved = m_move(Point{p->getX(), p->getY()});
        p->setX(moved.x);
        p->setY(moved.y);
    }

  private:
    const Transformation& m_move;
};

}  // namespace

struct LayerReader::Impl {
    Impl(const std::string& p, const ReadOptions& options)
        : path(p),
          o(options),
          dataset(open_vector(path)),
          source(layer_of(*dataset, path, o.layer)),
          decode(path, o.encoding, layer.notes) {
        layer.name = source.GetName();
        layer.crs = crs_of(source, path);
        move = std::make_unique<Transformation>(
            transformation(path, layer.crs, o.to_crs.empty() ? layer.crs : o.to_crs));
        if (!o.to_crs.empty()) layer.crs = o.to_crs;
        std::vector<const char*> ignored;
        const auto& definition = *source.GetLayerDefn();
        for (int i = 0; i < definition.GetFieldCount(); ++i) {
            const auto* field = definition.GetFieldDefn(i);
            auto name = decode(field->GetNameRef(), 0);
            if (!o.fields.empty() && std::find(o.fields.begin(), o.fields.end(), name) == o.fields.end()) {
                ignored.push_back(field->GetNameRef());
                continue;
            }
            layer.fields.push_back(std::move(name));
            layer.types.push_back(type_of(field->GetType()));
            columns.push_back(i);
        }
        names = std::make_shared<FieldNames>(layer.fields);
        for (const auto& name : layer.fields) places.push_back(names->place(name));
        if (!o.shapes) ignored.push_back("OGR_GEOMETRY");
        ignored.push_back(nullptr);
        // Drivers that cannot leave fields out read them in vain: no harm.
        if (source.TestCapability(OLCIgnoreFields) != 0) source.SetIgnoredFields(ignored.data());
        source.ResetReading();
        // One look at the file for all rows: else SQLite locks it and looks for a change at each at().
        if (o.ours) dataset->StartTransaction();
    }

    // False for a row that is noted and left out.
    [[nodiscard]] bool take(OGRFeature& f, VectorFeature& feature) {
        feature = {};
        feature.row = row;
        feature.id = f.GetFID();
        feature.values = Attributes(names);
        for (std::size_t k = columns.size(); k-- > 0;)  // of two fields of one name the first counts
            feature.values[places[k]] = value_of(f, columns[k], decode, row);
        if (!o.shapes) return true;
        std::unique_ptr<OGRGeometry> g(f.StealGeometry());
        if (g == nullptr || g->IsEmpty() != 0) {
            layer.notes.push_back({row, "no_geometry", "The row has no geometry and was left out."});
            layer.shapeless.push_back(std::move(feature));
            return false;
        }
        if (g->getDimension() < 2) {
            if (o.widen <= 0) {
                layer.notes.push_back(
                    {row, "no_area", "The row is a point or a line, has no area, and was left out."});
                return false;
            }
            Mover visitor(*move);
            g->accept(&visitor);
            feature.shape = Geometry(std::unique_ptr<OGRGeometry>(g->Buffer(o.widen, 16)));
            layer.notes.push_back(
                {row, "widened",
                 fmt::format("The row is a point or a line; it was taken {:g} m wide on each "
                             "side.",
                             o.widen)});
            return on_earth(feature.shape.bounds()) && !feature.shape.empty();
        }
        feature.shape = Geometry(std::move(g));
        if (!on_earth(feature.shape.bounds())) {
            layer.notes.push_back(
                {row, "bad_coordinates", "The row has coordinates beyond the earth and was left out."});
            return false;
        }
        try {
            if (!o.ours && !feature.shape.valid()) {
                feature.shape = feature.shape.made_valid();
                layer.notes.push_back(
                    {row, "repaired", "A ring crossed or touched itself and was repaired."});
            }
            feature.shape = (*move)(std::move(feature.shape));
        } catch (const Error& e) {
            layer.notes.push_back({row, "bad_geometry", std::string("The row was left out. ") + e.what()});
            return false;
        }
        if (feature.shape.empty()) {
            layer.notes.push_back({row, "no_area", "The row has no area and was left out."});
            return false;
        }
        return true;
    }

    std::string path;
    ReadOptions o;
    GDALDatasetUniquePtr dataset;
    OGRLayer& source;
    VectorLayer layer;
    Decoder decode;
    std::unique_ptr<Transformation> move;
    std::vector<int> columns;  ///< of layer.fields
    std::shared_ptr<const FieldNames> names;
    std::vector<std::size_t> places;  ///< of layer.fields among them
    std::int64_t row = 0;
};

LayerReader::LayerReader(const std::string& path, const ReadOptions& options)
    : m_impl(std::make_unique<Impl>(path, options)) {}
LayerReader::~LayerReader() = default;
LayerReader::LayerReader(LayerReader&&) noexcept = default;

VectorLayer& LayerReader::layer() {
    return m_impl->layer;
}

std::size_t LayerReader::expected() const {
    constexpr GIntBig most = 1 << 17;
    const GdalMessages messages;
    return static_cast<std::size_t>(std::clamp<GIntBig>(m_impl->source.GetFeatureCount(0), 0, most));
}

bool LayerReader::next(VectorFeature& feature) {
    auto& m = *m_impl;
    const GdalMessages messages;
    const auto check = [&](std::int64_t row) {
        if (!messages.errors().empty())
            throw Error(ErrorCode::input,
                        fmt::format("{} row {} cannot be read: {}.", m.path, row, messages.reason()),
                        "The file is damaged: ask for it again.");
    };
    while (const std::unique_ptr<OGRFeature> f{m.source.GetNextFeature()}) {
        ++m.row;
        const bool taken = m.take(*f, feature);
        check(m.row);
        if (taken) return true;
    }
    check(m.row + 1);
    return false;
}

std::vector<VectorFeature> LayerReader::next(std::size_t most) {
    std::vector<VectorFeature> rows;
    VectorFeature row;
    while (rows.size() < most && next(row)) rows.push_back(std::move(row));
    return rows;
}

VectorFeature LayerReader::at(std::int64_t id) {
    auto& m = *m_impl;
    const GdalMessages messages;
    VectorFeature feature;
    const std::unique_ptr<OGRFeature> f{m.source.GetFeature(id)};
    if (!f || !m.take(*f, feature))
        throw Error(ErrorCode::input,
                    fmt::format("{} row {} cannot be read: {}.", m.path, id, messages.reason()),
                    "The file is damaged: make it again.");
    return feature;
}

VectorLayer read_layer(const std::string& path, const ReadOptions& o) {
    LayerReader reader(path, o);
    auto& layer = reader.layer();
    layer.features.reserve(reader.expected());
    VectorFeature feature;
    while (reader.next(feature)) layer.features.push_back(std::move(feature));
    return std::move(layer);
}

Places read_places(const std::string& path, const std::string& to_crs, const std::string& columns_in) {
    const bool columns = extension_of(path) == ".csv" && !columns_in.empty();
    std::vector<const char*> options;
    if (columns) options = {"X_POSSIBLE_NAMES=longitude", "Y_POSSIBLE_NAMES=latitude"};
    const GDALDatasetUniquePtr d = open_vector(path, options);
    OGRLayer& source = layer_of(*d, path, {});
    const bool stated = !columns || source.GetSpatialRef() != nullptr;
    const Transformation move = transformation(path, stated ? crs_of(source, path) : columns_in, to_crs);
    Places out;
    Decoder decode(path, {}, out.notes);
    const auto place = [](const OGRGeometry& g) -> std::optional<Point> {
        OGRPoint p;
        if (wkbFlatten(g.getGeometryType()) == wkbPoint)
            p = *g.toPoint();
        else if (g.Centroid(&p) != OGRERR_NONE)
            return std::nullopt;
        const Point at{p.getX(), p.getY()};
        return on_earth({at.x, at.y, at.x, at.y}) ? std::optional(at) : std::nullopt;
    };
    std::vector<std::string> fields;
    for (int i = 0; i < source.GetLayerDefn()->GetFieldCount(); ++i)
        fields.push_back(decode(source.GetLayerDefn()->GetFieldDefn(i)->GetNameRef(), 0));
    const auto names = std::make_shared<const FieldNames>(fields);
    const GdalMessages messages;
    source.ResetReading();
    std::int64_t row = extension_of(path) == ".csv" ? 1 : 0;  // the line of names
    while (const std::unique_ptr<OGRFeature> f{source.GetNextFeature()}) {
        ++row;
        std::vector<Point> found;
        const auto take = [&](auto&& self, const OGRGeometry& g) -> void {
            if (g.IsEmpty() != 0) return;
            if (const auto type = wkbFlatten(g.getGeometryType());
                type == wkbMultiPoint || type == wkbGeometryCollection) {
                for (const auto* part : *g.toGeometryCollection()) self(self, *part);
            } else if (const auto at = place(g)) {
                found.push_back(move(*at));
            }
        };
        if (const OGRGeometry* g = f->GetGeometryRef()) take(take, *g);
        if (found.empty()) {
            out.notes.push_back({row, "no_geometry", "The row has no place on the map."});
            continue;
        }
        Attributes values(names);
        for (std::size_t i = 0; i < fields.size(); ++i)
            values[names->place(fields[i])] = value_of(*f, static_cast<int>(i), decode, row);
        for (const auto& at : found) out.places.push_back({at, row, values});
    }
    if (!messages.errors().empty())
        throw Error(ErrorCode::input, fmt::format("{} cannot be read: {}.", path, messages.reason()),
                    "The file is damaged: ask for it again.");
    return out;
}

LayerExtent layer_extent(const std::string& path) {
    const GDALDatasetUniquePtr d = open_vector(path);
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
