// Modules, libraries, kernels, launches.
#include "code/module.h"

#include "core/call.h"
#include "work/submit.h"

using namespace gpusnap::simulated;

namespace {

template <class Handle>
Handle as_handle(const std::shared_ptr<Module>& module) {
  return reinterpret_cast<Handle>(module.get());
}

void launch(CUfunction handle, const unsigned grid[3], const unsigned block[3], unsigned shared_bytes, CUstream stream,
            void** parameters, void** extra) {
  const auto target = stream_of(stream);
  const Launch prepared = prepare_launch(functions().get(handle), grid, block, shared_bytes, parameters, extra);
  if (prepared.owns_parameters) {
    submit(target, CU_GRAPH_NODE_TYPE_KERNEL, prepared.work);
    return;
  }
  if (capturing(*target)) {
    complain("a kernel without parameter sizes cannot be captured (gpusnap_sim_kernel.h)");
    fail(CUDA_ERROR_NOT_SUPPORTED);
  }
  submit_and_wait(target, CU_GRAPH_NODE_TYPE_KERNEL, prepared.work);
}

void unload(const void* handle) {
  const auto module = modules().take(handle);
  for (const auto& function : functions().all()) {
    if (function->module.lock() == module) functions().take(function.get());
  }
}

}  // namespace

GPUSNAP_SIM_EXPORT CUresult cuModuleLoad(CUmodule* module, const char* path) {
  return call(__func__, [&] {
    require(module != nullptr);
    current_context();
    *module = as_handle<CUmodule>(load_file(path));
  });
}

GPUSNAP_SIM_EXPORT CUresult cuModuleLoadData(CUmodule* module, const void* image) {
  return call(__func__, [&] {
    require(module != nullptr);
    current_context();
    *module = as_handle<CUmodule>(load_image(image));
  });
}

GPUSNAP_SIM_EXPORT CUresult cuModuleLoadDataEx(CUmodule* module, const void* image, unsigned int, CUjit_option*, void**) {
  return call(__func__, [&] {
    require(module != nullptr);
    current_context();
    *module = as_handle<CUmodule>(load_image(image));
  });
}

GPUSNAP_SIM_EXPORT CUresult cuModuleLoadFatBinary(CUmodule* module, const void* image) {
  return call(__func__, [&] {
    require(module != nullptr);
    current_context();
    *module = as_handle<CUmodule>(load_image(image));
  });
}

GPUSNAP_SIM_EXPORT CUresult cuModuleUnload(CUmodule module) {
  return call(__func__, [&] { unload(module); });
}

GPUSNAP_SIM_EXPORT CUresult cuModuleGetLoadingMode(CUmoduleLoadingMode* mode) {
  return call(__func__, [&] {
    require(mode != nullptr);
    *mode = CU_MODULE_EAGER_LOADING;
  });
}

GPUSNAP_SIM_EXPORT CUresult cuModuleGetFunction(CUfunction* function, CUmodule module, const char* name) {
  return call(__func__, [&] {
    require(function != nullptr && name != nullptr);
    *function = reinterpret_cast<CUfunction>(modules().get(module)->function(name).get());
  });
}

GPUSNAP_SIM_EXPORT CUresult cuModuleGetGlobal_v2(CUdeviceptr* address, size_t* size, CUmodule module, const char* name) {
  return call(__func__, [&] {
    require(name != nullptr);
    const CUdeviceptr found = modules().get(module)->global(name, size);
    if (address != nullptr) *address = found;
  });
}

GPUSNAP_SIM_EXPORT CUresult cuLibraryLoadData(CUlibrary* library, const void* image, CUjit_option*, void**, unsigned int,
                                              CUlibraryOption*, void**, unsigned int) {
  return call(__func__, [&] {
    require(library != nullptr);
    *library = as_handle<CUlibrary>(load_image(image));
  });
}

GPUSNAP_SIM_EXPORT CUresult cuLibraryLoadFromFile(CUlibrary* library, const char* path, CUjit_option*, void**, unsigned int,
                                                  CUlibraryOption*, void**, unsigned int) {
  return call(__func__, [&] {
    require(library != nullptr);
    *library = as_handle<CUlibrary>(load_file(path));
  });
}

GPUSNAP_SIM_EXPORT CUresult cuLibraryUnload(CUlibrary library) {
  return call(__func__, [&] { unload(library); });
}

GPUSNAP_SIM_EXPORT CUresult cuLibraryGetKernel(CUkernel* kernel, CUlibrary library, const char* name) {
  return call(__func__, [&] {
    require(kernel != nullptr && name != nullptr);
    *kernel = reinterpret_cast<CUkernel>(modules().get(library)->function(name).get());
  });
}

GPUSNAP_SIM_EXPORT CUresult cuLibraryGetModule(CUmodule* module, CUlibrary library) {
  return call(__func__, [&] {
    require(module != nullptr);
    *module = as_handle<CUmodule>(modules().get(library));
  });
}

GPUSNAP_SIM_EXPORT CUresult cuLibraryGetGlobal(CUdeviceptr* address, size_t* size, CUlibrary library, const char* name) {
  return call(__func__, [&] {
    require(name != nullptr);
    const CUdeviceptr found = modules().get(library)->global(name, size);
    if (address != nullptr) *address = found;
  });
}

GPUSNAP_SIM_EXPORT CUresult cuKernelGetFunction(CUfunction* function, CUkernel kernel) {
  return call(__func__, [&] {
    require(function != nullptr);
    *function = reinterpret_cast<CUfunction>(functions().get(kernel).get());
  });
}

GPUSNAP_SIM_EXPORT CUresult cuKernelGetLibrary(CUlibrary* library, CUkernel kernel) {
  return call(__func__, [&] {
    require(library != nullptr);
    *library = as_handle<CUlibrary>(functions().get(kernel)->module.lock());
  });
}

GPUSNAP_SIM_EXPORT CUresult cuKernelGetName(const char** name, CUkernel kernel) {
  return call(__func__, [&] {
    require(name != nullptr);
    *name = functions().get(kernel)->name.c_str();
  });
}

GPUSNAP_SIM_EXPORT CUresult cuFuncGetAttribute(int* value, CUfunction_attribute attribute, CUfunction function) {
  return call(__func__, [&] {
    require(value != nullptr);
    functions().get(function);
    switch (attribute) {
      case CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK:
        *value = 1024;
        return;
      case CU_FUNC_ATTRIBUTE_NUM_REGS:
        *value = 32;
        return;
      case CU_FUNC_ATTRIBUTE_PTX_VERSION:
      case CU_FUNC_ATTRIBUTE_BINARY_VERSION:
        *value = 90;
        return;
      case CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES:
        *value = 48 << 10;
        return;
      default:
        *value = 0;
        return;
    }
  });
}

GPUSNAP_SIM_EXPORT CUresult cuFuncSetAttribute(CUfunction function, CUfunction_attribute, int value) {
  return call(__func__, [&] {
    functions().get(function);
    require(value >= 0);
  });
}

GPUSNAP_SIM_EXPORT CUresult cuFuncSetCacheConfig(CUfunction function, CUfunc_cache) {
  return call(__func__, [&] { functions().get(function); });
}

GPUSNAP_SIM_EXPORT CUresult cuFuncGetModule(CUmodule* module, CUfunction function) {
  return call(__func__, [&] {
    require(module != nullptr);
    *module = as_handle<CUmodule>(functions().get(function)->module.lock());
  });
}

GPUSNAP_SIM_EXPORT CUresult cuFuncGetName(const char** name, CUfunction function) {
  return call(__func__, [&] {
    require(name != nullptr);
    *name = functions().get(function)->name.c_str();
  });
}

GPUSNAP_SIM_STREAM_CALL(cuLaunchKernel, _ptsz,
                        (CUfunction function, unsigned int grid_x, unsigned int grid_y, unsigned int grid_z,
                         unsigned int block_x, unsigned int block_y, unsigned int block_z, unsigned int shared_bytes,
                         CUstream stream, void** params, void** extra),
                        (function, grid_x, grid_y, grid_z, block_x, block_y, block_z, shared_bytes, stream, params,
                         extra)) {
  return call("cuLaunchKernel", [&] {
    const unsigned grid[3] = {grid_x, grid_y, grid_z};
    const unsigned block[3] = {block_x, block_y, block_z};
    launch(function, grid, block, shared_bytes, stream, params, extra);
  });
}

GPUSNAP_SIM_STREAM_CALL(cuLaunchKernelEx, _ptsz,
                        (const CUlaunchConfig* config, CUfunction function, void** params, void** extra),
                        (config, function, params, extra)) {
  return call("cuLaunchKernelEx", [&] {
    require(config != nullptr);
    const unsigned grid[3] = {config->gridDimX, config->gridDimY, config->gridDimZ};
    const unsigned block[3] = {config->blockDimX, config->blockDimY, config->blockDimZ};
    launch(function, grid, block, config->sharedMemBytes, config->hStream, params, extra);
  });
}

GPUSNAP_SIM_STREAM_CALL(cuLaunchCooperativeKernel, _ptsz,
                        (CUfunction function, unsigned int grid_x, unsigned int grid_y, unsigned int grid_z,
                         unsigned int block_x, unsigned int block_y, unsigned int block_z, unsigned int shared_bytes,
                         CUstream stream, void** params),
                        (function, grid_x, grid_y, grid_z, block_x, block_y, block_z, shared_bytes, stream, params)) {
  return call("cuLaunchCooperativeKernel", [&] {
    const unsigned grid[3] = {grid_x, grid_y, grid_z};
    const unsigned block[3] = {block_x, block_y, block_z};
    launch(function, grid, block, shared_bytes, stream, params, nullptr);
  });
}

GPUSNAP_SIM_EXPORT CUresult cuOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks, CUfunction function, int block_size,
                                                                        size_t) {
  return call(__func__, [&] {
    require(blocks != nullptr && block_size > 0);
    functions().get(function);
    *blocks = block_size <= 1024 ? 2048 / block_size : 0;
  });
}
