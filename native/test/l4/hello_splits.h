// Builds ClientHellos, cuts them into records, and runs the parser over every prefix of an input.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "check.h"
#include "exact_copy.h"
#include "l4/client_hello.h"

namespace sluice::l4 {

struct ParsedHello {
  PrefaceStatus status = PrefaceStatus::kNeedMore;
  bool is_tls = false;
  std::string server_name = {};
  std::string alpn = {};

  bool operator==(const ParsedHello&) const = default;
};

/// Parses bytes that have nothing readable behind them.
inline ParsedHello ParseHelloExactly(std::string_view input) {
  const check::ExactCopy received(input);
  ClientHello hello = {.is_tls = true, .server_name = "untouched", .alpn = "untouched"};
  const PrefaceStatus status = ParseClientHello(received.view(), &hello);
  if (status == PrefaceStatus::kDone)
    return {.status = status,
            .is_tls = hello.is_tls,
            .server_name = hello.server_name,
            .alpn = hello.alpn};
  CHECK(hello.is_tls && hello.server_name == "untouched" && hello.alpn == "untouched");
  return {.status = status};
}

/// Parses every prefix of `input`; the first verdict is final.
/// @param decided_at how many bytes it took
inline ParsedHello ParseHelloPrefixes(std::string_view input, size_t* decided_at = nullptr) {
  ParsedHello verdict;
  size_t taken = 0;
  for (size_t size = 0; size <= input.size(); ++size) {
    const ParsedHello parsed = ParseHelloExactly(input.substr(0, size));
    if (verdict.status == PrefaceStatus::kNeedMore) {
      verdict = parsed;
      taken = size;
    } else if (!(parsed == verdict)) {
      check::Fail(__FILE__, __LINE__, "other verdict at " + std::to_string(size));
    }
  }
  if (decided_at != nullptr) *decided_at = taken;
  return verdict;
}

/// `bytes` behind their length, of one, two or three bytes.
inline std::string Vector(size_t length_bytes, std::string_view bytes) {
  std::string vector;
  for (size_t shift = length_bytes; shift > 0; --shift)
    vector += static_cast<char>(bytes.size() >> (shift - 1) * 8 & 0xff);
  return vector += bytes;
}

inline std::string Record(std::string_view fragment) {
  return "\x16\x03\x01" + Vector(2, fragment);
}

inline std::string Extension(uint16_t type, std::string_view data) {
  return std::string{static_cast<char>(type >> 8), static_cast<char>(type & 0xff)} +
         Vector(2, data);
}

/// The extension for one host name.
inline std::string ServerName(std::string_view name) {
  return Extension(0, Vector(2, std::string(1, '\0') + Vector(2, name)));
}

inline std::string Alpn(const std::vector<std::string_view>& protocols) {
  std::string list;
  for (const std::string_view protocol : protocols)
    list += Vector(1, protocol);
  return Extension(16, Vector(2, list));
}

/// A handshake message with these parts, lengths not included.
struct HelloParts {
  char message_type = 1;
  std::string version = "\x03\x03";
  std::string session_id = std::string(32, 's');
  std::string cipher_suites = "\x13\x01\x13\x02";
  std::string compression_methods = std::string(1, '\0');
  std::string extensions = {};
};

inline std::string Message(const HelloParts& parts) {
  return parts.message_type +
         Vector(3, parts.version + std::string(32, 'r') + Vector(1, parts.session_id) +
                       Vector(2, parts.cipher_suites) + Vector(1, parts.compression_methods) +
                       Vector(2, parts.extensions));
}

/// One record with these extensions.
inline std::string Hello(std::string_view extensions) {
  return Record(Message({.extensions = std::string(extensions)}));
}

/// The message of a hello that came in one record, in records that end at these places of it.
inline std::string InRecords(std::string_view hello, const std::vector<size_t>& ends) {
  const std::string_view message = hello.substr(5);
  std::string records;
  size_t begin = 0;
  for (const size_t end : ends) {
    records += Record(message.substr(begin, end - begin));
    begin = end;
  }
  return records + Record(message.substr(begin));
}

}  // namespace sluice::l4
