#include "code/module.h"

#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <set>
#include <sstream>

#include "code/builtin.h"

namespace gpusnap::simulated {
namespace {

constexpr uint32_t kFatbinMagic = 0xba55ed50;
constexpr uint32_t kFatbinWrapperMagic = 0x466243b1;
constexpr Elf64_Half kMachineCuda = 190;
#if defined(__x86_64__)
constexpr Elf64_Half kMachineHost = EM_X86_64;
#elif defined(__aarch64__)
constexpr Elf64_Half kMachineHost = EM_AARCH64;
#else
#error "the simulated driver knows x86_64 and aarch64"
#endif

// The length of a shared object that starts here: an image comes without one.
uint64_t image_size(const void* image) {
  uint32_t magic = 0;
  std::memcpy(&magic, image, sizeof magic);
  require(magic != kFatbinMagic && magic != kFatbinWrapperMagic, CUDA_ERROR_NO_BINARY_FOR_GPU);
  const auto* const header = static_cast<const Elf64_Ehdr*>(image);
  require(std::memcmp(header->e_ident, ELFMAG, SELFMAG) == 0, CUDA_ERROR_INVALID_IMAGE);
  require(header->e_machine != kMachineCuda, CUDA_ERROR_NO_BINARY_FOR_GPU);
  require(header->e_ident[EI_CLASS] == ELFCLASS64 && header->e_machine == kMachineHost && header->e_type == ET_DYN,
          CUDA_ERROR_INVALID_IMAGE);
  const char* const bytes = static_cast<const char*>(image);
  uint64_t end = header->e_shoff + static_cast<uint64_t>(header->e_shnum) * header->e_shentsize;
  for (unsigned i = 0; i < header->e_phnum; ++i) {
    const auto* segment = reinterpret_cast<const Elf64_Phdr*>(bytes + header->e_phoff + i * header->e_phentsize);
    end = std::max<uint64_t>(end, segment->p_offset + segment->p_filesz);
  }
  return end;
}

// Offsets inside a packed parameter buffer: natural alignment, at most 8.
uint64_t aligned(uint64_t offset, uint32_t size) {
  const uint64_t alignment = size >= 8 ? 8 : size >= 4 ? 4 : size >= 2 ? 2 : 1;
  return (offset + alignment - 1) / alignment * alignment;
}

// The arguments of one launch, kept until it has run.
struct Arguments {
  std::string bytes;
  std::vector<uint64_t> offsets;

  std::vector<void*> pointers() {
    std::vector<void*> result;
    for (const uint64_t offset : offsets) result.push_back(bytes.data() + offset);
    return result;
  }
};

const char* packed_buffer(void** extra) {
  const char* buffer = nullptr;
  for (void** at = extra; at != nullptr && *at != CU_LAUNCH_PARAM_END; at += 2) {
    if (*at == CU_LAUNCH_PARAM_BUFFER_POINTER) buffer = static_cast<const char*>(at[1]);
  }
  return buffer;
}

std::shared_ptr<Arguments> copy_arguments(const Function& function, void** parameters, void** extra) {
  auto result = std::make_shared<Arguments>();
  const char* const packed = parameters == nullptr ? packed_buffer(extra) : nullptr;
  uint64_t packed_offset = 0;
  for (unsigned i = 0; function.parameter_sizes[i] != 0; ++i) {
    const uint32_t size = function.parameter_sizes[i];
    require(parameters != nullptr || packed != nullptr);
    packed_offset = aligned(packed_offset, size);
    const void* const from = packed != nullptr ? packed + packed_offset : parameters[i];
    packed_offset += size;
    result->bytes.resize((result->bytes.size() + 15) / 16 * 16);  // aligned for any type
    result->offsets.push_back(result->bytes.size());
    result->bytes.append(static_cast<const char*>(from), size);
  }
  return result;
}

// dlopen() takes a path for a library that it already has when the text is equal, so no two loaded modules may share
// the number in /proc/self/fd/<number>.
std::mutex names_mutex;
std::set<int>& names = *new std::set<int>;

void release_name(int name) {
  const std::lock_guard lock(names_mutex);
  names.erase(name);
}

// An anonymous file with the image, under a descriptor whose number is reserved until release_name().
int image_file(const void* image, uint64_t size) {
  const int file = memfd_create("gpusnap-sim-module", MFD_CLOEXEC);
  require(file >= 0, CUDA_ERROR_OPERATING_SYSTEM);
  const bool written = write(file, image, size) == static_cast<ssize_t>(size);
  const std::lock_guard lock(names_mutex);
  int moved = written ? fcntl(file, F_DUPFD_CLOEXEC, 0) : -1;
  while (moved >= 0 && !names.insert(moved).second) {
    const int taken = moved;
    moved = fcntl(file, F_DUPFD_CLOEXEC, taken + 1);
    close(taken);
  }
  close(file);
  require(moved >= 0, CUDA_ERROR_OPERATING_SYSTEM);
  return moved;
}

void run(const Function& function, gpusnap_sim_launch launch, void** parameters) {
  std::string shared(launch.shared_bytes, '\0');
  launch.shared = launch.shared_bytes > 0 ? shared.data() : nullptr;
  function.entry(&launch, parameters);
}

}  // namespace

Module::~Module() {
  if (library != nullptr) dlclose(library);
  if (name >= 0) release_name(name);
}

std::shared_ptr<Function> Module::function(const std::string& name) {
  const std::lock_guard lock(mutex_);
  if (const auto known = functions_.find(name); known != functions_.end()) return known->second;
  const auto made = std::make_shared<Function>(find(name));
  functions_[name] = made;
  functions().add<CUfunction>(made);
  return made;
}

Function Module::find(const std::string& name) {
  if (library == nullptr) {
    require(std::find(builtins.begin(), builtins.end(), name) != builtins.end(), CUDA_ERROR_NOT_FOUND);
    const Builtin* const kernel = builtin(name);
    return {name, kernel->entry, kernel->parameter_sizes, weak_from_this()};
  }
  void* const entry = dlsym(library, name.c_str());
  require(entry != nullptr, CUDA_ERROR_NOT_FOUND);
  const std::string sizes = name + GPUSNAP_SIM_PARAMETER_SIZES_SUFFIX;
  return {name, reinterpret_cast<gpusnap_sim_kernel>(entry), static_cast<const uint32_t*>(dlsym(library, sizes.c_str())),
          weak_from_this()};
}

CUdeviceptr Module::global(const char* name, size_t* size_bytes) const {
  require(library != nullptr, CUDA_ERROR_NOT_FOUND);
  void* const address = dlsym(library, name);
  require(address != nullptr, CUDA_ERROR_NOT_FOUND);
  Dl_info info;
  const ElfW(Sym)* symbol = nullptr;
  const bool found = dladdr1(address, &info, reinterpret_cast<void**>(const_cast<ElfW(Sym)**>(&symbol)), RTLD_DL_SYMENT) != 0;
  if (size_bytes != nullptr) *size_bytes = found && symbol != nullptr ? symbol->st_size : 0;
  return reinterpret_cast<CUdeviceptr>(address);
}

Registry<Module>& modules() {
  static auto* instance = new Registry<Module>;
  return *instance;
}

Registry<Function>& functions() {
  static auto* instance = new Registry<Function>;
  return *instance;
}

namespace {

// There is no compiler here: what is not built in is code for some other GPU.
std::shared_ptr<Module> load_ptx(const char* text) {
  auto module = std::make_shared<Module>();
  module->builtins = ptx_entries(text);
  require(!module->builtins.empty(), CUDA_ERROR_NO_BINARY_FOR_GPU);
  for (const std::string& name : module->builtins) require(builtin(name) != nullptr, CUDA_ERROR_NO_BINARY_FOR_GPU);
  modules().add<CUmodule>(module);
  return module;
}

}  // namespace

std::shared_ptr<Module> load_image(const void* image) {
  require(image != nullptr);
  if (is_ptx(static_cast<const char*>(image))) return load_ptx(static_cast<const char*>(image));
  const uint64_t size = image_size(image);
  auto module = std::make_shared<Module>();
  module->name = image_file(image, size);
  module->library = dlopen(("/proc/self/fd/" + std::to_string(module->name)).c_str(), RTLD_NOW | RTLD_LOCAL);
  close(module->name);
  if (module->library == nullptr) {
    complain("a module image does not load: %s", dlerror());
    fail(CUDA_ERROR_INVALID_IMAGE);
  }
  modules().add<CUmodule>(module);
  return module;
}

std::shared_ptr<Module> load_file(const char* path) {
  require(path != nullptr);
  std::ifstream file(path, std::ios::binary);
  require(file.good(), CUDA_ERROR_FILE_NOT_FOUND);
  std::stringstream content;
  content << file.rdbuf();
  std::string image = content.str();
  require(image.size() > sizeof(Elf64_Ehdr), CUDA_ERROR_INVALID_IMAGE);
  return load_image(image.data());
}

Launch prepare_launch(const std::shared_ptr<Function>& function, const unsigned grid[3], const unsigned block[3],
                      unsigned shared_bytes, void** parameters, void** extra) {
  uint64_t threads = 1;
  for (int i = 0; i < 3; ++i) {
    require(grid[i] > 0 && block[i] > 0);
    threads *= block[i];
  }
  require(threads <= 1024);
  const auto module = function->module.lock();
  require(module != nullptr, CUDA_ERROR_INVALID_HANDLE);
  const gpusnap_sim_launch launch{sizeof(gpusnap_sim_launch), {grid[0], grid[1], grid[2]}, {block[0], block[1], block[2]},
                                  shared_bytes, nullptr};
  if (function->parameter_sizes == nullptr) {
    return {[=] { run(*function, launch, parameters); }, false};
  }
  const auto arguments = copy_arguments(*function, parameters, extra);
  return {[=] {  // holds the module too: unloading waits for launches under way
            auto pointers = arguments->pointers();
            (void)module;
            run(*function, launch, pointers.data());
          },
          true};
}

}  // namespace gpusnap::simulated
