#include "kernels.h"

#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>

namespace {

constexpr unsigned kBlocks = 528;  // a few for each multiprocessor of a large GPU; kernels loop over the rest
constexpr unsigned kThreads = 256;

std::filesystem::path beside_executable(const char* name) {
  return std::filesystem::read_symlink("/proc/self/exe").parent_path() / name;
}

}  // namespace

Kernels::Kernels(const Cuda& cuda) : cuda_(cuda) {
  const CUmodule module = load();
  CUDA(cuda_, cuModuleGetFunction(&hash_words, module, "hash_words"));
  CUDA(cuda_, cuModuleGetFunction(&hash_rows, module, "hash_rows"));
  CUDA(cuda_, cuModuleGetFunction(&write_slot, module, "write_slot"));
  CUDA(cuda_, cuModuleGetFunction(&multiply, module, "multiply"));
  CUDA(cuda_, cuModuleGetFunction(&fill_floats, module, "fill_floats"));
  CUDA(cuda_, cuStreamCreate(&stream_, CU_STREAM_NON_BLOCKING));
}

CUmodule Kernels::load() const {
  std::string tried;
  for (const char* name : {"cuda-server-kernels.fatbin", "cuda-server-kernels.so"}) {
    const auto path = beside_executable(name);
    std::ifstream file(path, std::ios::binary);
    if (!file) continue;
    std::stringstream image;
    image << file.rdbuf();
    const std::string bytes = image.str();
    CUmodule module = nullptr;
    const CUresult result = cuda_.cuModuleLoadData(&module, bytes.c_str());
    if (result == CUDA_SUCCESS) return module;
    if (result != CUDA_ERROR_NO_BINARY_FOR_GPU && result != CUDA_ERROR_INVALID_IMAGE) cuda_.check(name, result);
    tried += " " + path.string();
  }
  throw std::runtime_error("no kernels for this driver (tried:" + tried + "); for a GPU, build where nvcc is found");
}

void Kernels::launch(CUfunction function, void** arguments) const {
  CUDA(cuda_, cuLaunchKernel(function, kBlocks, 1, 1, kThreads, 1, 1, 0, stream_, arguments, nullptr));
  CUDA(cuda_, cuStreamSynchronize(stream_));
}
