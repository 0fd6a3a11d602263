/*
 * libgpusnap: the C ABI between the node daemon and the GPU.
 *
 * Rules of this ABI
 *  - Handles are opaque. Buffers belong to the caller. No C++ exception crosses.
 *  - Every argument struct starts with struct_size (bytes); the library accepts the sizes of
 *    earlier versions of the same ABI and refuses larger ones that it does not know.
 *  - A call returns a gpusnap_status; the text for people is in gpusnap_last_error (per thread).
 *  - Sizes are bytes, times are milliseconds unless the name says otherwise.
 *  - Thread safety: calls on different handles are independent. Calls of the mover and on the memory of a process may be
 *    made from several threads at once. A target handle is used by one thread at a time.
 */
#ifndef GPUSNAP_H
#define GPUSNAP_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#pragma GCC visibility push(default)
#endif

#define GPUSNAP_ABI_VERSION 8u

typedef enum gpusnap_status {
  GPUSNAP_OK = 0,
  GPUSNAP_E_INVALID = 1,      /* an argument is wrong */
  GPUSNAP_E_NO_DRIVER = 2,    /* libcuda cannot be loaded or initialised */
  GPUSNAP_E_UNSUPPORTED = 3,  /* the driver or the device cannot do this */
  GPUSNAP_E_DRIVER = 4,       /* a driver call failed; gpusnap_last_error names call and CUDA error */
  GPUSNAP_E_TIMEOUT = 5,
  GPUSNAP_E_NO_HOST_MEMORY = 6,
  GPUSNAP_E_NO_DEVICE_MEMORY = 7,
  GPUSNAP_E_PEER_GONE = 8,    /* the workload ended or closed the connection */
  GPUSNAP_E_PROTOCOL = 9,     /* the workload's preload speaks another version or sent nonsense */
  GPUSNAP_E_STATE = 10,       /* not allowed in the target's present state */
  GPUSNAP_E_IO = 11,
  GPUSNAP_E_NOT_MANAGED = 12, /* no preload answers in that process */
  GPUSNAP_E_PERMISSION = 13,
  GPUSNAP_E_REFUSED = 14      /* a quiesce callback of the application said no; the text has its reason */
} gpusnap_status;

/* ---- library ---- */
uint32_t gpusnap_abi_version(void);
const char* gpusnap_version_string(void);
/* Copies the calling thread's last error text (NUL-terminated, cut to capacity); returns its full length. */
size_t gpusnap_last_error(char* buffer, size_t capacity);

typedef struct gpusnap_init_args {
  uint32_t struct_size;
  uint32_t abi_version;          /* GPUSNAP_ABI_VERSION of the caller */
  const char* driver_path;       /* NULL: "libcuda.so.1" by soname */
} gpusnap_init_args;
/* Loads and initialises the driver once a process; later calls with the same path are no-ops. */
gpusnap_status gpusnap_init(const gpusnap_init_args* args);

/* ---- inventory ---- */
typedef struct gpusnap_driver_info {
  uint32_t struct_size;
  int32_t cuda_driver_version;   /* as cuDriverGetVersion: 13000 for 13.0 */
  uint32_t gpu_count;
  uint8_t simulated;             /* the simulated driver answers */
  uint8_t has_checkpoint;        /* cuCheckpointProcess* present */
  uint8_t has_gpu_remap;         /* restore accepts GPU pairs */
  uint8_t has_custom_storage;    /* driver >= 13.4 custom storage entry points */
  char driver_build[64];         /* "580.159.04" from the kernel module, "simulated-1" for the simulated driver */
} gpusnap_driver_info;
gpusnap_status gpusnap_driver_query(gpusnap_driver_info* info);

typedef struct gpusnap_gpu_info {
  uint32_t struct_size;
  uint32_t ordinal;
  char uuid[48];                 /* "GPU-xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx" */
  char name[128];
  uint64_t memory_bytes;
  uint64_t free_bytes;
  uint64_t granularity_bytes;    /* minimum of cuMemCreate */
  int32_t compute_major;
  int32_t compute_minor;
  int32_t pci_domain, pci_bus, pci_device;
  uint8_t mig_enabled;
  uint8_t exports_posix_fd;
} gpusnap_gpu_info;
gpusnap_status gpusnap_gpu_query(uint32_t ordinal, gpusnap_gpu_info* info);

/* ---- driver checkpoint of another process ---- */
typedef enum gpusnap_process_state {
  GPUSNAP_PROCESS_RUNNING = 0,
  GPUSNAP_PROCESS_LOCKED = 1,
  GPUSNAP_PROCESS_CHECKPOINTED = 2,
  GPUSNAP_PROCESS_FAILED = 3
} gpusnap_process_state;
typedef struct gpusnap_gpu_pair {
  char from_uuid[48];
  char to_uuid[48];
} gpusnap_gpu_pair;
gpusnap_status gpusnap_process_query(int32_t pid, int32_t* state);
gpusnap_status gpusnap_process_lock(int32_t pid, uint32_t timeout_ms);
gpusnap_status gpusnap_process_checkpoint(int32_t pid);
/* pairs: NULL, or a map that names every GPU the process can open, used or not, whatever CUDA_VISIBLE_DEVICES shows it; no other one. */
gpusnap_status gpusnap_process_restore(int32_t pid, const gpusnap_gpu_pair* pairs, size_t pair_count);
gpusnap_status gpusnap_process_unlock(int32_t pid);

/* Of a stopped process that is checkpointed: after its next SIGCONT only the thread runs in which the driver restores it, until
 * the others are let go. If the process that called ends before that, this one is killed. The caller needs the rights of a
 * debugger, and is this process's debugger meanwhile. GPUSNAP_E_UNSUPPORTED when the driver does not tell which thread that is,
 * GPUSNAP_E_PEER_GONE when there is no such process, GPUSNAP_E_PERMISSION, also when it has a debugger, GPUSNAP_E_IO when the kernel
 * does not let a thread stand still within 3 s; nothing is held then, nor killed. */
typedef struct gpusnap_still gpusnap_still;
gpusnap_status gpusnap_process_still(int32_t pid, gpusnap_still** still);
/* Lets them go, and frees the handle. */
void gpusnap_still_end(gpusnap_still* still);

/* ---- memory of another process ---- */
/* The whole or an error; after an error any part may have been moved. The caller needs the rights of a debugger over the
 * process. GPUSNAP_E_PEER_GONE when it does not exist, GPUSNAP_E_PERMISSION when it may not be touched, GPUSNAP_E_IO when it
 * has no such memory. No driver is needed. */
gpusnap_status gpusnap_process_write(int32_t pid, uint64_t address, const void* from, uint64_t size_bytes);
gpusnap_status gpusnap_process_read(int32_t pid, uint64_t address, void* to, uint64_t size_bytes);

/* ---- pinned pool: the memory tier's ground ---- */
typedef struct gpusnap_pool gpusnap_pool;
typedef struct gpusnap_pool_args {
  uint32_t struct_size;
  uint32_t reserved;
  const char* path;              /* a file on tmpfs: content outlives this process; created or grown as needed */
  uint64_t size_bytes;           /* multiple of 4 MiB */
} gpusnap_pool_args;
/* Maps the file and page-locks it with the driver where there is one (pinned=0 otherwise). */
gpusnap_status gpusnap_pool_open(const gpusnap_pool_args* args, gpusnap_pool** pool);
void* gpusnap_pool_base(const gpusnap_pool* pool);
uint64_t gpusnap_pool_size_bytes(const gpusnap_pool* pool);
int32_t gpusnap_pool_pinned(const gpusnap_pool* pool);
void gpusnap_pool_close(gpusnap_pool* pool);

/* ---- a workload that runs with the preload ---- */
typedef struct gpusnap_target gpusnap_target;
typedef enum gpusnap_target_state {
  GPUSNAP_TARGET_RUNNING = 0,    /* gate open */
  GPUSNAP_TARGET_QUIESCED = 1,   /* gate closed, device idle, memory mapped */
  GPUSNAP_TARGET_RELEASED = 2,   /* gate closed, physical memory returned, ranges reserved */
  GPUSNAP_TARGET_REMAPPED = 3    /* gate closed, memory mapped; what is not HELD is fresh, content undefined until filled */
} gpusnap_target_state;

/* Why a freeze would be refused: bits of gpusnap_target_status.refusals */
#define GPUSNAP_REFUSE_MANAGED_MEMORY (1u << 0)
#define GPUSNAP_REFUSE_MIG (1u << 1)
/* Device memory is shared with another process: IPC handles, or exported or imported shareable handles. */
#define GPUSNAP_REFUSE_LEGACY_IPC (1u << 2)
#define GPUSNAP_REFUSE_MULTICAST (1u << 3)
#define GPUSNAP_REFUSE_MPS (1u << 4)

typedef struct gpusnap_target_status {
  uint32_t struct_size;
  uint32_t state;                /* gpusnap_target_state */
  uint32_t refusals;             /* GPUSNAP_REFUSE_* */
  uint32_t protocol_version;
  uint64_t allocation_count;     /* physical allocations managed by the preload */
  uint64_t managed_bytes;
  uint64_t driver_bytes;         /* device memory that stays with the driver, as far as the preload saw it */
  char preload_version[32];
  uint32_t endable;              /* GPUSNAP_REFUSE_* that a quiesce callback of the application may end, present or not: a
                                    quiesce looks at them after its callbacks. 0 without callbacks */
  uint32_t reserved;
} gpusnap_target_status;

typedef struct gpusnap_allocation {
  uint64_t id;                   /* stable over save and thaw */
  uint64_t address;              /* first virtual address in the workload */
  uint64_t size_bytes;
  uint64_t local_address;        /* address in this process from the first import until unimport, else 0 */
  uint32_t gpu_ordinal;
  uint32_t flags;                /* GPUSNAP_ALLOCATION_* */
} gpusnap_allocation;
/* REMAPPED: it is memory that was given: with the content that it had before it was released, or that the daemon fills in. */
#define GPUSNAP_ALLOCATION_HELD (1u << 0)

/* socket_path NULL: derived from /proc/<pid>/environ and /proc/<pid>/status. */
gpusnap_status gpusnap_target_open(int32_t pid, const char* socket_path, uint32_t timeout_ms, gpusnap_target** target);
void gpusnap_target_close(gpusnap_target* target);
gpusnap_status gpusnap_target_query(gpusnap_target* target, gpusnap_target_status* status);
/* Closes the gate and waits until the device is idle. On failure the gate is open again.
 * While RUNNING or QUIESCED a lost connection opens the gate by itself: a daemon crash never hangs the workload.
 * The application's quiesce callbacks run first and count towards the timeout: GPUSNAP_E_REFUSED when one refuses. */
gpusnap_status gpusnap_target_quiesce(gpusnap_target* target, uint32_t timeout_ms);
/* Fills up to capacity entries; *count is the whole number. */
gpusnap_status gpusnap_target_allocations(gpusnap_target* target, gpusnap_allocation* out, size_t capacity, size_t* count);
typedef struct gpusnap_hint {
  uint64_t address;              /* in the workload */
  uint64_t size_bytes;
  uint64_t allocation_id;        /* the allocation that holds all of it */
  uint64_t offset_bytes;         /* in that allocation */
  char tag[32];
} gpusnap_hint;
/* Memory whose content the application can rebuild, or has freed (tag "freed memory"); none from a preload that knows no hints.
 * Records may overlap. Does not change from QUIESCED until RUNNING. Fills up to capacity entries; *count is the whole number. */
gpusnap_status gpusnap_target_hints(gpusnap_target* target, gpusnap_hint* out, size_t capacity, size_t* count);
typedef struct gpusnap_target_gpu {
  uint32_t ordinal;
  uint32_t reserved;
} gpusnap_target_gpu;
/* The GPUs on which the workload has a context, whether it has memory there or not; none from a preload that does not tell. Fills
 * up to capacity entries; *count is the whole number. */
gpusnap_status gpusnap_target_gpus(gpusnap_target* target, gpusnap_target_gpu* out, size_t capacity, size_t* count);
/* Receives one descriptor an allocation, imports and maps it in this process (QUIESCED or REMAPPED). left NULL: all of them in
 * one call. Otherwise the first call only finds room, so that every allocation has its local address, and each further one
 * imports the next few in the order of gpusnap_target_allocations; *left is how many are still to come. What is there may be
 * used meanwhile by other threads. A call that fails undoes all of it. */
gpusnap_status gpusnap_target_import(gpusnap_target* target, size_t* left);
gpusnap_status gpusnap_target_unimport(gpusnap_target* target);

/* Holds on to a workload's physical memory, content and all, while the workload releases it and gets it back. Memory that is
 * closed without having been given back is freed as soon as nobody else has it. */
typedef struct gpusnap_hold gpusnap_hold;
gpusnap_status gpusnap_hold_open(gpusnap_hold** hold);
void gpusnap_hold_close(gpusnap_hold* hold);
/* What the next import brings is held as well, as far as half of the files that this process may open go. */
gpusnap_status gpusnap_target_hold(gpusnap_target* target, gpusnap_hold* hold);
/* RELEASED, by any connection: remap maps what was held as it is, where the workload can take it (GPUSNAP_ALLOCATION_HELD tells),
 * and fresh memory for the rest. The hold is empty afterwards, also after a failure. GPUSNAP_E_INVALID: it holds another
 * workload's memory. */
gpusnap_status gpusnap_target_give_back(gpusnap_target* target, gpusnap_hold* hold);

/* Physical memory for a workload that is not there yet: it can be filled while the process is made again. One thread at a time,
 * but what is made may be used meanwhile by others. */
typedef struct gpusnap_ahead gpusnap_ahead;
typedef struct gpusnap_ahead_item {
  uint64_t id;                   /* of the workload's allocation; in the order of gpusnap_target_allocations */
  uint64_t size_bytes;           /* a multiple of the GPU's granularity_bytes */
  uint64_t local_address;        /* out: address in this process until it is closed; 0: not made ahead */
  uint32_t gpu_ordinal;
  uint32_t reserved;
} gpusnap_ahead_item;
/* Finds room, so that every item has its local address; makes nothing. Those beyond half of the files that this process may open
 * are left out. GPUSNAP_E_INVALID: an id is there twice, or a size is 0. */
gpusnap_status gpusnap_ahead_open(gpusnap_ahead_item* items, size_t count, gpusnap_ahead** ahead);
/* Makes the next few in their order, content undefined; *left is how many are still to come. A call that fails frees all of it
 * (GPUSNAP_E_NO_DEVICE_MEMORY among others), and those after it are GPUSNAP_E_STATE. */
gpusnap_status gpusnap_ahead_make_next(gpusnap_ahead* ahead, size_t* left);
/* RELEASED, by any connection, once all is made: remap maps it where the workload can take it (GPUSNAP_ALLOCATION_HELD tells),
 * and fresh memory for the rest. It may still be filled meanwhile, until closed. A second time gives nothing.
 * GPUSNAP_E_INVALID: it is not the memory of this workload. */
gpusnap_status gpusnap_target_give_ahead(gpusnap_target* target, gpusnap_ahead* ahead);
/* Unmapped here, and freed where the workload has not mapped it. The handle is gone after a failure as well. */
gpusnap_status gpusnap_ahead_close(gpusnap_ahead* ahead);

/* QUIESCED or REMAPPED -> RELEASED. After a failure the state tells which it is: as before, with everything in its place, or
 * RELEASED, where the driver keeps some of the memory until the process ends, or did not put back what it had taken. */
gpusnap_status gpusnap_target_release(gpusnap_target* target);
gpusnap_status gpusnap_target_remap(gpusnap_target* target);    /* RELEASED -> REMAPPED */
gpusnap_status gpusnap_target_resume(gpusnap_target* target);   /* QUIESCED or REMAPPED -> RUNNING */

/* ---- mover ---- */
typedef enum gpusnap_direction { GPUSNAP_DEVICE_TO_HOST = 0, GPUSNAP_HOST_TO_DEVICE = 1 } gpusnap_direction;
typedef struct gpusnap_copy_item {
  uint64_t device_address;       /* local_address + offset */
  void* host_address;            /* pinned for full speed */
  uint64_t size_bytes;
} gpusnap_copy_item;
typedef struct gpusnap_span {
  uint64_t device_address;       /* local_address + offset, a multiple of 16 */
  uint64_t size_bytes;           /* 1 byte to 4 MiB */
} gpusnap_span;
typedef struct gpusnap_digest {
  uint8_t sha256_tree[32];       /* sha256-tree-4k of docs/formats.md, also of a span of zeroes */
  uint8_t zero;                  /* 1: the span holds nothing but zero bytes */
  uint8_t reserved[7];
} gpusnap_digest;
/* Copies all items on a stream of its own and returns when they are done. Items whose addresses continue on both sides
 * become one copy. digests: NULL, or room for count; then the direction is to the device, every item is a valid span, and
 * digests[i] is of what the device holds after the copies where item i went. */
gpusnap_status gpusnap_copy(uint32_t gpu_ordinal, gpusnap_direction direction, const gpusnap_copy_item* items, size_t count, gpusnap_digest* digests);
/* Digests of device memory, computed on the GPU: digests[i] is of spans[i]. Takes scratch memory on the device for the time
 * of the call: 32 KiB a span, 64 MiB at most, less where that is not free. GPUSNAP_E_UNSUPPORTED where the driver does not
 * take the kernels. With count 0 the kernels are only loaded, which takes the driver a moment the first time. */
gpusnap_status gpusnap_digest_device(uint32_t gpu_ordinal, const gpusnap_span* spans, size_t count, gpusnap_digest* digests);
gpusnap_status gpusnap_fill_zero(uint32_t gpu_ordinal, uint64_t device_address, uint64_t size_bytes);
/* Plain pinned copy of size_bytes between the pool and a scratch device buffer, best of rounds: the floor that benchmarks
 * report against. GPUSNAP_DEVICE_TO_HOST overwrites the pool's first size_bytes: not for a pool that holds anything. */
gpusnap_status gpusnap_measure_copy(uint32_t gpu_ordinal, gpusnap_pool* pool, gpusnap_direction direction, uint64_t size_bytes, uint32_t rounds, double* bytes_per_second);

/* ---- storage: files straight into device memory (GPUDirect Storage) ---- */
typedef struct gpusnap_storage_args {
  uint32_t struct_size;
  uint32_t compatibility;        /* not 0: also where bytes would pass through host memory, because there is no kernel side */
  const char* library_path;      /* of cuFile; NULL: "libcufile.so.0" by soname */
  const char* folder;            /* of the files to be read; a small one is tried there. NULL: nothing is tried */
} gpusnap_storage_args;
typedef struct gpusnap_storage_info {
  uint32_t struct_size;
  uint8_t available;             /* gpusnap_read_to_device works from now on */
  uint8_t direct;                /* and its bytes do not pass through host memory */
  uint8_t reserved[2];
  char reason[512];              /* for people: why not, or how */
} gpusnap_storage_info;
/* Whether files can be read to the device, which is no error when they cannot. Looks for the kernel side first. Where that is
 * there, or with compatibility, it loads cuFile and starts it, once a process and until that ends: it has threads and device
 * memory of its own. Whether cuFile serves a file system shows only when it is given a file of it. GPUSNAP_E_STATE when it was loaded from another path before. */
gpusnap_status gpusnap_storage_query(const gpusnap_storage_args* args, gpusnap_storage_info* info);
typedef struct gpusnap_read_item {
  const char* path;              /* not followed when it is a symbolic link */
  uint64_t file_offset;
  uint64_t device_address;       /* local_address + offset */
  uint64_t size_bytes;
} gpusnap_read_item;
/* Reads all items past the page cache, one after the other, and returns when they are in device memory: callers that want
 * more at once use more threads. After an error any part may have been read. digests: as of gpusnap_copy. GPUSNAP_E_STATE
 * before a query found it available, GPUSNAP_E_IO when a file cannot be read or is too short, GPUSNAP_E_PERMISSION when it is
 * no regular file, GPUSNAP_E_UNSUPPORTED when it or its file system cannot be read like this. */
gpusnap_status gpusnap_read_to_device(uint32_t gpu_ordinal, const gpusnap_read_item* items, size_t count, gpusnap_digest* digests);

#if defined(__GNUC__)
#pragma GCC visibility pop
#endif

#ifdef __cplusplus
}
#endif
#endif
