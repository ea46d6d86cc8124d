// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <chrono>

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include <shuibao/core/error.hpp>
#include <shuibao/engine/log.hpp>

namespace shuibao::engine {
namespace {

constexpr std::array<std::string_view, 4> level_names = {"debug", "info", "warning", "error"};
constexpr std::size_t bar_width = 30;

void put(int fd, std::string_view text) {
    while (!text.empty()) {
        const auto n = ::write(fd, text.data(), text.size());
        if (n <= 0) return;  // nobody listens: talk is not worth failing for
        text.remove_prefix(static_cast<std::size_t>(n));
    }
}

std::string now() {
    return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}",
                       fmt::gmtime(std::chrono::system_clock::to_time_t(std::chrono::system_clock::now())));
}

}  // namespace

std::string printable(std::string_view text, std::size_t longest) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto c = static_cast<unsigned char>(text[i]);
        const bool starts = (c & 0xC0U) != 0x80U;
        if (starts && out.size() >= longest) return out + "…";
        // C0, DEL and C1 (U+0080–U+009F, in UTF-8 0xC2 0x80–0x9F) are commands to a terminal.
        const bool c1 = c == 0xC2U && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0U;
        if (c < 0x20U || c == 0x7FU)
            out += fmt::format("\\x{:02x}", c);
        else if (c1)
            out += fmt::format("\\x{:02x}", static_cast<unsigned char>(text[++i]));
        else
            out += text[i];
    }
    return out;
}

Log::Log(Options options) : m_options(std::move(options)) {
    if (m_options.file.empty()) return;
    m_fd = ::open(m_options.file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (m_fd < 0)
        throw Error(ErrorCode::usage, "The log file " + m_options.file + " cannot be opened for writing.",
                    "Choose another with --log-file.");
}

Log::~Log() {
    if (!m_bar.empty()) put(2, "\r\033[K");
    if (m_fd != 2) ::close(m_fd);
}

void Log::write(LogLevel level, std::string_view message, std::string_view stage, std::string_view unit) {
    if (level < m_options.level) return;
    std::string line;
    if (m_options.json) {
        nlohmann::ordered_json j = {{"ts", now()}, {"level", level_names[static_cast<std::size_t>(level)]}};
        if (!m_options.run.empty()) j["run"] = m_options.run;
        if (!stage.empty()) j["stage"] = stage;
        if (!unit.empty()) j["unit"] = unit;
        j["msg"] = message;
        line = j.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
    } else {
        const auto name = level_names[static_cast<std::size_t>(level)];
        if (!m_options.file.empty())
            line = fmt::format("{} {:<7} {}{}", now(), name, m_options.run, m_options.run.empty() ? "" : " ");
        else if (level != LogLevel::info)
            line = fmt::format("{}: ", name);
        if (!stage.empty())
            line += fmt::format("{}{}{}: ", stage, unit.empty() ? "" : " ", printable(unit, 200));
        line += printable(message) + "\n";
    }
    const std::lock_guard lock(m_mutex);
    if (!m_bar.empty() && m_fd == 2) line = "\r\033[K" + line + m_bar;
    put(m_fd, line);
}

void Log::progress(std::string_view stage, std::size_t done, std::size_t total) {
    if (total == 0 || (!m_options.progress && m_options.progress_fd < 0)) return;
    const std::lock_guard lock(m_mutex);
    if (m_options.progress_fd >= 0)
        put(m_options.progress_fd,
            fmt::format("{{\"stage\":\"{}\",\"done\":{},\"total\":{}}}\n", stage, done, total));
    if (!m_options.progress) return;
    const std::size_t full = bar_width * std::min(done, total) / total;
    m_bar = fmt::format("{:<10}[{:=<{}}{:{}}] {}/{}", stage, "", full, "", bar_width - full, done, total);
    put(2, "\r\033[K" + m_bar);
    if (done >= total) {
        put(2, "\r\033[K");
        m_bar.clear();
    }
}

}  // namespace shuibao::engine
