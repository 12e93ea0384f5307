// Frames of HTTP/2 as bytes, for tests: made by hand, and taken apart again.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice::http2::frames {

enum Type : uint8_t {
  kData = 0,
  kHeaders = 1,
  kPriority = 2,
  kRstStream = 3,
  kSettings = 4,
  kPing = 6,
  kGoaway = 7,
  kWindowUpdate = 8,
  kContinuation = 9,
};

constexpr uint8_t kEndStream = 1;
constexpr uint8_t kAck = 1;
constexpr uint8_t kEndHeaders = 4;
constexpr uint8_t kPadded = 8;
constexpr std::string_view kMagic = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

using Fields = std::vector<std::pair<std::string_view, std::string_view>>;

inline std::string Number(uint64_t number, int bytes) {
  std::string text;
  while (bytes-- > 0)
    text += static_cast<char>(number >> (8 * bytes) & 0xff);
  return text;
}

inline std::string Frame(uint8_t type, uint8_t flags, uint32_t stream, std::string_view payload) {
  std::string frame = Number(static_cast<uint32_t>(payload.size()), 3);
  frame += static_cast<char>(type);
  frame += static_cast<char>(flags);
  return frame + Number(stream, 4) + std::string(payload);
}

/// A length of HPACK with a prefix of seven bits (RFC 7541 section 5.1).
inline std::string Length(size_t size) {
  if (size < 127) return std::string(1, static_cast<char>(size));
  std::string text(1, static_cast<char>(127));
  for (size -= 127; size >= 128; size /= 128)
    text += static_cast<char>(size % 128 + 128);
  return text + static_cast<char>(size);
}

/// Literal fields that are never indexed.
inline std::string Block(const Fields& fields) {
  std::string block;
  for (const auto& [name, value] : fields) {
    block += '\0';
    block += Length(name.size());
    block += name;
    block += Length(value.size());
    block += value;
  }
  return block;
}

inline std::string Headers(uint32_t stream, const Fields& fields, uint8_t flags = kEndStream) {
  return Frame(kHeaders, flags | kEndHeaders, stream, Block(fields));
}

inline std::string Settings(std::string_view payload = "") {
  return Frame(kSettings, 0, 0, payload);
}

inline std::string Setting(uint16_t id, uint32_t value) {
  return Number(id, 2) + Number(value, 4);
}

inline std::string WindowUpdate(uint32_t stream, uint32_t bytes) {
  return Frame(kWindowUpdate, 0, stream, Number(bytes, 4));
}

inline Fields Get(std::string_view path = "/") {
  return {{":method", "GET"}, {":scheme", "http"}, {":authority", "a.example"}, {":path", path}};
}

inline Fields With(Fields fields, std::string_view name, std::string_view value) {
  fields.emplace_back(name, value);
  return fields;
}

/// A frame that was received.
struct Parsed {
  uint8_t type;
  uint8_t flags;
  uint32_t stream;
  std::string payload;

  bool ends_stream() const { return (flags & kEndStream) != 0; }
  /// Of RST_STREAM, and of GOAWAY behind its stream.
  uint32_t code() const { return At(type == kGoaway ? 4 : 0); }
  uint32_t At(size_t offset) const {
    uint32_t number = 0;
    for (size_t index = 0; index < 4; ++index)
      number = number << 8 | static_cast<uint8_t>(payload[offset + index]);
    return number;
  }
};

/// Takes whole frames from the front. @returns them in their order
inline std::vector<Parsed> Take(std::string* bytes) {
  std::vector<Parsed> frames;
  while (bytes->size() >= 9) {
    const auto byte = [bytes](size_t index) { return static_cast<uint8_t>((*bytes)[index]); };
    const size_t size = size_t{byte(0)} << 16 | size_t{byte(1)} << 8 | size_t{byte(2)};
    if (bytes->size() < 9 + size) break;
    const uint32_t stream = uint32_t{byte(5)} << 24 | uint32_t{byte(6)} << 16 |
                            uint32_t{byte(7)} << 8 | uint32_t{byte(8)};
    frames.push_back({byte(3), byte(4), stream, bytes->substr(9, size)});
    bytes->erase(0, 9 + size);
  }
  return frames;
}

/// The first frame of a type, and of a stream. @returns nullptr: there is none
inline const Parsed* Find(const std::vector<Parsed>& frames, uint8_t type, uint32_t stream) {
  for (const Parsed& frame : frames)
    if (frame.type == type && frame.stream == stream) return &frame;
  return nullptr;
}

}  // namespace sluice::http2::frames
