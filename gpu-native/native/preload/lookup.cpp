// The C++ half of the interposed dlsym; lookup.S is the entry.
//
// Programs reach the driver by dlsym (the CUDA runtime, Python modules, Triton's launchers), so this is
// where they get our wrappers. Everything that does not ask for a CUDA name goes to the real dlsym by a
// tail jump: the real one finds the caller of RTLD_NEXT and RTLD_DEFAULT by its return address.
#include "preload/lookup.h"

#include <dlfcn.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

#include "preload/hooks.h"

using namespace gpusnap::preload;

extern "C" {

using DlsymFunction = void* (*)(void*, const char*);
// Read by lookup.S.
__attribute__((visibility("hidden"))) DlsymFunction gpusnap_real_dlsym = nullptr;

// The real dlsym cannot be asked for by dlsym. Its version tells it apart from ours, which has none.
__attribute__((visibility("hidden"))) DlsymFunction gpusnap_find_real_dlsym() {
    if (gpusnap_real_dlsym == nullptr) {
#if defined(__x86_64__)
        const char* const versions[] = {"GLIBC_2.2.5", "GLIBC_2.34"};
#else
        const char* const versions[] = {"GLIBC_2.17", "GLIBC_2.34"};
#endif
        for (const char* version : versions) {
            if (void* found = dlvsym(RTLD_NEXT, "dlsym", version)) {
                gpusnap_real_dlsym = reinterpret_cast<DlsymFunction>(found);
                break;
            }
        }
    }
    if (gpusnap_real_dlsym == nullptr) {
        static const char text[] = "gpusnap-preload: this C library has no dlsym of glibc\n";
        if (write(STDERR_FILENO, text, sizeof text - 1) < 0) {
            _exit(127);
        }
        abort();
    }
    return gpusnap_real_dlsym;
}

// dlsym(handle, "cu…") for a handle that names a library.
__attribute__((visibility("hidden"))) void* gpusnap_dlsym_in_library(void* handle, const char* name) {
    void* found = real_dlsym(handle, name);
    const HookEntry* hook = found != nullptr ? find_hook(name) : nullptr;
    if (hook == nullptr) {
        return found;
    }
    // A handle on the whole program finds our own export; without a driver that must look like none.
    return driver_library() != nullptr ? hook->wrapper : found == hook->wrapper ? nullptr : found;
}

// Whether dlsym(RTLD_DEFAULT, "cu…") would find only our export because no driver is loaded.
__attribute__((visibility("hidden"))) int gpusnap_dlsym_hides(const char* name) {
    return find_hook(name) != nullptr && driver_library() == nullptr;
}

}  // extern "C"

namespace gpusnap::preload {

void* real_dlsym(void* handle, const char* name) {
    return gpusnap_find_real_dlsym()(handle, name);
}

}  // namespace gpusnap::preload
