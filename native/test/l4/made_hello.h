// Makes ClientHellos for tests that need many different ones.
#pragma once

#include <string>

namespace made_hello {

using namespace std::string_literals;

inline std::string Uint16(size_t value) {
  return {static_cast<char>(value >> 8), static_cast<char>(value & 0xff)};
}

/// A ClientHello in one record. @param name empty: no server name @param alpn as in the extension's
/// list; empty: none
inline std::string ClientHelloFor(const std::string& name, const std::string& alpn) {
  const std::string entry = "\0"s + Uint16(name.size()) + name;
  const std::string names = Uint16(entry.size()) + entry;
  const std::string protocols = Uint16(alpn.size()) + alpn;
  std::string extensions;
  if (!name.empty()) extensions += "\0\0"s + Uint16(names.size()) + names;
  if (!alpn.empty()) extensions += "\0\x10"s + Uint16(protocols.size()) + protocols;
  const std::string body = "\x03\x03"s + std::string(32, 'r') + "\0"s + "\0\x02\x13\x01"s +
                           "\x01\0"s + Uint16(extensions.size()) + extensions;
  const std::string hello = "\x01\0"s + Uint16(body.size()) + body;
  return "\x16\x03\x01"s + Uint16(hello.size()) + hello;
}

}  // namespace made_hello
