/*
 * Wire protocol between the daemon (client) and libgpusnap-preload.so (server), over a SOCK_SEQPACKET
 * Unix socket. One request, one reply; little endian; every message starts with gpusnap_wire_header.
 * Descriptors travel by SCM_RIGHTS with the EXPORT reply, one a record, in the records' order.
 *
 * States and verbs (the reply of any other combination is GPUSNAP_E_STATE):
 *   RUNNING --QUIESCE--> QUIESCED --RELEASE--> RELEASED --REMAP--> REMAPPED --RESUME--> RUNNING
 *                        QUIESCED --RESUME---> RUNNING
 *                        REMAPPED --RELEASE--> RELEASED   (it could not be filled)
 *   STATUS and LIST are answered in every state, EXPORT in QUIESCED and REMAPPED.
 * Several connections may be open. The one whose QUIESCE succeeded owns the freeze and is the only one
 * that may change it; when it closes, QUIESCED falls back to RUNNING, while RELEASED and REMAPPED stay and
 * the next connection that sends RELEASE, REMAP, EXPORT or RESUME takes the freeze over.
 */
#ifndef GPUSNAP_PRELOAD_PROTOCOL_H
#define GPUSNAP_PRELOAD_PROTOCOL_H

#include <stdint.h>

#define GPUSNAP_WIRE_MAGIC 0x504e5347u /* "GSNP" */
#define GPUSNAP_WIRE_VERSION 1u
#define GPUSNAP_WIRE_MAX_RECORDS 200u /* below SCM_MAX_FD (253) */
#define GPUSNAP_WIRE_DEFAULT_SOCKET_DIR "/tmp/gpusnap"

enum gpusnap_wire_verb {
  GPUSNAP_WIRE_STATUS = 1,  /* -> gpusnap_wire_status */
  GPUSNAP_WIRE_QUIESCE = 2, /* argument: timeout in ms */
  GPUSNAP_WIRE_LIST = 3,    /* argument: first index -> gpusnap_wire_records */
  GPUSNAP_WIRE_EXPORT = 4,  /* argument: first index -> gpusnap_wire_records + descriptors */
  GPUSNAP_WIRE_RELEASE = 5,
  GPUSNAP_WIRE_REMAP = 6,
  GPUSNAP_WIRE_RESUME = 7
};

typedef struct gpusnap_wire_header {
  uint32_t magic;
  uint16_t version;
  uint16_t verb;
  uint32_t status;       /* reply: gpusnap_status */
  uint32_t payload_size; /* bytes after the header */
  uint64_t argument;
} gpusnap_wire_header; /* a failed reply carries the error text as payload */

typedef struct gpusnap_wire_status {
  uint32_t state;
  uint32_t refusals;
  uint64_t allocation_count;
  uint64_t managed_bytes;
  uint64_t driver_bytes;
  int32_t pid; /* in the workload's own pid namespace */
  uint32_t reserved;
  char preload_version[32];
} gpusnap_wire_status;

typedef struct gpusnap_wire_record {
  uint64_t id;
  uint64_t address;
  uint64_t size_bytes;
  uint8_t gpu_uuid[16]; /* CUDA_VISIBLE_DEVICES may number GPUs differently on each side */
  uint32_t flags;
  uint32_t reserved;
} gpusnap_wire_record;

typedef struct gpusnap_wire_records {
  uint32_t total;
  uint32_t count;
  /* gpusnap_wire_record[count] follows */
} gpusnap_wire_records;

#endif
