#include "contract/harness.h"

#include <chrono>
#include <cstdio>
#include <fstream>
#include <vector>

namespace contract {
namespace {

struct Test {
    const char* name;
    std::function<void()> body;
};

struct Result {
    std::string name;
    std::string outcome;
    std::string detail;
    double seconds;
    std::vector<std::string> notes;
};

std::vector<Test>& tests() {
    static std::vector<Test> all;
    return all;
}

std::vector<std::string> notes;

bool selected(const std::string& name, const std::vector<std::string>& filters) {
    if (filters.empty()) {
        return true;
    }
    for (const std::string& filter : filters) {
        if (name.find(filter) != std::string::npos) {
            return true;
        }
    }
    return false;
}

Result run(const Test& test) {
    auto start = std::chrono::steady_clock::now();
    Result result{test.name, "passed", "", 0, {}};
    notes.clear();
    try {
        test.body();
    } catch (const Skipped& reason) {
        result.outcome = "skipped";
        result.detail = reason.what();
    } catch (const std::exception& error) {
        result.outcome = "failed";
        result.detail = error.what();
    }
    result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    result.notes = notes;
    return result;
}

void print(const Result& result, size_t number) {
    const char* verdict = result.outcome == "failed" ? "not ok" : "ok";
    std::printf("%s %zu - %s (%.2f s)", verdict, number, result.name.c_str(), result.seconds);
    if (result.outcome == "skipped") {
        std::printf(" # SKIP %s", result.detail.c_str());
    }
    std::printf("\n");
    if (result.outcome == "failed") {
        std::printf("  # %s\n", result.detail.c_str());
    }
    for (const std::string& text : result.notes) {
        std::printf("  # %s\n", text.c_str());
    }
    std::fflush(stdout);
}

std::string quoted(const std::string& text) {
    std::string out = "\"";
    for (char c : text) {
        if (c == '"' || c == '\\') {
            out += '\\';
        }
        out += static_cast<unsigned char>(c) < ' ' ? ' ' : c;
    }
    return out + "\"";
}

void write_json(const char* path, const std::vector<Result>& results) {
    std::ofstream file(path);
    file << "{\"tests\":[";
    for (size_t i = 0; i < results.size(); i++) {
        const Result& result = results[i];
        file << (i > 0 ? "," : "") << "\n  {\"name\":" << quoted(result.name) << ",\"outcome\":" << quoted(result.outcome)
             << ",\"seconds\":" << result.seconds << ",\"detail\":" << quoted(result.detail) << ",\"notes\":[";
        for (size_t n = 0; n < result.notes.size(); n++) {
            file << (n > 0 ? "," : "") << quoted(result.notes[n]);
        }
        file << "]}";
    }
    file << "\n]}\n";
}

}  // namespace

Registration::Registration(const char* name, std::function<void()> body) {
    tests().push_back({name, std::move(body)});
}

void note(const std::string& text) {
    notes.push_back(text);
}

void skip(const std::string& reason) {
    throw Skipped(reason);
}

int run_all(const std::vector<std::string>& filters, const char* json_path) {
    std::vector<Result> results;
    int passed = 0;
    int failed = 0;
    int skipped = 0;
    for (const Test& test : tests()) {
        if (!selected(test.name, filters)) {
            continue;
        }
        results.push_back(run(test));
        print(results.back(), results.size());
        passed += results.back().outcome == "passed";
        failed += results.back().outcome == "failed";
        skipped += results.back().outcome == "skipped";
    }
    std::printf("1..%zu\n%d passed, %d failed, %d skipped\n", results.size(), passed, failed, skipped);
    if (json_path != nullptr) {
        write_json(json_path, results);
    }
    return failed;
}

}  // namespace contract
