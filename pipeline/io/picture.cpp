// SPDX-License-Identifier: Apache-2.0
#include <atomic>
#include <memory>

#include <cpl_string.h>
#include <cpl_vsi.h>
#include <fmt/format.h>
#include <qrencode.h>

#include "dataset.hpp"
#include <shuibao/core/error.hpp>
#include <shuibao/io/atomic_output.hpp>
#include <shuibao/io/picture.hpp>

namespace shuibao::io {
namespace {

// Interleaved bytes as a file of GDAL's `format`; false when GDAL could not.
bool encode(std::span<const std::uint8_t> pixels, int width, int height, int bands, const char* format,
            const std::string& file, const CPLStringList& options = {}) {
    auto* manager = GetGDALDriverManager();
    auto* driver = manager->GetDriverByName(format);
    const GDALDatasetUniquePtr memory(
        manager->GetDriverByName("MEM")->Create("", width, height, bands, GDT_Byte, nullptr));
    if (driver == nullptr || memory == nullptr ||
        memory->RasterIO(GF_Write, 0, 0, width, height, const_cast<std::uint8_t*>(pixels.data()), width,
                         height, GDT_Byte, bands, nullptr, bands, GSpacing{bands} * width, 1,
                         nullptr) != CE_None)
        return false;
    return GDALDatasetUniquePtr(driver->CreateCopy(file.c_str(), memory.get(), FALSE, options.List(), nullptr,
                                                   nullptr)) != nullptr;
}

// The same in memory; empty when GDAL could not.
std::vector<std::uint8_t> encoded(std::span<const std::uint8_t> pixels, int width, int height, int bands,
                                  const char* format, const CPLStringList& options = {}) {
    static std::atomic<unsigned> next{0};
    const std::string file = fmt::format("/vsimem/shuibao_{}", next++);
    const bool ok = encode(pixels, width, height, bands, format, file, options);
    vsi_l_offset size = 0;
    const std::unique_ptr<GByte, decltype(&CPLFree)> bytes(VSIGetMemFileBuffer(file.c_str(), &size, TRUE),
                                                           &CPLFree);
    if (!ok || bytes == nullptr) return {};
    return {bytes.get(), bytes.get() + size};
}

}  // namespace

void write_png(const std::filesystem::path& path, std::span<const std::uint8_t> rgb, int width, int height) {
    const GdalMessages messages;
    AtomicOutput out(path);
    if (!encode(rgb, width, height, 3, "PNG", out.temporary()) || !messages.errors().empty())
        throw Error(ErrorCode::failed, fmt::format("Cannot write {}: {}.", path.string(), messages.reason()),
                    "Free some space or name another file.");
    out.commit();
}

std::string png_icon(std::span<const std::uint8_t> rgba, int width, int height) {
    const GdalMessages messages;
    const auto png = encoded(rgba, width, height, 4, "PNG");
    if (png.empty())
        throw Error(ErrorCode::failed, fmt::format("Cannot make a PNG: {}.", messages.reason()),
                    "Install Debian's libgdal.");
    return {png.begin(), png.end()};
}

std::vector<std::uint8_t> encode_jpeg(std::span<const std::uint8_t> rgb, int width, int height, int quality) {
    const GdalMessages messages;
    CPLStringList options;
    options.SetNameValue("QUALITY", std::to_string(quality).c_str());
    auto jpeg = encoded(rgb, width, height, 3, "JPEG", options);
    if (jpeg.empty())
        throw Error(
            ErrorCode::failed,
            fmt::format("A picture of {} × {} pixels cannot be made: {}.", width, height, messages.reason()),
            "Give the run more memory (--memory), or look whether GDAL has its JPEG driver.");
    return jpeg;
}

std::string data_uri(std::span<const std::uint8_t> bytes, const char* type) {
    constexpr const char* digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string out = fmt::format("data:{};base64,", type);
    out.reserve(out.size() + (bytes.size() + 2) / 3 * 4);
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        const std::size_t n = std::min<std::size_t>(3, bytes.size() - i);
        const unsigned v = unsigned{bytes[i]} << 16 | (n > 1 ? unsigned{bytes[i + 1]} << 8 : 0U) |
                           (n > 2 ? unsigned{bytes[i + 2]} : 0U);
        out += digits[v >> 18];
        out += digits[v >> 12 & 63];
        out += n > 1 ? digits[v >> 6 & 63] : '=';
        out += n > 2 ? digits[v & 63] : '=';
    }
    return out;
}

QrCode qr_code(const std::string& text) {
    const std::unique_ptr<QRcode, decltype(&QRcode_free)> code(
        QRcode_encodeString8bit(text.c_str(), 0, QR_ECLEVEL_M), &QRcode_free);
    if (code == nullptr)
        throw Error(ErrorCode::failed, fmt::format("No QR code holds a text of {} bytes.", text.size()),
                    "Shorten it.");
    QrCode out;
    out.size = code->width;
    out.dark.resize(static_cast<std::size_t>(out.size) * static_cast<std::size_t>(out.size));
    for (std::size_t i = 0; i < out.dark.size(); ++i) out.dark[i] = (code->data[i] & 1) != 0;
    return out;
}

}  // namespace shuibao::io
