// SPDX-License-Identifier: Apache-2.0
// Clears away what AtomicOutput left when its process was killed.
#include <algorithm>
#include <cctype>
#include <string>
#include <vector>

#include <shuibao/io/atomic_output.hpp>

namespace shuibao::io {
namespace fs = std::filesystem;
namespace {

// ".name.PID-SERIAL.tmp" and whatever follows: the extension, and what drivers add to it (-journal,
// .aux.xml, _temp.fgb, .tif.ovr.tmp).
bool is_temporary(const std::string& name) {
    if (name.size() < 8 || name.front() != '.') return false;
    const auto digits = [](const std::string& text) {
        return !text.empty() &&
               std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isdigit(c) != 0; });
    };
    for (auto tmp = name.find(".tmp", 1); tmp != std::string::npos; tmp = name.find(".tmp", tmp + 1)) {
        if (tmp + 4 < name.size() && std::string_view(".-_").find(name[tmp + 4]) == std::string_view::npos)
            continue;
        const auto dot = name.rfind('.', tmp - 1);
        if (dot == std::string::npos || dot == 0) continue;
        const std::string middle = name.substr(dot + 1, tmp - dot - 1);
        const auto dash = middle.find('-');
        if (dash != std::string::npos && digits(middle.substr(0, dash)) && digits(middle.substr(dash + 1)))
            return true;
    }
    return false;
}

template <class Iterator>
std::vector<fs::path> temporaries(const fs::path& folder) {
    std::vector<fs::path> list;
    std::error_code error;
    for (Iterator it(folder, fs::directory_options::skip_permission_denied, error), end; !error && it != end;
         it.increment(error)) {
        std::error_code unknown;
        if (is_temporary(it->path().filename().string()) && it->is_regular_file(unknown))
            list.push_back(it->path());
    }
    return list;
}

}  // namespace

std::size_t sweep_temporaries(const fs::path& folder, Depth depth) {
    const auto list = depth == Depth::folder ? temporaries<fs::directory_iterator>(folder)
                                             : temporaries<fs::recursive_directory_iterator>(folder);
    std::size_t removed = 0;
    for (const auto& path : list) {
        std::error_code ignored;
        removed += fs::remove(path, ignored) ? 1U : 0U;
    }
    return removed;
}

}  // namespace shuibao::io
