// What both fuzz targets of HTTP/2 share: the rules that frames of ours keep, whatever came.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "fuzz_input.h"

namespace sluice::fuzz {

/// Takes the frames that one side sends (RFC 9113 section 4.1), in pieces, and holds them to what
/// may stand on a stream that the side has ended or reset (section 5.1).
class FrameLedger {
 public:
  /// @param skipped_bytes in front of the first frame: a client's preface
  explicit FrameLedger(size_t skipped_bytes = 0) : skipped_bytes_(skipped_bytes) {}

  void Take(std::string_view bytes) {
    const size_t skipped = std::min(skipped_bytes_, bytes.size());
    skipped_bytes_ -= skipped;
    pending_ += bytes.substr(skipped);
    size_t at = 0;
    while (pending_.size() - at >= kHeaderBytes) {
      const size_t size = NumberAt(at, 3);
      if (pending_.size() - at < kHeaderBytes + size) break;
      TakeFrame(std::string_view(pending_).substr(at, kHeaderBytes + size));
      at += kHeaderBytes + size;
    }
    pending_.erase(0, at);
  }
  /// Nothing is left of a frame that was begun.
  bool is_whole() const { return pending_.empty(); }
  /// DATA that was sent on a stream.
  const std::string& data_of(int32_t stream) { return data_[stream]; }
  bool has_goaway() const { return has_goaway_; }
  bool has_reset(int32_t stream) const { return resets_.contains(stream); }
  bool has_ended(int32_t stream) const { return ends_.contains(stream); }

 private:
  static constexpr size_t kHeaderBytes = 9;
  static constexpr size_t kMostFrameBytes = 16'384;  // nobody has asked for more (section 4.2)
  enum Type : uint8_t {
    kData,
    kHeaders,
    kPriority,
    kRstStream,
    kSettings,
    kPushPromise,
    kPing,
    kGoaway,
    kWindowUpdate,
    kContinuation,
  };
  static constexpr uint8_t kEndStream = 1;
  static constexpr uint8_t kEndHeaders = 4;

  size_t NumberAt(size_t at, size_t bytes) const {
    size_t number = 0;
    for (size_t index = 0; index < bytes; ++index)
      number = number << 8 | static_cast<uint8_t>(pending_[at + index]);
    return number;
  }

  void TakeFrame(std::string_view frame) {
    const auto type = static_cast<uint8_t>(frame[3]);
    const auto flags = static_cast<uint8_t>(frame[4]);
    int32_t stream = 0;
    for (size_t at = 5; at < kHeaderBytes; ++at)
      stream = stream << 8 | static_cast<uint8_t>(frame[at]);
    const std::string_view payload = frame.substr(kHeaderBytes);
    REQUIRE(payload.size() <= kMostFrameBytes && stream >= 0);
    // A header block is not interrupted (section 4.3).
    REQUIRE((block_stream_ != 0) == (type == kContinuation));
    switch (type) {
      case kData:
        CheckOpen(stream);
        REQUIRE(has_head_.contains(stream));
        data_[stream] += payload;
        break;
      case kHeaders:
        CheckOpen(stream);
        has_head_[stream] = true;
        break;
      case kRstStream:
        REQUIRE(stream != 0 && payload.size() == 4 && !resets_.contains(stream));
        resets_[stream] = true;
        break;
      case kSettings:
        REQUIRE(stream == 0 && payload.size() % 6 == 0);
        break;
      case kPing:
        REQUIRE(stream == 0 && payload.size() == 8);
        break;
      case kGoaway:
        REQUIRE(stream == 0 && payload.size() >= 8);
        has_goaway_ = true;
        break;
      case kWindowUpdate:
        REQUIRE(payload.size() == 4 && !resets_.contains(stream));
        break;
      case kContinuation:
        REQUIRE(stream == block_stream_);
        break;
      default:
        REQUIRE(false);  // neither pushes nor priorities are ours
    }
    if (type == kHeaders || type == kContinuation)
      block_stream_ = (flags & kEndHeaders) != 0 ? 0 : stream;
    if ((type == kData || type == kHeaders) && (flags & kEndStream) != 0) ends_[stream] = true;
  }
  void CheckOpen(int32_t stream) const {
    REQUIRE(stream != 0 && !ends_.contains(stream) && !resets_.contains(stream));
  }

  size_t skipped_bytes_;
  std::string pending_;
  int32_t block_stream_ = 0;
  bool has_goaway_ = false;
  std::map<int32_t, bool> has_head_;
  std::map<int32_t, bool> ends_;
  std::map<int32_t, bool> resets_;
  std::map<int32_t, std::string> data_;
};

}  // namespace sluice::fuzz
