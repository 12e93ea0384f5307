// Turns the head of an HTTP/1.1 request into the fields of an HTTP/2 request.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "http2/nghttp2.h"

namespace sluice::http2 {

/// How the bytes behind a request's head are delimited.
enum class RequestFraming : uint8_t { kNone, kLength, kChunked };

/// The fields of one request; reused from request to request. HOT: once for each request.
class RequestFields {
 public:
  /// Reads a head that http1::IsSendableRequestHead accepts, with the framing field and the empty
  /// line behind it: names in lower case; Host as :authority; without Connection, Keep-Alive,
  /// Proxy-Connection, Transfer-Encoding, Upgrade, HTTP2-Settings, and TE but for `trailers`
  /// (RFC 9113 section 8.2.2).
  /// @param head one whole head, empty line included
  /// @param scheme http, https
  /// @param authority where the request says none, or an empty one
  /// @returns false: it is no such head
  bool Read(std::string_view head, std::string_view scheme, std::string_view authority);

  /// Pseudo-fields first; valid until the next Read.
  const std::vector<nghttp2_nv>& fields() const { return fields_; }
  RequestFraming framing() const { return framing_; }
  /// With kLength.
  uint64_t body_bytes() const { return body_bytes_; }
  bool is_head_request() const { return is_head_request_; }

 private:
  bool ReadLine(std::string_view line);
  void Add(std::string_view name, std::string_view value);

  std::string head_;  // a copy, whose names are in lower case
  std::string_view authority_;
  std::vector<nghttp2_nv> fields_;
  RequestFraming framing_ = RequestFraming::kNone;
  uint64_t body_bytes_ = 0;
  bool is_head_request_ = false;
};

}  // namespace sluice::http2
