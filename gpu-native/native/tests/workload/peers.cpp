// A second GPU, and who may reach whose memory.
#include "workload/commands.h"
#include "workload/driver.h"
#include "workload/memory.h"

namespace workload {
namespace {

CUcontext context_on(int device) {
    CUcontext context = nullptr;
    DRIVER_CALL(driver(), cuDevicePrimaryCtxRetain, &context, device);
    return context;
}

// Makes another GPU's context current for the life of the object, then the first one's again.
class On {
public:
    explicit On(int device) { DRIVER_CALL(driver(), cuCtxSetCurrent, context_on(device)); }
    ~On() { driver().cuCtxSetCurrent(context_on(0)); }
    On(const On&) = delete;
    On& operator=(const On&) = delete;
};

std::string allocate_on_device(const Arguments& arguments) {
    On scope(static_cast<int>(number(arguments, 0)));
    Buffer buffer;
    buffer.size = number(arguments, 1);
    DRIVER_CALL(driver(), cuMemAlloc_v2, &buffer.address, buffer.size);
    return std::to_string(keep(buffer)) + " " + std::to_string(buffer.address);
}

std::string access(const Arguments& arguments) {
    unsigned long long flags = 0;
    CUmemLocation location{};
    location.type = CU_MEM_LOCATION_TYPE_DEVICE;
    location.id = static_cast<int>(number(arguments, 1));
    DRIVER_CALL(driver(), cuMemGetAccess, &flags, &location, buffers().at(number(arguments, 0)).address);
    return std::to_string(flags);
}

}  // namespace

void add_peer_commands(Commands& commands) {
    commands["alloc-device"] = allocate_on_device;  // DEVICE BYTES -> INDEX ADDRESS
    commands["access"] = access;                    // INDEX DEVICE -> FLAGS
    commands["reaches"] = [](const Arguments& a) {  // DEVICE PEER -> 0 or 1
        int can = 0;
        DRIVER_CALL(driver(), cuDeviceCanAccessPeer, &can, static_cast<int>(number(a, 0)), static_cast<int>(number(a, 1)));
        return std::to_string(can);
    };
    commands["peer-enable"] = [](const Arguments&) {  // the second GPU may reach the first one's memory
        CUcontext first = context_on(0);
        On scope(1);
        DRIVER_CALL(driver(), cuCtxEnablePeerAccess, first, 0);
        return "";
    };
    commands["peer-disable"] = [](const Arguments&) {
        CUcontext first = context_on(0);
        On scope(1);
        DRIVER_CALL(driver(), cuCtxDisablePeerAccess, first);
        return "";
    };
}

}  // namespace workload
