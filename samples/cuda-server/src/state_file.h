// One line for each prompt seen: opened once, appended to, and read back through the same descriptor.
#pragma once

#include <cstdint>
#include <string>

class StateFile {
 public:
  // Creates it where it is missing. Throws std::runtime_error.
  explicit StateFile(const std::string& path);
  ~StateFile();
  StateFile(const StateFile&) = delete;
  StateFile& operator=(const StateFile&) = delete;

  void append(const std::string& line);
  std::string content() const;
  const std::string& path() const { return path_; }

 private:
  const std::string path_;
  const int descriptor_;
};
