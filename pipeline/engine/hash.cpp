// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/evp.h>
#include <unistd.h>
#include <xxhash.h>

#include <shuibao/core/error.hpp>
#include <shuibao/engine/hash.hpp>

namespace shuibao::engine {
namespace {

std::string hex(XXH128_hash_t h) {
    return fmt::format("{:016x}{:016x}", h.high64, h.low64);
}

struct FreeState {
    void operator()(XXH3_state_t* s) const { XXH3_freeState(s); }
};

template <class Take>
void read_through(const std::string& path, const Take& take) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        throw Error(ErrorCode::input, fmt::format("Cannot read {}: {}.", path, std::strerror(errno)),
                    "Check the path and its permissions.");
    std::vector<char> buffer(1 << 20);
    for (;;) {
        const auto n = ::read(fd, buffer.data(), buffer.size());
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) {
            const int error = errno;
            ::close(fd);
            throw Error(ErrorCode::input, fmt::format("Cannot read {}: {}.", path, std::strerror(error)),
                        "Check the disk.");
        }
        if (n == 0) break;
        take(buffer.data(), static_cast<std::size_t>(n));
    }
    ::close(fd);
}

}  // namespace

std::string hash_bytes(std::string_view bytes) {
    return hex(XXH3_128bits(bytes.data(), bytes.size()));
}

std::string hash_values(const std::map<std::string, std::string>& values) {
    std::string text;
    for (const auto& [name, value] : values)
        text += fmt::format("{}:{}={}:{};", name.size(), name, value.size(), value);
    return hash_bytes(text);
}

std::string hash_file(const std::string& path) {
    const std::unique_ptr<XXH3_state_t, FreeState> state(XXH3_createState());
    XXH3_128bits_reset(state.get());
    read_through(path, [&](const char* bytes, std::size_t n) { XXH3_128bits_update(state.get(), bytes, n); });
    return hex(XXH3_128bits_digest(state.get()));
}

std::string sha256_file(const std::string& path) {
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> state(EVP_MD_CTX_new(), EVP_MD_CTX_free);
    EVP_DigestInit_ex(state.get(), EVP_sha256(), nullptr);
    read_through(path, [&](const char* bytes, std::size_t n) { EVP_DigestUpdate(state.get(), bytes, n); });
    std::array<unsigned char, 32> digest{};
    EVP_DigestFinal_ex(state.get(), digest.data(), nullptr);
    std::string text;
    for (const auto byte : digest) text += fmt::format("{:02x}", byte);
    return text;
}

}  // namespace shuibao::engine
