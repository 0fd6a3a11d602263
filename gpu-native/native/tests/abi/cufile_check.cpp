// cufile_abi.h says the same as the vendor's header, which is why ours is in a namespace here.
#include <cufile.h>

#include <cstddef>

#define GPUSNAP_CUDA_ABI_H  // cuda.h has the types
namespace ours {
#include "cufile_abi.h"
}

#define SAME_FIELD(mine, my_field, theirs, their_field)                            \
    static_assert(offsetof(ours::mine, my_field) == offsetof(theirs, their_field)); \
    static_assert(sizeof(ours::mine::my_field) == sizeof(theirs::their_field))

static_assert(sizeof(ours::CufileError) == sizeof(CUfileError_t));
SAME_FIELD(CufileError, err, CUfileError_t, err);
SAME_FIELD(CufileError, cu_err, CUfileError_t, cu_err);
static_assert(sizeof(ours::CufileDescription) == sizeof(CUfileDescr_t));
SAME_FIELD(CufileDescription, type, CUfileDescr_t, type);
SAME_FIELD(CufileDescription, handle, CUfileDescr_t, handle);
SAME_FIELD(CufileDescription, fs_ops, CUfileDescr_t, fs_ops);
static_assert(sizeof(ours::CufileProperties) >= sizeof(CUfileDrvProps_t));
static_assert(offsetof(ours::CufileProperties, kernel.status) == offsetof(CUfileDrvProps_t, nvfs.dstatusflags));
static_assert(sizeof(ours::CufileHandle) == sizeof(CUfileHandle_t));

static_assert(ours::CUFILE_POSIX_DESCRIPTOR == static_cast<int>(CU_FILE_HANDLE_TYPE_OPAQUE_FD));
static_assert(ours::CUFILE_NVME == 1u << static_cast<int>(CU_FILE_NVME_SUPPORTED));
static_assert(ours::CUFILE_DRIVER_NOT_INITIALIZED == static_cast<int>(CU_FILE_DRIVER_NOT_INITIALIZED));
static_assert(ours::CUFILE_PLATFORM_NOT_SUPPORTED == static_cast<int>(CU_FILE_PLATFORM_NOT_SUPPORTED));
static_assert(ours::CUFILE_IO_NOT_SUPPORTED == static_cast<int>(CU_FILE_IO_NOT_SUPPORTED));
static_assert(ours::CUFILE_DEVICE_NOT_SUPPORTED == static_cast<int>(CU_FILE_DEVICE_NOT_SUPPORTED));
static_assert(ours::CUFILE_CUDA_DRIVER_ERROR == static_cast<int>(CU_FILE_CUDA_DRIVER_ERROR));
static_assert(ours::CUFILE_INVALID_FILE_TYPE == static_cast<int>(CU_FILE_INVALID_FILE_TYPE));
static_assert(ours::CUFILE_INVALID_FILE_OPEN_FLAG == static_cast<int>(CU_FILE_INVALID_FILE_OPEN_FLAG));
static_assert(ours::CUFILE_DIRECT_IO_NOT_SET == static_cast<int>(CU_FILE_DIO_NOT_SET));
static_assert(ours::CUFILE_INVALID_VALUE == static_cast<int>(CU_FILE_INVALID_VALUE));
static_assert(ours::CUFILE_HANDLE_NOT_REGISTERED == static_cast<int>(CU_FILE_HANDLE_NOT_REGISTERED));

int main() {
    return 0;
}
