// SPDX-License-Identifier: Apache-2.0
#include <atomic>
#include <memory>

#include <cpl_vsi.h>
#include <fmt/format.h>
#include <gdal_priv.h>
#include <qrencode.h>

#include <shuibao/core/error.hpp>
#include <shuibao/io/gdal_session.hpp>
#include <shuibao/io/picture.hpp>

namespace shuibao::io {
namespace {

struct Close {
    void operator()(GDALDataset* d) const { GDALClose(d); }
};
using Dataset = std::unique_ptr<GDALDataset, Close>;

}  // namespace

std::vector<std::uint8_t> encode_jpeg(std::span<const std::uint8_t> rgb, int width, int height, int quality) {
    static std::atomic<unsigned> next{0};
    const GdalMessages messages;
    const std::string file = fmt::format("/vsimem/shuibao_{}.jpg", next++);
    auto* manager = GetGDALDriverManager();
    const Dataset memory(manager->GetDriverByName("MEM")->Create("", width, height, 3, GDT_Byte, nullptr));
    bool ok = memory != nullptr &&
              memory->RasterIO(GF_Write, 0, 0, width, height, const_cast<std::uint8_t*>(rgb.data()), width,
                               height, GDT_Byte, 3, nullptr, 3, GSpacing{3} * width, 1, nullptr) == CE_None;
    auto* driver = manager->GetDriverByName("JPEG");
    if (ok && driver != nullptr) {
        const std::string level = fmt::format("QUALITY={}", quality);
        std::array<const char*, 2> options = {level.c_str(), nullptr};
        const Dataset jpeg(driver->CreateCopy(file.c_str(), memory.get(), FALSE,
                                              const_cast<char**>(options.data()), nullptr, nullptr));
        ok = jpeg != nullptr;
    }
    vsi_l_offset size = 0;
    const std::unique_ptr<GByte, decltype(&CPLFree)> bytes(
        ok ? VSIGetMemFileBuffer(file.c_str(), &size, TRUE) : nullptr, &CPLFree);
    if (bytes == nullptr)
        throw Error(
            ErrorCode::failed,
            fmt::format("A picture of {} × {} pixels cannot be made: {}.", width, height, messages.reason()),
            "Give the run more memory (--memory), or look whether GDAL has its JPEG driver.");
    return {bytes.get(), bytes.get() + size};
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
