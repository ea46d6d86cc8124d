// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdlib>

#include <cpl_conv.h>
#include <cpl_error.h>
#include <cpl_vsi_virtual.h>
#include <fmt/format.h>
#include <gdal_priv.h>
#include <geos_c.h>
#include <ogr_geometry.h>
#include <proj.h>
#include <sqlite3.h>

#include "block_cache.hpp"
#include <shuibao/core/error.hpp>
#include <shuibao/io/gdal_session.hpp>

namespace shuibao::io {

struct GdalMessageSink {
    static void CPL_STDCALL take(CPLErr level, CPLErrorNum /*number*/, const char* text) {
        auto* self = static_cast<GdalMessages*>(CPLGetErrorHandlerUserData());
        if (level == CE_Warning)
            self->m_warnings.emplace_back(text);
        else if (level >= CE_Failure)
            self->m_errors.emplace_back(text);
    }
};

GdalMessages::GdalMessages() {
    CPLPushErrorHandlerEx(&GdalMessageSink::take, this);
}
GdalMessages::~GdalMessages() {
    CPLPopErrorHandler();
    CPLErrorReset();
}

std::string GdalMessages::reason() const {
    std::vector<std::string> list;  // GDAL says some things once per attempt, libtiff once per strip
    for (auto text : m_errors) {
        while (!text.empty() && (text.back() == '.' || text.back() == ' ')) text.pop_back();
        if (std::find(list.begin(), list.end(), text) == list.end()) list.push_back(std::move(text));
    }
    return list.empty() ? std::string("GDAL gave no reason") : fmt::format("{}", fmt::join(list, "; "));
}

namespace {
bool g_network = false;
std::function<void(const std::string&)> g_tell;

void CPL_STDCALL tell(CPLErr level, CPLErrorNum number, const char* text) {
    if (level == CE_Debug || !g_tell)
        CPLDefaultErrorHandler(level, number, text);
    else
        g_tell(text);
}

// Stands where GDAL's own handlers of network file systems stood.
class NoNetwork final : public VSIFilesystemHandler {
  public:
    VSIVirtualHandle* Open(const char* name, const char* /*access*/, bool /*set_error*/,
                           CSLConstList /*options*/) override {
        CPLError(CE_Failure, CPLE_OpenFailed, "%s lies on the network", name);
        return nullptr;
    }
    int Stat(const char* /*name*/, VSIStatBufL* /*out*/, int /*flags*/) override { return -1; }
};

// A local file may name the network (VRT, GDAL_WMS, an http data source of an OGR VRT): the caller's check of
// the file's own name is not enough.
void close_network() {
    char** prefixes = VSIFileManager::GetPrefixes();
    for (int i = 0; i < CSLCount(prefixes); ++i)
        if (is_remote(prefixes[i])) VSIFileManager::InstallHandler(prefixes[i], new NoNetwork);
    CSLDestroy(prefixes);
    CPLSetConfigOption("GDAL_SKIP",
                       "WMS WMTS WCS HTTP PLMOSAIC EEDAI DAAS OGCAPI STACTA STACIT PostGISRaster EEDA WFS "
                       "OAPIF CSW Elasticsearch Carto AmigoCloud PLSCENES NGW GMLAS PostgreSQL MySQL "
                       "MSSQLSpatial ODBC");
    // What drivers fetch by themselves (GeoJSON does) goes to a proxy that is not there.
    for (const char* key : {"GDAL_HTTP_PROXY", "GDAL_HTTPS_PROXY"}) CPLSetConfigOption(key, "127.0.0.1:9");
    for (const char* name : {"no_proxy", "NO_PROXY"}) ::unsetenv(name);
    CPLSetConfigOption("GDAL_HTTP_TIMEOUT", "1");
    CPLSetConfigOption("GDAL_HTTP_MAX_RETRY", "0");
    CPLSetConfigOption("PROJ_NETWORK", "OFF");
}
}  // namespace

GdalListener::GdalListener(std::function<void(const std::string&)> to) {
    g_tell = std::move(to);
    CPLSetErrorHandler(&shuibao::io::tell);
}
GdalListener::~GdalListener() {
    CPLSetErrorHandler(nullptr);
    g_tell = nullptr;
}

bool network_allowed() {
    return g_network;
}

void gdal_setup(const GdalOptions& options) {
    g_network = options.allow_network;
    CPLSetConfigOption("GDAL_NUM_THREADS", "1");  // our own threads read tiles; GDAL's would only add to them
    CPLSetConfigOption(
        "OGR_CURRENT_DATE",
        "2000-01-01T00:00:00.000Z");  // GeoPackages carry no time of writing: same input, same bytes
    CPLSetConfigOption("OGR_SQLITE_JOURNAL", "DELETE");
    // What is written has a temporary name until it is whole, and is fsynced before it gets its own
    // (AtomicOutput).
    CPLSetConfigOption("OGR_SQLITE_SYNCHRONOUS", "OFF");
    CPLSetConfigOption("OGR_SQLITE_CACHE", "32");  // MB for each open GeoPackage
    CPLSetConfigOption("GDAL_PAM_ENABLED", "NO");  // never write .aux.xml beside somebody's images
    CPLSetConfigOption("GTIFF_DELETE_ON_ERROR", "NO");
    if (!options.allow_network) close_network();
    for (const auto& pair : options.config) {
        const auto equals = pair.find('=');
        if (equals == std::string::npos || equals == 0)
            throw Error(ErrorCode::usage, "--gdal-config takes KEY=VALUE, not '" + pair + "'.");
        CPLSetConfigOption(pair.substr(0, equals).c_str(), pair.substr(equals + 1).c_str());
    }
    // Nobody asks SQLite how much it holds, and to count it takes a lock at each allocation.
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    GDALAllRegister();
    GDALSetCacheMax64(static_cast<GIntBig>(options.cache_bytes));
    BlockCache::instance().set_limit(options.block_bytes);
}

std::string library_versions() {
    return fmt::format("GDAL {}, PROJ {}.{}.{}, GEOS {}", GDALVersionInfo("RELEASE_NAME"), PROJ_VERSION_MAJOR,
                       PROJ_VERSION_MINOR, PROJ_VERSION_PATCH,
                       std::string(GEOSversion()).substr(0, std::string(GEOSversion()).find('-')));
}

bool is_remote(const std::string& dataset) {
    static constexpr const char* signs[] = {"://",      "/vsicurl", "/vsis3",    "/vsigs",   "/vsiaz",
                                            "/vsiadls", "/vsioss",  "/vsiswift", "/vsihdfs", "/vsiwebhdfs"};
    return std::any_of(std::begin(signs), std::end(signs),
                       [&](const char* s) { return dataset.find(s) != std::string::npos; }) &&
           !dataset.starts_with("file://");
}

}  // namespace shuibao::io
