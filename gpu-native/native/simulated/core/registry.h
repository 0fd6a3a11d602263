// Handles that the application gets are the addresses of our objects; a registry tells the good from the stale ones and
// owns what it knows. Thread-safe.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "core/error.h"

namespace gpusnap::simulated {

template <class Object>
class Registry {
 public:
  template <class Handle>
  Handle add(std::shared_ptr<Object> object) {
    const std::lock_guard lock(mutex_);
    Object* const address = object.get();
    objects_[address] = std::move(object);
    return reinterpret_cast<Handle>(address);
  }

  // Throws CUDA_ERROR_INVALID_HANDLE (or the code given) for anything else.
  std::shared_ptr<Object> get(const void* handle, CUresult code = CUDA_ERROR_INVALID_HANDLE) const {
    const std::lock_guard lock(mutex_);
    const auto found = objects_.find(handle);
    require(found != objects_.end(), code);
    return found->second;
  }

  std::shared_ptr<Object> take(const void* handle, CUresult code = CUDA_ERROR_INVALID_HANDLE) {
    const std::lock_guard lock(mutex_);
    const auto found = objects_.find(handle);
    require(found != objects_.end(), code);
    std::shared_ptr<Object> object = std::move(found->second);
    objects_.erase(found);
    return object;
  }

  std::vector<std::shared_ptr<Object>> all() const {
    const std::lock_guard lock(mutex_);
    std::vector<std::shared_ptr<Object>> result;
    for (const auto& [address, object] : objects_) result.push_back(object);
    return result;
  }

 private:
  mutable std::mutex mutex_;
  std::map<const void*, std::shared_ptr<Object>> objects_;
};

}  // namespace gpusnap::simulated
