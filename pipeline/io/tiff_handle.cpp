// SPDX-License-Identifier: Apache-2.0
#include "tiff_handle.hpp"

#include <array>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstring>

#include <fmt/format.h>
#define ZSTD_STATIC_LINKING_ONLY  // for ZSTD_c_literalCompressionMode
#include <zstd.h>

#include <shuibao/core/error.hpp>

namespace shuibao::io {
namespace {

int keep_error(TIFF* /*tiff*/, void* into, const char* /*module*/, const char* format, va_list arguments) {
    std::array<char, 256> text{};
    std::vsnprintf(text.data(), text.size(), format, arguments);
    auto& errors = *static_cast<std::string*>(into);
    // libtiff repeats itself, strip by strip.
    if (errors.find(text.data()) == std::string::npos)
        errors += (errors.empty() ? "" : "; ") + std::string(text.data());
    return 1;
}
int keep_quiet(TIFF* /*tiff*/, void* /*into*/, const char* /*module*/, const char* /*format*/,
               va_list /*arguments*/) {
    return 1;
}

struct FreeContext {
    void operator()(ZSTD_CCtx* c) const { ZSTD_freeCCtx(c); }
};

}  // namespace

TiffPtr open_tiff(const std::filesystem::path& path, const char* mode, std::string& errors) {
    const std::unique_ptr<TIFFOpenOptions, decltype(&TIFFOpenOptionsFree)> options(TIFFOpenOptionsAlloc(),
                                                                                   &TIFFOpenOptionsFree);
    TIFFOpenOptionsSetErrorHandlerExtR(options.get(), keep_error, &errors);
    TIFFOpenOptionsSetWarningHandlerExtR(options.get(), keep_quiet, nullptr);
    return TiffPtr(TIFFOpenExt(path.c_str(), mode, options.get()));
}

TiffBlocks::TiffBlocks(const std::filesystem::path& path, std::filesystem::path shown)
    : m_shown(std::move(shown)), m_tiff(open_tiff(path, "r+m", m_errors)) {
    if (!m_tiff) fail(errno);
}

void TiffBlocks::fail(int error) const {
    throw Error(ErrorCode::failed,
                fmt::format("Cannot write {}: {}.", m_shown.string(),
                            error != 0         ? std::strerror(error)
                            : m_errors.empty() ? "libtiff gave no reason"
                                               : m_errors),
                "Free some space or point store/output at another disk; run the same command again.");
}

void TiffBlocks::encode(std::span<const std::uint16_t> block, int level, std::vector<char>& packed) const {
    thread_local const std::unique_ptr<ZSTD_CCtx, FreeContext> context(ZSTD_createCCtx());
    constexpr int least_match = 7;
    ZSTD_CCtx_setParameter(context.get(), ZSTD_c_compressionLevel, level);
    ZSTD_CCtx_setParameter(context.get(), ZSTD_c_minMatch, least_match);
    // What gains time below level 0 is not to look for matches; that literals are not coded then costs more
    // than it gains. A library that refuses writes larger files.
    ZSTD_CCtx_setParameter(context.get(), ZSTD_c_literalCompressionMode,
                           level < 0 ? ZSTD_lcm_huffman : ZSTD_lcm_auto);
    // Room for the worst case, which is hardly ever needed: kept, and not cleared each time.
    thread_local std::unique_ptr<char[]> room;
    thread_local std::size_t room_size = 0;
    if (const auto bound = ZSTD_compressBound(block.size_bytes()); room_size < bound) {
        room = std::make_unique_for_overwrite<char[]>(bound);
        room_size = bound;
    }
    const auto size = ZSTD_compress2(context.get(), room.get(), room_size, block.data(), block.size_bytes());
    if (ZSTD_isError(size) != 0U)
        throw Error(
            ErrorCode::failed,
            fmt::format("Cannot encode a block of {}: {}.", m_shown.string(), ZSTD_getErrorName(size)),
            "Free some memory and run the same command again.");
    packed.assign(room.get(), room.get() + size);
}

void TiffBlocks::write(std::uint32_t index, std::span<const char> packed) {
    errno = 0;
    const auto size = static_cast<tmsize_t>(packed.size());
    if (TIFFWriteRawTile(m_tiff.get(), index, const_cast<char*>(packed.data()), size) != size) fail(errno);
}

void TiffBlocks::write(std::uint32_t index, std::span<const std::uint16_t> block, int level) {
    encode(block, level, m_packed);
    write(index, std::span<const char>(m_packed));
}

void TiffBlocks::directory(std::uint32_t number) {
    errno = 0;
    if (TIFFFlush(m_tiff.get()) != 1 || TIFFSetDirectory(m_tiff.get(), number) != 1) fail(errno);
}

void TiffBlocks::close() {
    errno = 0;
    const bool ok = TIFFFlush(m_tiff.get()) == 1;
    const int error = errno;
    m_tiff.reset();
    if (!ok || !m_errors.empty()) fail(ok ? 0 : error);
}

}  // namespace shuibao::io
