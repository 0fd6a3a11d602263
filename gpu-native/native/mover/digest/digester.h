// Digests of device memory, taken on the GPU as part of a stream's work.
#pragma once

#include <vector>

#include "mover/digest/kernels.h"
#include "mover/digest/layout.h"
#include "mover/digest/results.h"
#include "mover/digest/scratch.h"

namespace gpusnap {

// Throws GPUSNAP_E_INVALID for a span that is too long, empty, not aligned, or no device memory of this process: a kernel
// that reads elsewhere would end the whole context. The GPU's context must be current.
void require_spans(const gpusnap_span* spans, size_t count);

class Digester {
public:
    // The GPU's context must be current, and the object must outlive the work on the stream.
    Digester(Gpu& gpu, std::vector<gpusnap_span> spans);
    Digester(const Digester&) = delete;
    Digester& operator=(const Digester&) = delete;

    void enqueue(CUstream stream);
    // The same in two steps on one stream: what the kernels are to look at, and later the kernels.
    void upload(CUstream stream);
    void hash(CUstream stream);
    // Once the stream's work is done.
    void collect(gpusnap_digest* digests) const;

private:
    size_t group(size_t first) const noexcept;
    void upload_group(CUstream stream, size_t first);
    void hash_group(CUstream stream, size_t first);
    void launch(CUfunction kernel, unsigned columns, unsigned rows, unsigned threads, CUstream stream, void** parameters);

    const DigestKernels& kernels_;
    std::vector<gpusnap_span> spans_;
    DigestResults results_;
    DigestScratch scratch_;
};

}  // namespace gpusnap
