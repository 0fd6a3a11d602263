#include "contract/harness.h"

int main(int count, char** arguments) {
    return contract::run_all(std::vector<std::string>(arguments + 1, arguments + count), nullptr) == 0 ? 0 : 1;
}
