// SPDX-License-Identifier: Apache-2.0
#include <shuibao/core/text.hpp>
#include <shuibao/engine/file_name.hpp>
#include <shuibao/engine/hash.hpp>
#include <shuibao/io/vector.hpp>

namespace shuibao::engine {
namespace {

// File systems take 255 bytes a name: stem, county, batch, zone and the marks of a temporary must fit.
constexpr std::size_t longest_name = 120;

}  // namespace

std::string file_name_of(std::string_view text) {
    std::string name;
    for (const char c : io::cut_text(plain_text(text), longest_name, "UTF-8"))
        name += static_cast<unsigned char>(c) < 0x20 || c == 0x7F ||
                        std::string_view("/\\:*?\"<>|#%&'` ").find(c) != std::string_view::npos
                    ? '_'
                    : c;
    for (std::size_t i = 0; i < name.size() && name[i] == '.'; ++i) name[i] = '_';
    if (name != text) name += "_" + hash_bytes(text).substr(0, 8);
    return name;
}

}  // namespace shuibao::engine
