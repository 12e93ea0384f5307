// Reads the head of an HTTP/1.1 answer as the fields of an HTTP/2 one.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>
#include <vector>

#include "http2/nghttp2.h"

namespace sluice::http2 {

/// Used again for each answer of a thread. HOT.
class AnswerFields {
 public:
  /// Reads `HTTP/1.1 200 OK\r\nname: value\r\n…\r\n`: :status, then the fields in their order with
  /// names in small letters, without those of the connection (RFC 9113 section 8.2.2).
  /// @param head well-formed; its names are changed where they lie. Fields point into it.
  /// @param status takes the place of the head's own; 0: that counts
  void Read(char* head, size_t size, int status = 0);
  /// Reads lines alone, as trailers are.
  void ReadLines(char* lines, size_t size);

  const nghttp2_nv* data() const { return fields_.data(); }
  size_t count() const { return fields_.size(); }
  /// Says how their bytes are kept. @param stay they stay until the frame has been made
  void MarkKept(bool stay);

 private:
  void AddLines(char* lines, char* end);

  std::vector<nghttp2_nv> fields_;
  static constexpr size_t kStatusDigits = 3;
  std::array<char, kStatusDigits> status_ = {};
};

}  // namespace sluice::http2
