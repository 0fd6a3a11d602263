// The kernels of mover/digest/tree_digest.cu, on the host.
#pragma once

#include <gpusnap_sim_kernel.h>

#include <cstdint>

namespace gpusnap::simulated {

struct DigestSpan {  // as gpusnap_span
  const unsigned char* address;
  uint64_t size;
};

struct DigestResult {
  unsigned char digest[32];
  uint32_t not_zero;
};

void leaf_digests(const gpusnap_sim_launch& launch, const DigestSpan* spans, unsigned char* leaves, uint32_t* flags);
void span_digests(const gpusnap_sim_launch& launch, const DigestSpan* spans, uint32_t count, const unsigned char* leaves,
                  const uint32_t* flags, DigestResult* results);

extern "C" {
void gpusnap_leaf_digests(const gpusnap_sim_launch* launch, void** parameters);
void gpusnap_span_digests(const gpusnap_sim_launch* launch, void** parameters);
extern const gpusnap_sim::Signature<decltype(&leaf_digests)>::Sizes gpusnap_leaf_digests_parameter_sizes;
extern const gpusnap_sim::Signature<decltype(&span_digests)>::Sizes gpusnap_span_digests_parameter_sizes;
}

}  // namespace gpusnap::simulated
