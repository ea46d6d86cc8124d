// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstring>
#include <fstream>
#include <iterator>
#include <optional>
#include <set>
#include <stdexcept>

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <shuibao/core/error.hpp>
#include <shuibao/core/text.hpp>
#include <shuibao/engine/settings.hpp>

namespace shuibao::engine {
namespace fs = std::filesystem;
namespace {

constexpr int deepest_extends = 8;

std::string emit(const YAML::Node& node) {
    if (node.IsScalar()) return node.Scalar();
    YAML::Emitter out;
    out.SetSeqFormat(YAML::Flow);
    out.SetMapFormat(YAML::Flow);
    out << node;
    return out.c_str();
}

std::optional<double> to_number(const std::string& text) {
    double v = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), v);
    if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(v)) return std::nullopt;
    return v;
}

std::optional<bool> to_flag(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    for (const char* yes : {"true", "yes", "on", "1"})
        if (text == yes) return true;
    for (const char* no : {"false", "no", "off", "0"})
        if (text == no) return false;
    return std::nullopt;
}

YAML::Node parse(const std::string& yaml) {
    try {
        return YAML::Load(yaml);
    } catch (const YAML::Exception&) {
        return YAML::Node(yaml);
    }
}

std::vector<std::string> to_list(const std::string& yaml) {
    std::vector<std::string> list;
    if (yaml.empty()) return list;
    if (yaml.front() != '[') {  // one value, or comma-packed from the command line
        for (std::size_t from = 0; from <= yaml.size();) {
            const auto comma = std::min(yaml.find(',', from), yaml.size());
            list.push_back(trimmed(yaml.substr(from, comma - from)));
            from = comma + 1;
        }
        return list;
    }
    for (const auto& item : parse(yaml)) list.push_back(item.IsScalar() ? item.Scalar() : emit(item));
    return list;
}

std::string expected(const Option& o) {
    const std::string unit = o.unit.empty() ? "" : " in " + o.unit;
    switch (o.type) {
        case OptionType::integer:
        case OptionType::number: {
            std::string range;
            if (std::isfinite(o.min) && std::isfinite(o.max))
                range = fmt::format(" from {} to {}", o.min, o.max);
            else if (std::isfinite(o.min))
                range = fmt::format(" of at least {}", o.min);
            else if (std::isfinite(o.max))
                range = fmt::format(" of at most {}", o.max);
            return (o.type == OptionType::integer ? "a whole number" : "a number") + range + unit;
        }
        case OptionType::flag:
            return "true or false";
        case OptionType::choice:
            return fmt::format("one of {}", fmt::join(o.choices, ", "));
        case OptionType::list:
            return "a list";
        case OptionType::path_list:
            return "a path or a list of paths";
        case OptionType::map:
            return "a mapping of names to values";
        case OptionType::path:
            return "a path";
        case OptionType::text:
            return "a text";
    }
    return "another value";
}

bool acceptable(const Option& o, const std::string& yaml) {
    switch (o.type) {
        case OptionType::integer:
        case OptionType::number: {
            const auto v = to_number(yaml);
            return v && *v >= o.min && *v <= o.max && (o.type == OptionType::number || *v == std::floor(*v));
        }
        case OptionType::flag:
            return to_flag(yaml).has_value();
        case OptionType::choice:
            return std::find(o.choices.begin(), o.choices.end(), yaml) != o.choices.end();
        case OptionType::map:
            return parse(yaml).IsMap();
        case OptionType::path:
            if (yaml.empty()) return o.fallback.empty();
            [[fallthrough]];
        case OptionType::text:
            return yaml.empty() || (yaml.front() != '[' && yaml.front() != '{');
        case OptionType::list:
        case OptionType::path_list:
            return yaml.empty() || yaml.front() != '{';
    }
    return false;
}

// One spelling for one value: manifests compare values as texts.
std::string normalised(const Option& o, const std::string& yaml) {
    if (o.type == OptionType::flag)
        if (const auto flag = to_flag(yaml)) return *flag ? "true" : "false";
    if (o.type == OptionType::number || o.type == OptionType::integer)
        if (const auto number = to_number(yaml)) return fmt::format("{}", *number);
    return yaml;
}

// The text of a configuration; what is no UTF-8 would come out of every message as rubbish.
std::string text_of(const fs::path& path) {
    std::error_code error;
    if (fs::is_directory(path, error))
        throw Error(ErrorCode::usage,
                    "The configuration " + path.string() + " cannot be read: it is a folder.",
                    "Name the file in it.");
    errno = 0;
    std::ifstream in(path, std::ios::binary);
    if (!in && errno != ENOENT)
        throw Error(
            ErrorCode::usage,
            fmt::format("The configuration {} cannot be read: {}.", path.string(), std::strerror(errno)),
            "Give this user the right to read it.");
    if (!in)
        throw Error(ErrorCode::usage,
                    "The configuration " + path.string() + " cannot be read: it is not there.",
                    "Check the path, or make one with `shuibao init " + path.string() + "`.");
    std::string text(std::istreambuf_iterator<char>(in), {});
    std::size_t line = 1;
    for (std::size_t from = 0; from < text.size(); ++line) {
        const auto end = std::min(text.find('\n', from), text.size());
        if (!is_utf8(std::string_view(text).substr(from, end - from)))
            throw Error(ErrorCode::usage, fmt::format("{}:{}: this is no UTF-8.", path.string(), line),
                        "Save the file as UTF-8; it may be in GBK.");
        from = end + 1;
    }
    return text;
}

std::string absolute(const std::string& path, const fs::path& base) {
    if (path.empty() || path.starts_with("/vsi") || path.front() == '/' ||
        path.find("://") != std::string::npos)
        return path;
    return fs::absolute(base.empty() ? fs::path(path) : base / path).lexically_normal().string();
}

// Walks a YAML document and hands (dotted key, node) to `take`; a mapping that is itself an option is a leaf.
template <class Take>
void walk(const YAML::Node& node, const std::string& prefix, const OptionTable& table,
          const std::string& file, Take take) {
    std::set<std::string> seen;
    for (const auto& entry : node) {
        const std::string name = entry.first.Scalar();
        const std::string key = prefix.empty() ? name : prefix + "." + name;
        const std::string where = fmt::format("{}:{}", file, entry.first.Mark().line + 1);
        if (!seen.insert(name).second)
            throw Error(ErrorCode::usage, fmt::format("{}: the key '{}' is given twice.", where, key),
                        "Keep one of the two.");
        const Option* option = table.find(key);
        const bool is_section = std::any_of(table.all().begin(), table.all().end(),
                                            [&](const Option& o) { return o.key.starts_with(key + "."); });
        if (option == nullptr && is_section) {
            if (entry.second.IsNull()) continue;
            if (!entry.second.IsMap())
                throw Error(ErrorCode::usage,
                            fmt::format("{}: '{}' is a section and needs keys below it.", where, key),
                            "Write its keys on the following lines, indented by two spaces.");
            walk(entry.second, key, table, file, take);
            continue;
        }
        if (option == nullptr && key != "extends") {
            const std::string near = table.nearest(key);
            throw Error(ErrorCode::usage, fmt::format("{}: there is no key '{}'.", where, key),
                        near.empty() ? "`shuibao init` prints every key with its default."
                                     : fmt::format("Did you mean '{}'?", near));
        }
        take(key, entry.second, where);
    }
}

}  // namespace

Settings::Settings(const OptionTable& table) : m_table(&table) {
    for (const auto& o : table.all()) m_values[o.key] = {normalised(o, o.fallback), "default", {}};
}

void Settings::load(const fs::path& file) {
    const auto read = [&](auto&& self, const fs::path& path, int depth) -> void {
        if (depth > deepest_extends)
            throw Error(ErrorCode::usage, path.string() + ": `extends` goes round in a circle.",
                        "Remove one of the references.");
        const std::string text = text_of(path);
        std::vector<YAML::Node> documents;
        try {
            documents = YAML::LoadAll(text);
        } catch (const YAML::Exception& e) {
            throw Error(ErrorCode::usage,
                        fmt::format("{}:{}: this is not YAML: {}.", path.string(), e.mark.line + 1, e.msg),
                        "Indent with spaces, never tabs, and quote texts that hold ':' or '#'.");
        }
        std::erase_if(documents, [](const YAML::Node& n) { return n.IsNull(); });
        if (documents.empty()) return;
        if (documents.size() > 1)
            throw Error(
                ErrorCode::usage,
                fmt::format("{}:{}: a second YAML document begins; a configuration is one.", path.string(),
                            documents[1].Mark().line + 1),
                "Remove the line '---' before it, or give the two in two files, one with `extends:`.");
        const YAML::Node& root = documents.front();
        if (!root.IsMap())
            throw Error(ErrorCode::usage,
                        path.string() + ":1: a configuration is a mapping of keys to values.",
                        "`shuibao init` prints one.");
        const fs::path base = fs::absolute(path).parent_path();
        if (root["extends"]) self(self, base / root["extends"].Scalar(), depth + 1);
        walk(root, "", *m_table, path.string(),
             [&](const std::string& key, const YAML::Node& node, const std::string& where) {
                 if (key == "extends") return;
                 set(key, node.IsNull() ? "" : emit(node), where, base);
             });
    };
    read(read, file, 0);
}

void Settings::set(std::string_view key, const std::string& yaml, const std::string& origin,
                   const fs::path& base) {
    const Option* option = m_table->find(key);
    if (option == nullptr) {
        const std::string near = m_table->nearest(key);
        throw Error(ErrorCode::usage, fmt::format("{}: there is no key '{}'.", origin, key),
                    near.empty() ? "`shuibao init` prints every key with its default."
                                 : fmt::format("Did you mean '{}'?", near));
    }
    if (!(yaml.empty() && option->fallback.empty()) && !acceptable(*option, yaml))
        throw Error(ErrorCode::usage, fmt::format("{}: '{}' cannot be '{}'.", origin, key, yaml),
                    fmt::format("It takes {}.", expected(*option)));
    m_values[std::string(key)] = {normalised(*option, yaml), origin, base};
}

const Settings::Value& Settings::value(std::string_view key) const {
    const auto it = m_values.find(key);
    if (it == m_values.end()) throw std::logic_error("nobody declared the option " + std::string(key));
    return it->second;
}

bool Settings::has(std::string_view key) const {
    return !value(key).yaml.empty();
}
std::string Settings::text(std::string_view key) const {
    return value(key).yaml;
}
std::string Settings::path(std::string_view key) const {
    return absolute(value(key).yaml, value(key).base);
}
double Settings::number(std::string_view key) const {
    return to_number(value(key).yaml).value_or(0);
}
std::optional<Date> Settings::day(std::string_view key) const {
    if (!has(key)) return std::nullopt;
    const auto d = Date::parse(text(key));
    if (!d)
        throw Error(ErrorCode::usage, fmt::format("{}: '{}' cannot be '{}'.", origin(key), key, text(key)),
                    "Give a day as YYYY-MM-DD.");
    return d;
}
std::int64_t Settings::integer(std::string_view key) const {
    return static_cast<std::int64_t>(number(key));
}
bool Settings::flag(std::string_view key) const {
    return to_flag(value(key).yaml).value_or(false);
}
std::string Settings::origin(std::string_view key) const {
    return value(key).origin;
}

std::vector<std::string> Settings::list(std::string_view key) const {
    auto list = to_list(value(key).yaml);
    const Option* option = m_table->find(key);
    if (option != nullptr && option->type == OptionType::path_list)
        for (auto& item : list) item = absolute(item, value(key).base);
    return list;
}

std::map<std::string, std::string> Settings::map(std::string_view key) const {
    std::map<std::string, std::string> out;
    if (value(key).yaml.empty()) return out;
    for (const auto& entry : parse(value(key).yaml)) out[entry.first.Scalar()] = emit(entry.second);
    return out;
}

std::map<std::string, std::string> Settings::path_map(std::string_view key) const {
    auto out = map(key);
    for (auto& [name, path] : out) path = absolute(path, value(key).base);
    return out;
}

std::map<std::string, std::string> Settings::canonical(std::string_view prefix) const {
    std::map<std::string, std::string> out;
    for (const auto& o : m_table->all())
        if (o.changes_result && o.key.starts_with(prefix)) out["option " + o.key] = value(o.key).yaml;
    return out;
}

}  // namespace shuibao::engine
