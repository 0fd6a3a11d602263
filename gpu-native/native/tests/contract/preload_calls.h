// What the preload asks the driver for, by where the suite makes it fail. preload_calls_test.cpp holds this against the preload's source.
#pragma once

#include <set>
#include <string>
#include <vector>

namespace contract {

using Names = std::set<std::string>;

// What the preload asks the driver for between a quiesce and a resume.
inline const std::vector<std::string> calls_of_the_workload = {
    "cuCtxGetCurrent",   "cuCtxPushCurrent_v2", "cuCtxPopCurrent_v2",
    "cuCtxSynchronize",  "cuDeviceGetUuid_v2",  "cuMemExportToShareableHandle",
    "cuMemUnmap",        "cuMemRelease",        "cuMemCreate",
    "cuMemMap",          "cuMemSetAccess",      "cuMemImportFromShareableHandle"};

// And before that, where the application has freed stream-ordered memory and ended the stream. All a failure can cost is that it
// is saved, too.
inline const Names calls_for_freed_memory = {"cuCtxGetCurrent", "cuCtxPushCurrent_v2", "cuCtxPopCurrent_v2", "cuMemUnmap",
                                      "cuMemRelease",    "cuMemAddressFree",    "cuEventDestroy_v2"};

// What it asks for when the application allocates and frees in stream order.
inline const std::vector<std::string> calls_in_stream_order = {
    "cuCtxGetDevice", "cuStreamGetCtx",      "cuDeviceGetMemPool", "cuDeviceGetAttribute", "cuMemGetAllocationGranularity",
    "cuMemAddressReserve", "cuMemCreate",    "cuMemMap",           "cuMemSetAccess",       "cuStreamQuery",
    "cuEventCreate",  "cuEventRecord",       "cuEventQuery",       "cuEventDestroy_v2",    "cuStreamWaitEvent",
    "cuMemUnmap",     "cuMemRelease",        "cuMemAddressFree"};

}  // namespace contract
