// Frames on their way to a socket.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>

namespace sluice::http2 {

/// Filled at the back and sent from the front. Its memory stays from turn to turn while streams are
/// open, and goes by Free. HOT.
class FrameBuffer {
 public:
  static constexpr size_t kFirstBytes = 8 * 1024;

  bool empty() const { return begin_ == end_; }
  size_t size() const { return end_ - begin_; }
  std::string_view view() const { return {bytes_.get() + begin_, size()}; }
  size_t capacity() const { return capacity_; }

  void Append(std::string_view bytes) {
    if (bytes.empty()) return;
    std::memcpy(Room(bytes.size()), bytes.data(), bytes.size());
    end_ += bytes.size();
  }

  /// @param count at most size()
  void DropFront(size_t count) {
    begin_ += count;
    if (begin_ == end_) begin_ = end_ = 0;
  }

  /// Gives its memory back, where nothing lies in it.
  void Free() {
    if (!empty()) return;
    bytes_.reset();
    capacity_ = 0;
  }

 private:
  char* Room(size_t bytes) {
    if (capacity_ - end_ >= bytes) return bytes_.get() + end_;
    const size_t held = size();
    if (capacity_ >= held + bytes && begin_ >= held) {
      std::memcpy(bytes_.get(), bytes_.get() + begin_, held);
    } else {
      const size_t capacity = std::max({kFirstBytes, capacity_ * 2, held + bytes});
      std::unique_ptr<char[]> grown(new char[capacity]);
      if (held > 0) std::memcpy(grown.get(), bytes_.get() + begin_, held);
      bytes_ = std::move(grown);
      capacity_ = capacity;
    }
    begin_ = 0;
    end_ = held;
    return bytes_.get() + end_;
  }

  std::unique_ptr<char[]> bytes_;
  size_t capacity_ = 0;
  size_t begin_ = 0;
  size_t end_ = 0;
};

}  // namespace sluice::http2
