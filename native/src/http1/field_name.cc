// The fields that no Connection option may strip, and the protocols that no request may switch to.
#include "http1/field_name.h"

#include <algorithm>
#include <array>
#include <cstddef>

namespace sluice::http1 {
namespace {

constexpr std::array<std::string_view, 5> kProtectedPrefixes = {
    "access-control-", "content-", "cross-origin-", "sec-", "x-forwarded-",
};

constexpr std::array<std::string_view, 28> kProtectedNames = {
    "accept-ranges",
    "age",
    "allow",
    "authorization",
    "cache-control",
    "cookie",
    "date",
    "etag",
    "expires",
    "forwarded",
    "host",
    "last-modified",
    "link",
    "location",
    "pragma",
    "proxy-authenticate",
    "retry-after",
    "server",
    "set-cookie",
    "strict-transport-security",
    "vary",
    "via",
    "warning",
    "www-authenticate",
    "x-content-type-options",
    "x-frame-options",
    "x-real-ip",
    "x-request-id",
};

/// As in src/l7/request-head.ts.
constexpr std::array<std::string_view, 16> kRefusedNominations = {
    "authorization",
    "cache-control",
    "content-encoding",
    "content-length",
    "content-type",
    "cookie",
    "forwarded",
    "host",
    "range",
    "via",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-port",
    "x-forwarded-proto",
    "x-real-ip",
    "x-request-id",
};

constexpr std::array<std::string_view, 4> kRefusedProtocols = {"h2c", "h2", "http", "tls"};

bool IsToken(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), IsTokenByte);
}

/// @param protocol `name ["/" version]`
bool ProtocolIsRefused(std::string_view protocol) {
  const size_t slash = protocol.find('/');
  const std::string_view name = protocol.substr(0, slash);
  if (!IsToken(name)) return true;
  if (slash != std::string_view::npos && !IsToken(protocol.substr(slash + 1))) return true;
  return std::any_of(kRefusedProtocols.begin(), kRefusedProtocols.end(),
                     [name](std::string_view known) { return EqualsIgnoringCase(name, known); });
}

}  // namespace

bool IsProtectedFieldName(std::string_view name) {
  return std::any_of(kProtectedPrefixes.begin(), kProtectedPrefixes.end(),
                     [name](std::string_view prefix) {
                       return EqualsIgnoringCase(name.substr(0, prefix.size()), prefix);
                     }) ||
         std::any_of(kProtectedNames.begin(), kProtectedNames.end(),
                     [name](std::string_view known) { return EqualsIgnoringCase(name, known); });
}

bool RequestNominationIsRefused(std::string_view option) {
  return std::any_of(
      kRefusedNominations.begin(), kRefusedNominations.end(),
      [option](std::string_view known) { return EqualsIgnoringCase(option, known); });
}

bool UpgradeIsRefused(std::string_view value) {
  bool is_refused = false;
  ForEachListElement(value, [&is_refused](std::string_view protocol) {
    is_refused = is_refused || ProtocolIsRefused(protocol);
  });
  return is_refused;
}

}  // namespace sluice::http1
