// Objects that all threads of the process find by a number.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <unordered_map>

namespace sluice::tls {

/// Holds weak pointers only: who has a number does not keep the object alive. Thread-safe.
template <typename Object>
class Numbered {
 public:
  /// A number that was never given before; the first is 1.
  int32_t Next() {
    const std::lock_guard lock(guard_);
    return ++last_;
  }
  void Enter(int32_t number, const std::shared_ptr<Object>& object) {
    const std::lock_guard lock(guard_);
    objects_[number] = object;
  }
  void Drop(int32_t number) {
    const std::lock_guard lock(guard_);
    objects_.erase(number);
  }
  std::shared_ptr<Object> Find(int32_t number) {
    const std::lock_guard lock(guard_);
    const auto found = objects_.find(number);
    return found == objects_.end() ? nullptr : found->second.lock();
  }

 private:
  std::mutex guard_;
  int32_t last_ = 0;
  std::unordered_map<int32_t, std::weak_ptr<Object>> objects_;
};

}  // namespace sluice::tls
