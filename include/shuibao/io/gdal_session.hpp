// SPDX-License-Identifier: Apache-2.0
// GDAL's process-wide state: drivers, cache, network, and its messages turned into ours.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace shuibao::io {

struct GdalOptions {
    std::size_t cache_bytes = std::size_t{64} << 20;   ///< GDAL's block cache, shared by all threads
    std::size_t block_bytes = std::size_t{128} << 20;  ///< our own of sources and tiles, shared as well
    bool allow_network = false;                        ///< let /vsicurl, /vsis3 … reach the network
    std::vector<std::string> config = {};              ///< KEY=VALUE, passed to GDAL untouched
};

/// Registers drivers and sets the options; call once, before any thread starts.
void gdal_setup(const GdalOptions& options);

/// While it lives, what GDAL says outside any GdalMessages goes to `tell` instead of bare to stderr. One at a
/// time; `tell` is called from any thread.
class GdalListener {
  public:
    explicit GdalListener(std::function<void(const std::string&)> tell);
    ~GdalListener();
    GdalListener(const GdalListener&) = delete;
    GdalListener& operator=(const GdalListener&) = delete;
};

/// "GDAL 3.6.2, PROJ 9.1.1, GEOS 3.11.1".
[[nodiscard]] std::string library_versions();

/// Collects GDAL's errors and warnings on this thread for its lifetime instead of letting them reach stderr.
class GdalMessages {
  public:
    GdalMessages();
    ~GdalMessages();
    GdalMessages(const GdalMessages&) = delete;
    GdalMessages& operator=(const GdalMessages&) = delete;
    [[nodiscard]] const std::vector<std::string>& errors() const { return m_errors; }
    [[nodiscard]] const std::vector<std::string>& warnings() const { return m_warnings; }
    /// All errors as one clause ("a; b"), or "GDAL gave no reason".
    [[nodiscard]] std::string reason() const;

  private:
    friend struct GdalMessageSink;
    std::vector<std::string> m_errors, m_warnings;
};

/// What gdal_setup() was told.
[[nodiscard]] bool network_allowed();

/// True for names that GDAL would fetch over the network (http://, /vsicurl/, /vsis3/ …, also inside
/// /vsizip/).
[[nodiscard]] bool is_remote(const std::string& dataset);

}  // namespace shuibao::io
