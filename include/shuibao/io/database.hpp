// SPDX-License-Identifier: Apache-2.0
// Layers into a PostgreSQL database with PostGIS, by the code that writes GeoPackages.
#pragma once

#include <span>
#include <string>

#include <shuibao/io/vector.hpp>

namespace shuibao::io {

/// True for a connection string of OGR, "PG:dbname=…" or "postgresql://…".
[[nodiscard]] bool is_database(const std::string& target);

/// Tables `schema`.`layer`, in place of those of the same name, in one transaction: whoever reads the
/// database sees the old tables or the new ones, and after an interruption the old ones. Nothing outside the
/// schema is touched; it is made where it is missing. `mark` is kept with them. Reals keep 15 digits, as OGR
/// hands them over. Of two writers the second waits. Throws Error(usage) for a connection string that holds a
/// password, and while the network is closed
/// (--allow-network); Error(failed) when the database cannot be reached, has no PostGIS, or refuses.
void write_database(const std::string& target, const std::string& schema, std::span<const LayerData> layers,
                    const RowSource& source, const std::string& mark);

/// The mark of what was written last; empty where nothing was. Throws as write_database().
[[nodiscard]] std::string database_mark(const std::string& target, const std::string& schema);

}  // namespace shuibao::io
