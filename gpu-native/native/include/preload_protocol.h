/*
 * Wire protocol between the daemon (client) and libgpusnap-preload.so (server), over a SOCK_SEQPACKET
 * Unix socket. One request, one reply; little endian; every message starts with gpusnap_wire_header.
 * Descriptors travel by SCM_RIGHTS, one a record, in the records' order: with the reply to EXPORT, and with GIVE_BACK
 * and GIVE_AHEAD.
 *
 * States and verbs (the reply of any other combination is GPUSNAP_E_STATE):
 *   RUNNING --QUIESCE--> QUIESCED --RELEASE--> RELEASED --REMAP--> REMAPPED --RESUME--> RUNNING
 *                        QUIESCED --RESUME---> RUNNING
 *                        REMAPPED --RELEASE--> RELEASED   (it could not be filled)
 *   STATUS, LIST, HINTS and GPUS are answered in every state, EXPORT in QUIESCED and REMAPPED, GIVE_BACK and
 *   GIVE_AHEAD in RELEASED.
 *
 * Physical memory lives as long as a descriptor of it does. A daemon that keeps those of EXPORT through RELEASE holds the memory
 * with all that is in it; what it gives back before REMAP is mapped as it is, and listed with GPUSNAP_ALLOCATION_HELD until
 * RESUME. Fresh memory stands for what was not given back, or could not be taken. The preload keeps each descriptor as long as
 * the process has the memory: the driver makes another one for nobody but the process that made the memory.
 *
 * Memory that the daemon has made itself, before the process was there, comes with GIVE_AHEAD. It is plain memory: what the
 * application made with flags of its own (compressible, or for RDMA) is made anew. Everything else is as with GIVE_BACK; the daemon
 * knows the content, and may still be filling it in.
 *
 * Several connections may be open. The one whose QUIESCE succeeded owns the freeze and is the only one
 * that may change it; when it closes, QUIESCED falls back to RUNNING, while RELEASED and REMAPPED stay and
 * the next connection that sends RELEASE, REMAP, EXPORT or RESUME takes the freeze over.
 *
 * The application's callbacks (gpusnap_hints.h). QUIESCE runs its quiesce callbacks first, in RUNNING, with the gate open; its
 * reply comes when they and the rest are done, or when its time is over. Until then its connection owns the freeze that it asks
 * for, and other connections are answered as in RUNNING, but that what changes the state is GPUSNAP_E_STATE. A callback that
 * refuses is GPUSNAP_E_REFUSED with its reason, one that is late GPUSNAP_E_TIMEOUT. RESUME answers once the gate is open; the
 * resume callbacks run after that, and the next QUIESCE waits for them. When the connection closes before its reply, the quiesce
 * is given up as soon as the callbacks are back.
 *
 * HINTS lists the memory whose content the application can rebuild, and what the application has freed and the preload keeps between
 * memory in use (GPUSNAP_WIRE_FREE_TAG). While the gate is closed it does not change. A range may be listed in several records (one
 * for each allocation that it lies in), and records may overlap.
 *
 * Versions: GPUSNAP_WIRE_VERSION changes when an old peer would misunderstand. A verb that is only added does not change it: an
 * older preload answers it with GPUSNAP_E_PROTOCOL, which for HINTS and GPUS means that it has none to tell, and for GIVE_BACK
 * and GIVE_AHEAD that all memory will be fresh.
 */
#ifndef GPUSNAP_PRELOAD_PROTOCOL_H
#define GPUSNAP_PRELOAD_PROTOCOL_H

#include <stdint.h>

#define GPUSNAP_WIRE_MAGIC 0x504e5347u /* "GSNP" */
#define GPUSNAP_WIRE_VERSION 1u
#define GPUSNAP_WIRE_MAX_RECORDS 200u /* below SCM_MAX_FD (253) */
#define GPUSNAP_WIRE_DEFAULT_SOCKET_DIR "/tmp/gpusnap"
/* No application can use it: tags of applications have no space. */
#define GPUSNAP_WIRE_FREE_TAG "freed memory"

enum gpusnap_wire_verb {
  GPUSNAP_WIRE_STATUS = 1,  /* -> gpusnap_wire_status */
  GPUSNAP_WIRE_QUIESCE = 2, /* argument: timeout in ms */
  GPUSNAP_WIRE_LIST = 3,    /* argument: first index -> gpusnap_wire_records */
  GPUSNAP_WIRE_EXPORT = 4,  /* argument: first index -> gpusnap_wire_records + descriptors, as few as the preload likes */
  GPUSNAP_WIRE_RELEASE = 5,
  GPUSNAP_WIRE_REMAP = 6,
  GPUSNAP_WIRE_RESUME = 7,
  GPUSNAP_WIRE_HINTS = 8,   /* argument: first index -> gpusnap_wire_records with gpusnap_wire_hint[count] */
  GPUSNAP_WIRE_GPUS = 9,    /* argument: first index -> gpusnap_wire_records with gpusnap_wire_gpu[count] */
  GPUSNAP_WIRE_GIVE_BACK = 10, /* + descriptors, at most GPUSNAP_WIRE_MAX_RECORDS; argument: index of the first one's record */
  GPUSNAP_WIRE_GIVE_AHEAD = 11 /* as GIVE_BACK */
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
  uint32_t endable; /* refusals that a quiesce callback of the application may end; 0 without callbacks, and of an older preload */
  char preload_version[32];
} gpusnap_wire_status;

typedef struct gpusnap_wire_record {
  uint64_t id;
  uint64_t address;
  uint64_t size_bytes;
  uint8_t gpu_uuid[16]; /* CUDA_VISIBLE_DEVICES may number GPUs differently on each side */
  uint32_t flags; /* GPUSNAP_ALLOCATION_* */
  uint32_t reserved;
} gpusnap_wire_record;

typedef struct gpusnap_wire_records {
  uint32_t total;
  uint32_t count;
  /* gpusnap_wire_record[count] follows, or gpusnap_wire_hint[count], or gpusnap_wire_gpu[count] */
} gpusnap_wire_records;

typedef struct gpusnap_wire_gpu {
  uint8_t gpu_uuid[16]; /* of a GPU on which the workload has a context */
} gpusnap_wire_gpu;

typedef struct gpusnap_wire_hint {
  uint64_t allocation_id;
  uint64_t offset_bytes; /* in the allocation, which may be mapped in other order than by its offsets */
  uint64_t size_bytes;
  uint64_t address;
  char tag[32]; /* with its NUL */
} gpusnap_wire_hint;

#endif
