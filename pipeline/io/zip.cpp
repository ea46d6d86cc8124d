// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>

#include <fmt/format.h>
#include <minizip/zip.h>

#include <shuibao/core/error.hpp>
#include <shuibao/io/atomic_output.hpp>
#include <shuibao/io/zip.hpp>

namespace shuibao::io {
namespace {

constexpr int deflate = 8, level = 6;
constexpr unsigned utf8_names = 1U << 11U;  // general purpose bit 11 of the zip format
// MS-DOS date and time of 1980-01-01 00:00: the first day the format can hold.
constexpr unsigned long first_day = (1UL << 21U) | (1UL << 16U);

}  // namespace

struct ZipWriter::Impl {
    std::filesystem::path path;
    AtomicOutput out;
    zipFile file = nullptr;

    explicit Impl(std::filesystem::path p) : path(p), out(std::move(p)) {
        file = zipOpen64(out.temporary().c_str(), APPEND_STATUS_CREATE);
        if (file == nullptr) fail(std::strerror(errno));
    }
    [[noreturn]] void fail(const std::string& why) const {
        throw Error(ErrorCode::failed, fmt::format("Cannot write {}: {}.", path.string(), why),
                    "Free some space or choose another folder; run the same command again.");
    }
    void check(int code) const {
        if (code != ZIP_OK) fail(errno != 0 ? std::strerror(errno) : fmt::format("zip error {}", code));
    }
    void begin(const std::string& name) {
        zip_fileinfo info{};
        info.dosDate = first_day;
        errno = 0;
        check(zipOpenNewFileInZip4_64(file, name.c_str(), &info, nullptr, 0, nullptr, 0, nullptr, deflate,
                                      level, 0, -MAX_WBITS, DEF_MEM_LEVEL, Z_DEFAULT_STRATEGY, nullptr, 0, 0,
                                      utf8_names, 1));
    }
    void write(const char* bytes, std::size_t n) {
        constexpr std::size_t most = std::size_t{1} << 20U;
        for (std::size_t at = 0; at < n; at += most)
            check(zipWriteInFileInZip(file, bytes + at, static_cast<unsigned>(std::min(most, n - at))));
    }
    ~Impl() {
        if (file != nullptr) zipClose(file, nullptr);
    }
};

ZipWriter::ZipWriter(std::filesystem::path path) : m_impl(std::make_unique<Impl>(std::move(path))) {}
ZipWriter::~ZipWriter() = default;

void ZipWriter::add_text(const std::string& name, std::string_view bytes) {
    m_impl->begin(name);
    m_impl->write(bytes.data(), bytes.size());
    m_impl->check(zipCloseFileInZip(m_impl->file));
}

void ZipWriter::add_file(const std::string& name, const std::filesystem::path& file) {
    std::ifstream in(file, std::ios::binary);
    m_impl->begin(name);
    std::array<char, std::size_t{1} << 16U> buffer{};
    while (in.read(buffer.data(), buffer.size()) || in.gcount() > 0)
        m_impl->write(buffer.data(), static_cast<std::size_t>(in.gcount()));
    if (in.bad() || !in.eof())
        throw Error(ErrorCode::input,
                    fmt::format("Cannot read {} for {}.", file.string(), m_impl->path.string()),
                    "Run the same command again; it is made anew.");
    m_impl->check(zipCloseFileInZip(m_impl->file));
}

void ZipWriter::finish() {
    errno = 0;
    const int code = zipClose(std::exchange(m_impl->file, nullptr), nullptr);
    m_impl->check(code);
    m_impl->out.commit();
}

}  // namespace shuibao::io
