#include "mover/digest/digester.h"

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "mover/areas.h"
#include "mover/digest/layout.h"
#include "mover/streams.h"

namespace gpusnap {
namespace {

constexpr unsigned leaf_threads = 128;
constexpr unsigned span_threads = 32;

unsigned blocks(uint64_t things, unsigned threads) {
    return static_cast<unsigned>((things + threads - 1) / threads);
}

std::string described(const gpusnap_span& span, size_t index) {
    char address[32];
    std::snprintf(address, sizeof address, "0x%llx", static_cast<unsigned long long>(span.device_address));
    return "span " + std::to_string(index) + " (" + std::to_string(span.size_bytes) + " bytes at " + address + ")";
}

void require_span(bool condition, const gpusnap_span& span, size_t index, const char* what) {
    if (!condition) {
        throw Failure(GPUSNAP_E_INVALID, described(span, index) + " " + what);
    }
}

bool in_one_allocation(const gpusnap_span& span) {
    CUdeviceptr base = 0;
    size_t size = 0;
    return Driver::get().cuMemGetAddressRange_v2(&base, &size, span.device_address) == CUDA_SUCCESS &&
           span.size_bytes <= base + size - span.device_address;
}

}  // namespace

void require_spans(const gpusnap_span* spans, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const gpusnap_span& span = spans[i];
        require_span(span.size_bytes >= 1 && span.size_bytes <= DigestLayout::span_bytes, span, i,
                     "is not of 1 byte to 4 MiB");
        require_span(span.device_address != 0 && span.device_address % 16 == 0, span, i,
                     "does not begin at a multiple of 16");
        require_span(imported_areas().hold(span.device_address, span.size_bytes) || in_one_allocation(span), span, i,
                     "does not lie in one allocation of this process");
    }
}

Digester::Digester(Gpu& gpu, std::vector<gpusnap_span> spans)
    : kernels_(digest_kernels(gpu)),
      spans_(std::move(spans)),
      results_(spans_.size()),
      scratch_(gpu, spans_.size()) {}

void Digester::enqueue(CUstream stream) {
    upload(stream);
    hash(stream);
}

void Digester::upload(CUstream stream) {
    upload_group(stream, 0);
}

void Digester::hash(CUstream stream) {
    hash_group(stream, 0);
    for (size_t first = group(0); first < spans_.size(); first += group(first)) {
        upload_group(stream, first);
        hash_group(stream, first);
    }
}

// How many spans from there on the scratch memory takes at once.
size_t Digester::group(size_t first) const noexcept {
    return std::min(scratch_.capacity(), spans_.size() - first);
}

void Digester::upload_group(CUstream stream, size_t first) {
    const Driver& driver = Driver::get();
    const size_t count = group(first);
    const DigestLayout layout(count);
    driver.check(driver.cuMemcpyHtoDAsync_v2(scratch_.address() + layout.spans_offset(), &spans_[first],
                                             count * sizeof(gpusnap_span), stream),
                 "cuMemcpyHtoDAsync_v2");
    driver.check(driver.cuMemsetD8Async(scratch_.address() + layout.flags_offset(), 0, layout.flags_bytes(), stream),
                 "cuMemsetD8Async");
}

void Digester::hash_group(CUstream stream, size_t first) {
    const size_t count = group(first);
    const DigestLayout layout(count);
    CUdeviceptr leaves = scratch_.address() + layout.leaves_offset();
    CUdeviceptr spans = scratch_.address() + layout.spans_offset();
    CUdeviceptr flags = scratch_.address() + layout.flags_offset();
    CUdeviceptr results = results_.address(first);

    uint64_t longest = 0;
    for (size_t i = first; i < first + count; i++) {
        longest = std::max(longest, spans_[i].size_bytes);
    }
    unsigned number = static_cast<unsigned>(count);
    void* of_leaves[] = {&spans, &leaves, &flags};
    launch(kernels_.leaf_digests, blocks(blocks(longest, DigestLayout::leaf_bytes), leaf_threads), number, leaf_threads,
           stream, of_leaves);
    void* of_spans[] = {&spans, &number, &leaves, &flags, &results};
    launch(kernels_.span_digests, blocks(number, span_threads), 1, span_threads, stream, of_spans);
}

void Digester::launch(CUfunction kernel, unsigned columns, unsigned rows, unsigned threads, CUstream stream,
                      void** parameters) {
    const Driver& driver = Driver::get();
    driver.check(driver.cuLaunchKernel(kernel, columns, rows, 1, threads, 1, 1, 0, stream, parameters, nullptr),
                 "cuLaunchKernel of the digest kernels");
}

void Digester::collect(gpusnap_digest* digests) const {
    for (size_t i = 0; i < spans_.size(); i++) {
        gpusnap_digest& digest = digests[i];
        digest = {};
        static_assert(sizeof digest.sha256_tree == sizeof DigestResult::digest);
        std::memcpy(digest.sha256_tree, results_[i].digest, sizeof digest.sha256_tree);
        digest.zero = results_[i].not_zero == 0;
    }
}

}  // namespace gpusnap

using namespace gpusnap;

gpusnap_status gpusnap_digest_device(uint32_t gpu_ordinal, const gpusnap_span* spans, size_t count,
                                     gpusnap_digest* digests) {
    return guarded([&] {
        require(count == 0 || (spans != nullptr && digests != nullptr), "spans or digests is NULL but count is not 0");
        Gpu& which = gpu(gpu_ordinal);
        ContextScope scope(which);
        if (count == 0) {
            digest_kernels(which);
            DigestResults::prepare();
            return;
        }
        require_spans(spans, count);
        Digester digester(which, std::vector<gpusnap_span>(spans, spans + count));
        BorrowedStream stream(which);
        digester.enqueue(stream.get());
        stream.finish("digests of device memory");
        digester.collect(digests);
    });
}
