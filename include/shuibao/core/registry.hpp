// SPDX-License-Identifier: Apache-2.0
// Self-registration: a detector, a stage or an exporter is one file that registers where it stands.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <shuibao/core/error.hpp>

namespace shuibao {

/// Name → factory, for one interface. Entries come from static objects of OBJECT libraries, so that the
/// linker keeps them; listings are sorted by (order, name), never by link order.
template <class Interface>
class Registry {
  public:
    using Factory = std::unique_ptr<Interface> (*)();
    struct Entry {
        std::string name;
        int order = 0;
        Factory make = nullptr;
    };

    static void add(std::string name, int order, Factory make) {
        auto& list = entries();
        auto before = [](const Entry& a, const Entry& b) {
            return a.order != b.order ? a.order < b.order : a.name < b.name;
        };
        Entry entry{std::move(name), order, make};
        auto at = list.begin();
        while (at != list.end() && before(*at, entry)) ++at;
        list.insert(at, std::move(entry));
    }
    static const std::vector<Entry>& all() { return entries(); }

    /// Throws Error(usage) that lists the known names when there is no such entry.
    static std::unique_ptr<Interface> make(std::string_view name) {
        std::string known;
        for (const auto& e : entries()) {
            if (e.name == name) return e.make();
            known += (known.empty() ? "" : ", ") + e.name;
        }
        throw Error(ErrorCode::usage, "There is no '" + std::string(name) + "'.",
                    "Known are: " + known + ".");
    }

  private:
    static std::vector<Entry>& entries() {
        static std::vector<Entry> list;
        return list;
    }
};

/// `const Registration<Stage, TileStage> registration{"tile", 20};` at namespace scope of the one file.
template <class Interface, class Implementation>
struct Registration {
    explicit Registration(std::string name, int order = 0) {
        Registry<Interface>::add(std::move(name), order, [] {
            return std::unique_ptr<Interface>(std::make_unique<Implementation>());
        });
    }
};

}  // namespace shuibao
