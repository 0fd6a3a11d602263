// All device code of the sample.
#include "portable.h"

typedef unsigned long long Word;

DEVICE Word mixed(Word x) {  // splitmix64's finaliser
  x += 0x9e3779b97f4a7c15ull;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
  return x ^ (x >> 31);
}

// Adds to *sum a value that depends on every bit of `words`, on where it is, and on `salt`, but not on the order in
// which threads come.
KERNEL(hash_words, const Word* words, Word count, Word salt, Word* sum) {
  Word mine = 0;
  EACH(i, count) { mine += mixed(words[i] ^ mixed(i ^ salt)); }
  ADD(sum, mine);
}

// The same over rows of a pitched array; widths in words.
KERNEL(hash_rows, const Word* base, Word pitch, Word width, Word rows, Word salt, Word* sum) {
  Word mine = 0;
  EACH(i, width * rows) { mine += mixed(base[i / width * pitch + i % width] ^ mixed(i ^ salt)); }
  ADD(sum, mine);
}

// What a request leaves in the cache.
KERNEL(write_slot, Word* slot, Word count, Word seed) {
  EACH(i, count) { slot[i] = mixed(seed + i); }
}

// c = a · b, n × n, walked in tiles along k: the tile changes the speed, never the order of additions.
KERNEL(multiply, const float* a, const float* b, float* c, unsigned n, unsigned tile) {
  EACH(i, static_cast<Word>(n) * n) {
    const unsigned row = static_cast<unsigned>(i / n);
    const unsigned column = static_cast<unsigned>(i % n);
    float sum = 0;
    for (unsigned start = 0; start < n; start += tile) {
      const unsigned end = start + tile < n ? start + tile : n;
      for (unsigned k = start; k < end; ++k) sum += a[row * n + k] * b[k * n + column];
    }
    c[i] = sum;
  }
}

KERNEL(fill_floats, float* to, Word count, Word seed) {
  EACH(i, count) { to[i] = static_cast<float>(mixed(seed + i) >> 40) / 16777216.0f - 0.5f; }
}
