// The workload obeys one command a line and answers "ok …" or "error …": the contract suite drives it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace workload {

using Arguments = std::vector<std::string>;
using Command = std::function<std::string(const Arguments&)>;
using Commands = std::map<std::string, Command>;

void add_memory_commands(Commands& commands);
void add_virtual_memory_commands(Commands& commands);
void add_stream_commands(Commands& commands);
void add_peer_commands(Commands& commands);
void add_hint_commands(Commands& commands);
void add_process_commands(Commands& commands);

uint64_t number(const Arguments& arguments, size_t index);

}  // namespace workload
