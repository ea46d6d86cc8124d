// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "vector_layer.hpp"
#include <shuibao/core/error.hpp>
#include <shuibao/io/database.hpp>

namespace shuibao::io {
namespace {

// The name that is shown: no host, user or password goes into a log.
constexpr const char* shown = "The database";

[[noreturn]] void refuse(const std::string& what, const GdalMessages& messages, const std::string& hint) {
    throw Error(ErrorCode::failed, fmt::format("{} {}: {}.", shown, what, messages.reason()), hint);
}

GDALDatasetUniquePtr open_database(const std::string& target, const GdalMessages& messages) {
    if (target.find("password=") != std::string::npos || target.find("@") != std::string::npos)
        throw Error(ErrorCode::usage, "The connection to the database holds a password or a user's address.",
                    "Leave it out and put it into ~/.pgpass: what is configured is written into run.json.");
    if (!network_allowed())
        throw Error(ErrorCode::usage, "The ledger is to go into a database, and the network is closed.",
                    "Say --allow-network, or leave ledger.path out.");
    GDALDatasetUniquePtr d(
        GDALDataset::Open(target.c_str(), GDAL_OF_VECTOR | GDAL_OF_UPDATE | GDAL_OF_VERBOSE_ERROR));
    if (!d)
        refuse(
            "cannot be reached", messages,
            "Check ledger.path, that the server runs, and the rights of its user; then run the same command "
            "again.");
    return d;
}

// First value of a query, as text; nothing when there is no row or the query fails.
std::optional<std::string> asked(GDALDataset& d, const std::string& sql) {
    OGRLayer* answer = d.ExecuteSQL(sql.c_str(), nullptr, nullptr);
    if (answer == nullptr) return std::nullopt;
    std::optional<std::string> text;
    if (const std::unique_ptr<OGRFeature> f{answer->GetNextFeature()}; f && f->GetFieldCount() > 0)
        text = f->GetFieldAsString(0);
    d.ReleaseResultSet(answer);
    return text;
}

void tell(GDALDataset& d, const std::string& sql, const GdalMessages& messages) {
    if (OGRLayer* answer = d.ExecuteSQL(sql.c_str(), nullptr, nullptr)) d.ReleaseResultSet(answer);
    if (!messages.errors().empty())
        refuse(
            "refuses", messages,
            "Check the rights of its user, and that nothing of others (a view) stands on these tables; then "
            "run the same command again.");
}

std::string quoted(const std::string& text) {
    std::string out = "'";
    for (const char c : text) out += c == '\'' ? std::string("''") : std::string(1, c);
    return out + "'";
}

}  // namespace

bool is_database(const std::string& target) {
    return target.starts_with("PG:") || target.starts_with("postgresql://");
}

void write_database(const std::string& target, const std::string& schema, std::span<const LayerData> layers,
                    const RowSource& source, const std::string& mark) {
    const GdalMessages messages;
    const auto d = open_database(target, messages);
    if (!asked(*d, "SELECT postgis_version()"))
        refuse("has no PostGIS", messages, "Have its owner run `CREATE EXTENSION postgis` in it.");
    if (d->StartTransaction() != OGRERR_NONE) refuse("begins no transaction", messages, "Try again.");
    // Two stores, or two runs, never write between each other's tables.
    tell(*d, fmt::format("SELECT pg_advisory_xact_lock(hashtext({}))", quoted(schema)), messages);
    tell(*d, fmt::format("CREATE SCHEMA IF NOT EXISTS {}", schema), messages);
    for (const auto& layer : layers)
        tell(*d, fmt::format("DROP TABLE IF EXISTS {}.{}", schema, layer.name), messages);
    const std::string in_schema = "SCHEMA=" + schema;
    std::vector<OGRLayer*> tables;
    for (const auto& data : layers) {
        const char* const options[] = {in_schema.c_str(),    "GEOMETRY_NAME=geom", "FID=fid",
                                       "SPATIAL_INDEX=GIST", "PRECISION=NO",       nullptr};
        auto srs = data.spatial ? reference(data.crs) : OGRSpatialReference();
        OGRLayer* layer =
            d->CreateLayer(data.name.c_str(), data.spatial ? &srs : nullptr,
                           data.spatial ? wkbMultiPolygon : wkbNone, const_cast<char**>(options));
        if (layer == nullptr)
            refuse("takes no table " + data.name, messages, "Check the rights of its user.");
        fill_layer(*layer, data, false, "the database", messages);
        tables.push_back(layer);
    }
    if (source)
        source([&](std::size_t k, const LayerData::Row& row) {
            write_row(*tables[k], layers[k], row, "the database", messages);
        });
    for (std::size_t k = 0; k < layers.size(); ++k)
        if (tables[k]->SyncToDisk() != OGRERR_NONE || !messages.errors().empty())
            refuse("does not take the rows of " + layers[k].name, messages, "Check its log and its disk.");
    tell(*d, fmt::format("CREATE TABLE IF NOT EXISTS {}.written (mark text)", schema), messages);
    tell(*d, fmt::format("DELETE FROM {}.written", schema), messages);
    tell(*d, fmt::format("INSERT INTO {}.written VALUES ({})", schema, quoted(mark)), messages);
    if (d->CommitTransaction() != OGRERR_NONE || !messages.errors().empty())
        refuse("does not keep what was written", messages,
               "Check its log and its disk; the old tables stand.");
}

std::string database_mark(const std::string& target, const std::string& schema) {
    const GdalMessages messages;
    const auto d = open_database(target, messages);
    const auto table = asked(*d, fmt::format("SELECT to_regclass('{}.written')::text", schema));
    if (!table || table->empty()) return {};
    return asked(*d, fmt::format("SELECT mark FROM {}.written", schema)).value_or("");
}

}  // namespace shuibao::io
