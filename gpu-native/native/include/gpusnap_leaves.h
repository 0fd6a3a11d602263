/*
 * libgpusnap-leaves: the leaves of the sha256-tree-4k digest of host memory, by the processor's SHA instructions. It needs no
 * driver and no other library; the Java binding brings it along.
 */
#ifndef GPUSNAP_LEAVES_H
#define GPUSNAP_LEAVES_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#pragma GCC visibility push(default)
#endif

/* Whether this processor has what gpusnap_leaves uses: 1 or 0. */
int32_t gpusnap_leaves_supported(void);

/*
 * Digests and zero marks of the leaves of 4096 bytes of `data`; the last leaf may be short. Only where
 * gpusnap_leaves_supported says 1.
 *  data     size_bytes bytes, any alignment
 *  digests  32 bytes for each leaf, written
 *  zeros    a byte for each leaf, written: 1 if the leaf has only zero bytes, else 0
 */
void gpusnap_leaves(const void* data, uint64_t size_bytes, uint8_t* digests, uint8_t* zeros);

#if defined(__GNUC__)
#pragma GCC visibility pop
#endif

#ifdef __cplusplus
}
#endif

#endif
