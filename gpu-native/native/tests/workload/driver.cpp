#include "workload/driver.h"

#include <dlfcn.h>

// The names a program linked against libcuda refers to. Weak, so that this program starts without a driver; with the
// preload they are the preload's from the start.
extern "C" {
#define WORKLOAD_WEAK(name, symbol, version, parameters) CUresult name parameters __attribute__((weak));
WORKLOAD_FUNCTIONS(WORKLOAD_WEAK)
#undef WORKLOAD_WEAK
}

namespace workload {
namespace {

void* library() {
    static void* handle = dlopen("libcuda.so.1", RTLD_NOW);
    if (handle == nullptr) {
        throw std::runtime_error(dlerror());
    }
    return handle;
}

Functions find_symbols() {
    library();
    Functions found;
#define WORKLOAD_FIND(name, symbol, version, parameters) found.name = ::name;
    WORKLOAD_FUNCTIONS(WORKLOAD_FIND)
#undef WORKLOAD_FIND
    return found;
}

Functions find_by_dlsym() {
    Functions found;
#define WORKLOAD_FIND(name, symbol, version, parameters) \
    found.name = reinterpret_cast<CUresult(*) parameters>(dlsym(library(), #name));
    WORKLOAD_FUNCTIONS(WORKLOAD_FIND)
#undef WORKLOAD_FIND
    return found;
}

template <typename Lookup>
Functions find_by_proc_address(Lookup&& lookup) {
    Functions found;
#define WORKLOAD_FIND(name, symbol, version, parameters) \
    found.name = reinterpret_cast<CUresult(*) parameters>(lookup(symbol, version));
    WORKLOAD_FUNCTIONS(WORKLOAD_FIND)
#undef WORKLOAD_FIND
    return found;
}

Functions find_by_version_1() {
    auto get = reinterpret_cast<CUresult (*)(const char*, void**, int, uint64_t)>(dlsym(library(), "cuGetProcAddress"));
    return find_by_proc_address([&](const char* symbol, int version) {
        void* function = nullptr;
        check(get(symbol, &function, version, CU_GET_PROC_ADDRESS_DEFAULT), symbol);
        return function;
    });
}

Functions find_by_version_2() {
    auto get = reinterpret_cast<CUresult (*)(const char*, void**, int, uint64_t, CUdriverProcAddressQueryResult*)>(
        dlsym(library(), "cuGetProcAddress_v2"));
    return find_by_proc_address([&](const char* symbol, int version) {
        void* function = nullptr;
        CUdriverProcAddressQueryResult status{};
        check(get(symbol, &function, version, CU_GET_PROC_ADDRESS_DEFAULT, &status), symbol);
        return function;
    });
}

}  // namespace

const Functions& by(const std::string& way) {
    if (way == "symbol") {
        static const Functions functions = find_symbols();
        return functions;
    }
    if (way == "proc1") {
        static const Functions functions = find_by_version_1();
        return functions;
    }
    if (way == "proc2") {
        static const Functions functions = find_by_version_2();
        return functions;
    }
    if (way == "dlsym") {
        return driver();
    }
    throw std::runtime_error("no such way to the driver: " + way);
}

const Functions& driver() {
    static const Functions functions = find_by_dlsym();
    return functions;
}

}  // namespace workload
