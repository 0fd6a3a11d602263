// Two processes and one physical memory: shared bytes, one account, and nothing left after SIGKILL.
#include "harness.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <cstring>

using namespace harness;

namespace {

constexpr size_t kSize = 8 * kMiB;

std::string socket_path() { return std::string(std::getenv("GPUSNAP_SIM_STATE_DIR")) + "/test.sock"; }

sockaddr_un address() {
  sockaddr_un result = {};
  result.sun_family = AF_UNIX;
  std::strcpy(result.sun_path, socket_path().c_str());
  return result;
}

void send_descriptor(int socket, int descriptor) {
  char byte = 0;
  char control[CMSG_SPACE(sizeof(int))] = {};
  iovec io = {&byte, 1};
  msghdr message = {};
  message.msg_iov = &io;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  cmsghdr* const header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int));
  std::memcpy(CMSG_DATA(header), &descriptor, sizeof descriptor);
  CHECK(sendmsg(socket, &message, 0) == 1);
}

int receive_descriptor(int socket) {
  char byte = 0;
  char control[CMSG_SPACE(sizeof(int))] = {};
  iovec io = {&byte, 1};
  msghdr message = {};
  message.msg_iov = &io;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  CHECK(recvmsg(socket, &message, 0) == 1);
  int descriptor = -1;
  std::memcpy(&descriptor, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof descriptor);
  return descriptor;
}

struct Mapped {
  CUdeviceptr address = 0;
  CUmemGenericAllocationHandle handle = 0;

  void map() {
    const CUmemAccessDesc access = {{CU_MEM_LOCATION_TYPE_DEVICE, 0}, CU_MEM_ACCESS_FLAGS_PROT_READWRITE};
    OK(cuMemAddressReserve(&address, kSize, 0, 0, 0));
    OK(cuMemMap(address, kSize, 0, handle, 0));
    OK(cuMemSetAccess(address, kSize, &access, 1));
  }
  void drop() {
    OK(cuMemUnmap(address, kSize));
    OK(cuMemRelease(handle));
  }
};

void owner() {
  start_cuda();
  Mapped memory;
  CUmemAllocationProp prop = {};
  prop.type = CU_MEM_ALLOCATION_TYPE_PINNED;
  prop.location = {CU_MEM_LOCATION_TYPE_DEVICE, 0};
  prop.requestedHandleTypes = CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR;
  obey({
      {"create",
       [&] {
         OK(cuMemCreate(&memory.handle, kSize, &prop, 0));
         memory.map();
         OK(cuMemsetD8_v2(memory.address, 0x5a, kSize));
         return "ok";
       }},
      {"send",
       [&] {
         int descriptor = -1;
         OK(cuMemExportToShareableHandle(&descriptor, memory.handle, CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR, 0));
         const int connection = socket(AF_UNIX, SOCK_STREAM, 0);
         const sockaddr_un to = address();
         CHECK(connect(connection, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0);
         send_descriptor(connection, descriptor);
         close(descriptor);
         close(connection);
         return "ok";
       }},
      {"first",
       [&] {
         unsigned char byte = 0;
         OK(cuMemcpyDtoH_v2(&byte, memory.address, 1));
         return std::to_string(byte);
       }},
      {"drop",
       [&] {
         memory.drop();
         return "ok";
       }},
      {"plain",
       [&] {
         CUdeviceptr plain;
         OK(cuMemAlloc_v2(&plain, kSize));
         return "ok";
       }},
  });
}

}  // namespace

int main(int count, char** arguments) {
  if (count > 1 && std::strcmp(arguments[1], "owner") == 0) {
    owner();
    return 0;
  }
  const StateDir state;
  start_cuda();
  const int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_un at = address();
  CHECK(bind(listener, reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0 && listen(listener, 1) == 0);

  Worker worker("owner");
  CHECK(worker.ask("create") == "ok");
  CHECK(used_bytes() == kSize);
  worker.tell("send");
  const int connection = accept(listener, nullptr, nullptr);
  const int descriptor = receive_descriptor(connection);
  CHECK(worker.hear() == "ok");
  close(connection);

  Mapped imported;
  OK(cuMemImportFromShareableHandle(&imported.handle, reinterpret_cast<void*>(static_cast<intptr_t>(descriptor)),
                                    CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR));
  close(descriptor);
  imported.map();
  CHECK(used_bytes() == kSize);  // one physical memory, one account
  unsigned char byte = 0;
  OK(cuMemcpyDtoH_v2(&byte, imported.address + kSize - 1, 1));
  CHECK(byte == 0x5a);
  OK(cuMemsetD8_v2(imported.address, 0x11, 1));
  CHECK(worker.ask("first") == "17");

  CHECK(worker.ask("drop") == "ok");
  CHECK(used_bytes() == kSize);  // the importer keeps it
  imported.drop();
  CHECK(used_bytes() == 0);

  CHECK(worker.ask("plain") == "ok");
  CHECK(used_bytes() == kSize);
  worker.end(SIGKILL);
  CHECK(used_bytes() == 0);

  Worker polite("owner");
  CHECK(polite.ask("plain") == "ok");
  CHECK(polite.end(0) == 0);  // its input ends: it exits by itself
  for (const auto& entry : std::filesystem::recursive_directory_iterator(state.path() + "/")) {
    CHECK(entry.path().string().find("/vram-") == std::string::npos || entry.is_directory());  // its file went with it
  }

  // A descriptor of something else is refused.
  const int file = dup(0);
  CHECK_RESULT(CUDA_ERROR_UNKNOWN,
               cuMemImportFromShareableHandle(&imported.handle, reinterpret_cast<void*>(static_cast<intptr_t>(file)),
                                              CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR));
  return 0;
}
