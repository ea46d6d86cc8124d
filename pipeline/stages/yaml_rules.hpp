// SPDX-License-Identifier: Apache-2.0
// What is learnt or ruled and comes as YAML: read so that every complaint names the file and the line.
#pragma once

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <shuibao/core/error.hpp>
#include <shuibao/core/options.hpp>

namespace shuibao::pipeline {

class YamlRules {
  public:
    /// `key`: the setting that names the file. `hint`: what to compare with. Throws Error(usage) when it
    /// cannot be read or is not valid YAML.
    YamlRules(std::filesystem::path file, const std::string& key, std::string hint)
        : m_file(std::move(file)), m_hint(std::move(hint)) {
        try {
            m_root = YAML::LoadFile(m_file.string());
        } catch (const YAML::BadFile&) {
            throw Error(ErrorCode::usage, fmt::format("{} cannot be read.", m_file.string()),
                        fmt::format("Check {}.", key));
        } catch (const YAML::Exception& e) {
            throw Error(
                ErrorCode::usage,
                fmt::format("{}:{}: this is not valid YAML: {}.", m_file.string(), e.mark.line + 1, e.msg),
                m_hint);
        }
    }

    [[nodiscard]] const YAML::Node& root() const { return m_root; }

    [[noreturn]] void refuse(const YAML::Node& at, const std::string& what) const {
        // An empty file has no mark.
        throw Error(ErrorCode::usage,
                    fmt::format("{}:{}: {}", m_file.string(), std::max(at.Mark().line, 0) + 1, what), m_hint);
    }
    [[nodiscard]] std::string text(const YAML::Node& n) const {
        if (!n.IsScalar() || n.Scalar().empty()) refuse(n, "a word is missing.");
        return n.Scalar();
    }
    [[nodiscard]] double number(const YAML::Node& n) const {
        double v = 0;
        if (!n.IsScalar() || !YAML::convert<double>::decode(n, v) || !std::isfinite(v))
            refuse(n, "this is no number.");
        return v;
    }
    /// Index of a name among those there are; refuses others with the nearest.
    std::size_t known(const YAML::Node& n, const std::string& what,
                      const std::vector<std::string>& names) const {
        const auto name = text(n);
        const auto it = std::find(names.begin(), names.end(), name);
        if (it != names.end()) return static_cast<std::size_t>(it - names.begin());
        const auto near = nearest_of(name, names);
        refuse(n, fmt::format("there is no {} '{}'{}.", what, name,
                              near.empty() ? "" : fmt::format("; did you mean '{}'?", near)));
    }

  private:
    std::filesystem::path m_file;
    std::string m_hint;
    YAML::Node m_root;
};

}  // namespace shuibao::pipeline
