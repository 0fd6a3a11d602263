// The device code, loaded for whichever driver is there: the fatbin for a GPU, the shared object for the simulated one.
#pragma once

#include "cuda.h"

class Kernels {
 public:
  // Looks beside the executable. Throws std::runtime_error that says what is missing.
  explicit Kernels(const Cuda& cuda);

  // Waits for the kernel.
  template <class... Arguments>
  void run(CUfunction function, Arguments... arguments) const {
    void* pointers[] = {&arguments...};
    launch(function, pointers);
  }

  CUfunction hash_words;
  CUfunction hash_rows;
  CUfunction write_slot;
  CUfunction multiply;
  CUfunction fill_floats;

 private:
  void launch(CUfunction function, void** arguments) const;
  CUmodule load() const;

  const Cuda& cuda_;
  CUstream stream_ = nullptr;
};
