// A growing run of bytes that keeps a small allocation between uses.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string_view>

namespace sluice {

/// Append at the back, drop at the front. Up to kKeptBytes of memory survive Clear(), so that a
/// user that fills it with a few hundred bytes each time does not allocate. One thread.
class ByteBuffer {
 public:
  static constexpr size_t kKeptBytes = 1024;

  size_t size() const { return end_ - start_; }
  bool empty() const { return end_ == start_; }
  const char* data() const { return bytes_.get() + start_; }
  std::string_view view() const { return {data(), size()}; }

  void Append(std::string_view added) {
    if (added.empty()) return;
    std::memcpy(Reserve(added.size()), added.data(), added.size());
    end_ += added.size();
  }

  /// Drops bytes from the front; `count` <= size().
  void DropFront(size_t count) {
    start_ += count;
    if (start_ == end_) Clear();
  }

  /// Drops everything, and the memory with it where it is more than kKeptBytes.
  void Clear() {
    start_ = end_ = 0;
    if (capacity_ > kKeptBytes) Free();
  }

  /// Drops everything and all memory.
  void Free() {
    bytes_.reset();
    start_ = end_ = capacity_ = 0;
  }

 private:
  struct FreeDeleter {
    void operator()(char* bytes) const { std::free(bytes); }
  };

  /// Makes room for `added` bytes behind the last one.
  char* Reserve(size_t added) {
    if (capacity_ - end_ < added) {
      const size_t held = size();
      if (capacity_ >= (held + added) * 2) {
        std::memmove(bytes_.get(), bytes_.get() + start_, held);
      } else {
        size_t capacity = capacity_ < kKeptBytes ? kKeptBytes : capacity_;
        while (capacity < held + added)
          capacity *= 2;
        char* const grown = static_cast<char*>(std::malloc(capacity));
        if (grown == nullptr)
          std::abort();  // no exceptions: out of memory ends the process, as operator new does
        if (held > 0) std::memcpy(grown, bytes_.get() + start_, held);
        bytes_.reset(grown);
        capacity_ = capacity;
      }
      start_ = 0;
      end_ = held;
    }
    return bytes_.get() + end_;
  }

  std::unique_ptr<char, FreeDeleter> bytes_;
  size_t start_ = 0;
  size_t end_ = 0;
  size_t capacity_ = 0;
};

}  // namespace sluice
