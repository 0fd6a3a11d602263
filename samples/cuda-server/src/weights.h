// The weights file: made once from a fixed seed, read at every start.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

// Makes the file where it is missing or of another size. Throws std::runtime_error.
void make_weights(const std::string& path, uint64_t size_bytes);

// Reads the file in pieces of at most `piece_bytes` into `buffer` and hands each on.
void read_weights(const std::string& path, uint64_t size_bytes, char* buffer, uint64_t piece_bytes,
                  const std::function<void(uint64_t offset, uint64_t bytes)>& take);

// The word that belongs at an index of a pseudo-random sequence.
uint64_t random_word(uint64_t index);
