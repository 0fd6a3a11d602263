/*
 * What an application can tell gpusnap about itself, in C and C++. Nothing to link: the functions below look for the preload
 * in the running process, and where there is none they do nothing and answer GPUSNAP_HINT_NO_PRELOAD. So a program can be
 * built with them and run without gpusnap. (With a glibc older than 2.34, link with -ldl.)
 *
 *  - Ranges of device memory whose content need not be saved, because the application can rebuild it: a KV pool, scratch
 *    space. After a save that took the memory away they are there again at the same address, and all zero.
 *  - Callbacks before the memory is saved and after the process goes on.
 *
 * Everything may be called from any thread at any time, but from a signal handler. In a forked child of a process that uses
 * CUDA it does nothing, like CUDA itself. docs/hints.md tells how a server uses this and what is promised.
 */
#ifndef GPUSNAP_HINTS_H
#define GPUSNAP_HINTS_H

#include <dlfcn.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

#define GPUSNAP_HINT_TAG_BYTES 32u     /* with the NUL at its end */
#define GPUSNAP_HINT_REASON_BYTES 256u /* with the NUL at its end */
#define GPUSNAP_HINT_MAX_RANGES 16384u

typedef enum gpusnap_hint_answer {
  GPUSNAP_HINT_OK = 0,
  GPUSNAP_HINT_NO_PRELOAD = 1,  /* no preload in this process: nothing was done */
  GPUSNAP_HINT_INVALID = 2,     /* an argument is wrong */
  GPUSNAP_HINT_NOT_MANAGED = 3, /* not, or not wholly, memory that the preload manages: it is saved in any case */
  GPUSNAP_HINT_UNKNOWN = 4,     /* there is no such hint or callback to take back */
  GPUSNAP_HINT_TOO_MANY = 5     /* GPUSNAP_HINT_MAX_RANGES are declared already */
} gpusnap_hint_answer;

/* Why a resume callback is called. */
typedef enum gpusnap_hint_resume_reason {
  GPUSNAP_HINT_RESUMED = 0, /* the memory stayed where it was: all content is as before, rebuildable ranges too */
  GPUSNAP_HINT_THAWED = 1,  /* the memory was given back and came again, here or in another process made from the snapshot:
                               rebuildable ranges may be zero, so whatever refers to their content must be reset */
  GPUSNAP_HINT_GIVEN_UP = 2 /* the quiesce came to nothing: all content is as before */
} gpusnap_hint_resume_reason;

/*
 * Called before the memory is saved, while everything still works: finish or hold requests, empty caches. 0 when done.
 * Anything else refuses: nothing is saved, the process goes on, and what is in reason is given to whoever asked for the save.
 * remaining_ms: what is left of the time for all callbacks and the device; not to be back by then counts as a refusal.
 * reason: room for GPUSNAP_HINT_REASON_BYTES, empty.
 */
typedef int (*gpusnap_hint_quiesce_callback)(void* user, uint32_t remaining_ms, char* reason);
/* Called once the process may use CUDA again. */
typedef void (*gpusnap_hint_resume_callback)(void* user, gpusnap_hint_resume_reason reason);
/*
 * Callbacks run one at a time (but for one that is late) on a thread of the preload's own, which has no CUDA context until the callback makes one current
 * and which blocks all signals. Quiesce callbacks run in the order in which they were registered, resume callbacks in the
 * reverse one. A resume callback goes with the quiesce callback that was registered last before it: it is called if that one
 * returned 0, or if there is none before it. The other threads of the process run while callbacks run; after a thaw they may
 * be first, so what must not be used before the resume callback has reset it is held by the quiesce callback.
 * No exception may leave a callback.
 */

/* The symbols that the preload exports are these names with _preload_ after gpusnap. */
static inline void gpusnap_hint_find_(const char* symbol, void* function, size_t size) {
  void* found = dlsym((void*)0 /* RTLD_DEFAULT without _GNU_SOURCE */, symbol);
  memcpy(function, &found, size); /* ISO C has no cast from an object pointer to a function pointer */
}

#define GPUSNAP_HINT_CALL_(symbol, parameters, arguments)                       \
  int(*function) parameters = 0;                                                \
  gpusnap_hint_find_("gpusnap_preload_hint_" symbol, &function, sizeof function); \
  return function != 0 ? (gpusnap_hint_answer)function arguments : GPUSNAP_HINT_NO_PRELOAD

/*
 * The content of a range need not be saved. Any part of an allocation, or of several that lie side by side; ranges may overlap.
 * A range that begins where an earlier one did takes its place. It ends with the allocation: memory, or part of
 * it, that is given back to the driver or unmapped takes the whole range along, and memory that is later found at the same
 * address is saved again. An allocator that keeps what is freed gives nothing back: call gpusnap_hint_keep before.
 * tag: 1 to 31 printable characters of ASCII, no space and no comma; a node may honour some tags and not others.
 * While the process is frozen this waits, like a CUDA call: what is rebuildable does not change under a save.
 */
static inline gpusnap_hint_answer gpusnap_hint_rebuildable(uint64_t device_ptr, uint64_t size, const char* tag) {
  GPUSNAP_HINT_CALL_("rebuildable", (uint64_t, uint64_t, const char*), (device_ptr, size, tag));
}
/* Takes back the range that begins at device_ptr. */
static inline gpusnap_hint_answer gpusnap_hint_keep(uint64_t device_ptr) {
  GPUSNAP_HINT_CALL_("keep", (uint64_t), (device_ptr));
}
static inline gpusnap_hint_answer gpusnap_hint_on_quiesce(gpusnap_hint_quiesce_callback callback, void* user) {
  GPUSNAP_HINT_CALL_("on_quiesce", (gpusnap_hint_quiesce_callback, void*), (callback, user));
}
static inline gpusnap_hint_answer gpusnap_hint_on_resume(gpusnap_hint_resume_callback callback, void* user) {
  GPUSNAP_HINT_CALL_("on_resume", (gpusnap_hint_resume_callback, void*), (callback, user));
}
/* Removes the callback that was registered last with these two. When it returns, the callback does not run and will not,
 * unless it is called from that callback itself. */
static inline gpusnap_hint_answer gpusnap_hint_off_quiesce(gpusnap_hint_quiesce_callback callback, void* user) {
  GPUSNAP_HINT_CALL_("off_quiesce", (gpusnap_hint_quiesce_callback, void*), (callback, user));
}
static inline gpusnap_hint_answer gpusnap_hint_off_resume(gpusnap_hint_resume_callback callback, void* user) {
  GPUSNAP_HINT_CALL_("off_resume", (gpusnap_hint_resume_callback, void*), (callback, user));
}

#undef GPUSNAP_HINT_CALL_

#ifdef __cplusplus
}
#endif
#endif
