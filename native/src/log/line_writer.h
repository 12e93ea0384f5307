// Writes one line into memory that may be too small, and escapes what clients have sent.
#pragma once

#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace sluice::log {

/// How bytes are written that may not stand as they are.
enum class Escaping : uint8_t {
  /// As nginx does in its combined format: what is not printable ASCII, `"` and `\` become `\xHH`.
  kHex,
  /// JSON (RFC 8259): `"`, `\` and controls are escaped, UTF-8 passes, and each piece of what is no
  /// UTF-8 becomes U+FFFD, as with the decoder of the WHATWG's encoding standard. DEL and C1
  /// controls are escaped as well, since a terminal may take them for commands.
  kJson,
};

/// A text of at most so many bytes that is copied as a whole block, whatever its size.
struct PaddedText {
  static constexpr size_t kMostBytes = 32;

  std::array<char, kMostBytes> bytes = {};
  size_t size = 0;
};

/// Appends to a piece of memory; once something does not fit nothing more is written. HOT
/// (bench/micro/engine/access-lines.bench.ts).
class LineWriter {
 public:
  LineWriter(char* begin, size_t room) : begin_(begin), at_(begin), end_(begin + room) {}

  bool is_full() const { return is_full_; }
  size_t size() const { return static_cast<size_t>(at_ - begin_); }

  void Add(char byte) {
    if (!HasRoom(1)) return;
    *at_++ = byte;
  }
  void Add(std::string_view text) {
    if (!HasRoom(text.size())) return;
    Copy(text.data(), text.size());
  }
  /// What lies behind it in the line is written later.
  void Add(const PaddedText& text) {
    if (static_cast<size_t>(end_ - at_) < PaddedText::kMostBytes || is_full_)
      return Add(std::string_view(text.bytes.data(), text.size));
    std::memcpy(at_, text.bytes.data(), PaddedText::kMostBytes);
    at_ += text.size;
  }
  void AddNumber(uint64_t number) {
    if (!HasRoom(kDigits)) return;
    at_ = std::to_chars(at_, end_, number).ptr;
  }
  /// Thousandths as a decimal: 12345 is 12.345.
  void AddThousandths(uint64_t number) {
    if (!HasRoom(kDigits + 1)) return;
    at_ = std::to_chars(at_, end_, number / 1000).ptr;
    const auto rest = static_cast<unsigned>(number % 1000);
    at_[0] = '.';
    at_[1] = static_cast<char>('0' + rest / 100);
    at_[2] = static_cast<char>('0' + rest / 10 % 10);
    at_[3] = static_cast<char>('0' + rest % 10);
    at_ += 4;
  }
  /// Of a line that has one.
  void ReplaceFirst(char byte) {
    if (at_ != begin_) *begin_ = byte;
  }
  /// @param most_bytes that may be written of it; the rest is left out, characters stay whole
  void AddEscaped(std::string_view text, Escaping escaping, size_t most_bytes);

 private:
  /// More than any number has.
  static constexpr size_t kDigits = 24;

  bool HasRoom(size_t bytes) {
    if (static_cast<size_t>(end_ - at_) < bytes) is_full_ = true;
    return !is_full_;
  }

  /// Most texts of a line are short: two blocks of a fixed size that overlap are copied faster than
  /// by a call of memcpy.
  void Copy(const char* from, size_t bytes) {
    if (bytes > 32) {
      std::memcpy(at_, from, bytes);
    } else if (bytes >= 16) {
      CopyEnds<16>(from, bytes);
    } else if (bytes >= 8) {
      CopyEnds<8>(from, bytes);
    } else if (bytes >= 4) {
      CopyEnds<4>(from, bytes);
    } else {
      for (size_t byte = 0; byte < bytes; ++byte)
        at_[byte] = from[byte];
    }
    at_ += bytes;
  }
  template <size_t kBlock>
  void CopyEnds(const char* from, size_t bytes) {
    std::array<char, kBlock> first;
    std::array<char, kBlock> last;
    std::memcpy(first.data(), from, kBlock);
    std::memcpy(last.data(), from + bytes - kBlock, kBlock);
    std::memcpy(at_, first.data(), kBlock);
    std::memcpy(at_ + bytes - kBlock, last.data(), kBlock);
  }

  char* begin_;
  char* at_;
  char* end_;
  bool is_full_ = false;
};

}  // namespace sluice::log
