// The dynamic linker's own dlsym, which we interpose.
#pragma once

namespace gpusnap::preload {

// dlsym for a library handle (not for RTLD_NEXT or RTLD_DEFAULT, which depend on the caller).
void* real_dlsym(void* handle, const char* name);

}  // namespace gpusnap::preload
