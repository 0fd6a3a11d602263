// The preload's hook tables against NVIDIA's own declarations, where a CUDA toolkit is installed: the build is the test.
//
// The tables write handles and struct pointers as plain pointers and enumerations as int, so two signatures agree when
// each parameter is passed alike: same size, and of the same kind (pointer, struct by value, number). Compared are both the
// declaration of the export and the type of its symbol and version, so that a wrong name shows as well as a wrong row.
#define __CUDA_API_VERSION_INTERNAL
#include <cuda.h>
#include <cudaTypedefs.h>

#include <cstdint>
#include <cstdio>
#include <type_traits>

namespace {

enum class Kind { pointer, structure, number };

template <typename T>
constexpr Kind kind_of() {
    return std::is_pointer_v<T> ? Kind::pointer : std::is_class_v<T> || std::is_union_v<T> ? Kind::structure : Kind::number;
}

template <typename Ours, typename Theirs>
struct Alike : std::false_type {};

template <typename... Ours, typename... Theirs>
struct Alike<CUresult (*)(Ours...), CUresult (*)(Theirs...)> {
    static constexpr bool all() {
        if constexpr (sizeof...(Ours) == sizeof...(Theirs)) {
            return ((sizeof(Ours) == sizeof(Theirs) && kind_of<Ours>() == kind_of<Theirs>()) && ...);
        } else {
            return false;
        }
    }
    static constexpr bool value = all();
};

constexpr int compared = 0
#define OWN(name, symbol, since, suffix, parameters, arguments) +1
#define GATED(name, symbol, since, suffix, parameters, arguments) +1
#include "preload/gated.def"
#include "preload/own.def"
#undef OWN
#undef GATED
    ;

#define COMPARE(name, symbol, since, suffix, parameters)                                                \
    static_assert(Alike<CUresult(*) parameters, decltype(&::name)>::value, #name " differs from its export"); \
    static_assert(Alike<CUresult(*) parameters, PFN_##symbol##_v##since##suffix>::value, #name " differs from its version");
#define OWN(name, symbol, since, suffix, parameters, arguments) COMPARE(name, symbol, since, suffix, parameters)
#define GATED(name, symbol, since, suffix, parameters, arguments) COMPARE(name, symbol, since, suffix, parameters)
#include "preload/gated.def"
#include "preload/own.def"
#undef OWN
#undef GATED

#define INTERNAL(name, parameters, arguments) \
    static_assert(Alike<CUresult(*) parameters, decltype(&::name)>::value, #name " differs from its export");
#include "preload/internal.def"
#undef INTERNAL

}  // namespace

int main() {
    std::printf("%d hooks agree with the toolkit's declarations\n", compared);
    return 0;
}
