#include <cstdint>
#include <iostream>
#include <sstream>

#include "workload/commands.h"
#include "workload/driver.h"

int main() {
    using namespace workload;
    Commands commands;
    add_memory_commands(commands);
    add_virtual_memory_commands(commands);
    add_stream_commands(commands);
    add_peer_commands(commands);
    add_hint_commands(commands);
    add_process_commands(commands);
    std::string line;
    while (std::getline(std::cin, line)) {
        std::istringstream words(line);
        std::string name;
        words >> name;
        Arguments arguments;
        for (std::string word; words >> word;) {
            arguments.push_back(word);
        }
        try {
            auto found = commands.find(name);
            if (found == commands.end()) {
                throw std::runtime_error("unknown command " + name);
            }
            std::string answer = found->second(arguments);
            std::cout << "ok" << (answer.empty() ? "" : " ") << answer << std::endl;
        } catch (const std::exception& error) {
            std::cout << "error " << error.what() << std::endl;
        }
    }
    return 0;
}
