/*
 * The part of NVIDIA's cuFile (GPUDirect Storage, libcufile.so.0) that gpusnap calls, in our own words. Neither building nor
 * running needs its header: the library is looked for when somebody asks for it.
 */
#ifndef GPUSNAP_CUFILE_ABI_H
#define GPUSNAP_CUFILE_ABI_H

#include <stddef.h>
#include <sys/types.h>

#include "cuda_abi.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What calls answer: err is 0 or one of the codes below, cu_err says more when it is CUFILE_CUDA_DRIVER_ERROR. */
typedef struct CufileError {
  int err;
  CUresult cu_err;
} CufileError;

enum {
  CUFILE_BASE_ERROR = 5000,
  CUFILE_DRIVER_NOT_INITIALIZED = 5001,
  CUFILE_PLATFORM_NOT_SUPPORTED = 5007,
  CUFILE_IO_NOT_SUPPORTED = 5008,
  CUFILE_DEVICE_NOT_SUPPORTED = 5009,
  CUFILE_CUDA_DRIVER_ERROR = 5011,
  CUFILE_INVALID_FILE_TYPE = 5018,
  CUFILE_INVALID_FILE_OPEN_FLAG = 5019,
  CUFILE_DIRECT_IO_NOT_SET = 5020,
  CUFILE_INVALID_VALUE = 5022,
  CUFILE_HANDLE_NOT_REGISTERED = 5027
};

typedef void* CufileHandle;

enum { CUFILE_POSIX_DESCRIPTOR = 1 };
typedef struct CufileDescription {
  int type;
  union {
    int fd;
    void* handle;
  } handle;
  const void* fs_ops;
} CufileDescription;

/* Bits of status: what the kernel side can read from directly. */
enum { CUFILE_NVME = 1u << 4, CUFILE_NVME_PEER_TO_PEER = 1u << 11 };
typedef struct CufileProperties {
  struct {
    unsigned int major_version;
    unsigned int minor_version;
    size_t poll_threshold;
    size_t max_direct_io;
    unsigned int status;
    unsigned int control;
  } kernel;
  unsigned char rest[512]; /* of no interest here, and longer in newer versions */
} CufileProperties;

/*
 * CufileError cuFileDriverOpen(void);
 * CufileError cuFileDriverGetProperties(CufileProperties*);
 * CufileError cuFileHandleRegister(CufileHandle*, CufileDescription*);
 * void cuFileHandleDeregister(CufileHandle);
 * ssize_t cuFileRead(CufileHandle, void* device_base, size_t size, off_t file_offset, off_t device_offset);
 *     bytes read, fewer than asked for at the end of the file or anywhere; -1 with errno; or minus one of the codes above
 */

#ifdef __cplusplus
}
#endif
#endif
