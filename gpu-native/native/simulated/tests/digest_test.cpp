// SHA-256 both ways, and PTX images whose kernels are built in.
#include "harness.h"

#include <cstring>
#include <string>
#include <vector>

#include "code/builtin.h"
#include "code/sha256.h"

using namespace harness;
using namespace gpusnap::simulated;

namespace {

std::string hex(const Sha256Digest& digest) {
  std::string text;
  char two[3];
  for (const unsigned char byte : digest.bytes) {
    std::snprintf(two, sizeof two, "%02x", byte);
    text += two;
  }
  return text;
}

// The examples of FIPS 180-4.
void digests_the_examples(sha256_ways::Compress way) {
  const std::string two_blocks = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
  CHECK(hex(sha256_ways::digest(way, "", 0)) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(hex(sha256_ways::digest(way, "abc", 3)) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(hex(sha256_ways::digest(way, two_blocks.data(), two_blocks.size())) ==
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  const std::string million(1000000, 'a');
  CHECK(hex(sha256_ways::digest(way, million.data(), million.size())) ==
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

void both_ways_agree() {
  const auto fast = sha256_ways::of_the_cpu();
  if (fast == nullptr) {
    std::printf("this CPU has no SHA instructions: only the portable way is tried\n");
    return;
  }
  digests_the_examples(fast);
  std::string text;
  for (int size = 0; size < 300; ++size) {
    CHECK(hex(sha256_ways::digest(fast, text.data(), text.size())) ==
          hex(sha256_ways::digest(sha256_ways::portable, text.data(), text.size())));
    text += static_cast<char>(size * 7);
  }
}

void finds_entries() {
  const std::vector<std::string> expected = {"one", "_two$2", "three"};
  CHECK(ptx_entries(".version 8.3\n// .entry no(\n.visible .entry one(\n\t.param .u64 a\n)\n.entry _two$2()\n"
                    ".weak .entry\tthree (") == expected);
  CHECK(ptx_entries(".version 8.3\n.func helper()\n").empty());
}

void takes_ptx_of_builtin_kernels_only() {
  CUmodule module;
  CUfunction function;
  OK(cuModuleLoadData(&module, "//\n.version 8.3\n.target sm_75\n.visible .entry gpusnap_leaf_digests(\n)\n{ ret; }\n"));
  OK(cuModuleGetFunction(&function, module, "gpusnap_leaf_digests"));
  CHECK_RESULT(CUDA_ERROR_NOT_FOUND, cuModuleGetFunction(&function, module, "gpusnap_span_digests"));
  CUdeviceptr address;
  CHECK_RESULT(CUDA_ERROR_NOT_FOUND, cuModuleGetGlobal_v2(&address, nullptr, module, "round_constants"));
  OK(cuModuleUnload(module));
  CHECK_RESULT(CUDA_ERROR_NO_BINARY_FOR_GPU,
               cuModuleLoadData(&module, ".version 8.3\n.entry gpusnap_leaf_digests()\n.entry other()\n"));
  CHECK_RESULT(CUDA_ERROR_NO_BINARY_FOR_GPU, cuModuleLoadData(&module, ".version 8.3\n.target sm_75\n"));
}

}  // namespace

int main() {
  const StateDir dir;
  digests_the_examples(sha256_ways::portable);
  both_ways_agree();
  finds_entries();
  start_cuda();
  takes_ptx_of_builtin_kernels_only();
  return 0;
}
