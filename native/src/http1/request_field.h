// Recognises the request fields that the front end interprets, rewrites or drops.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace sluice::http1 {

/// Fields of a request that mean something to the proxy.
enum class RequestField : uint8_t {
  kOther,
  kConnection,
  kContentLength,
  kExpect,
  kForwarded,
  kHost,
  kKeepAlive,
  kMaxForwards,
  kProxyAuthenticate,
  kProxyAuthorization,
  kProxyConnection,
  kTe,
  kTrailer,
  kTransferEncoding,
  kUpgrade,
  kVia,
  kXForwardedFor,
  kXForwardedHost,
  kXForwardedOther,
  kXForwardedProto,
  kXRealIp,
  kXRequestId,
  /// One of these with an underscore in place of a hyphen: CGI and what descends from it (WSGI,
  /// Rack, PHP) give both the same name, so that a client could speak in the proxy's place. Never
  /// goes on.
  kLookalike,
};

namespace request_field_internal {

/// A bit for a letter of any case; other bytes share theirs with letters.
constexpr uint32_t BitOf(char letter) {
  return 1u << (letter & 31);
}

/// By the length of a name, longer ones together: what the known names begin with. It tells nearly
/// all others apart without a jump that the processor cannot foresee.
inline constexpr std::array<uint32_t, 21> kFirstLetters = [] {
  std::array<uint32_t, 21> letters{};
  letters[2] = BitOf('t');
  letters[3] = BitOf('v');
  letters[4] = BitOf('h');
  letters[6] = BitOf('e');
  letters[7] = BitOf('t') | BitOf('u');
  letters[9] = BitOf('f') | BitOf('x');
  letters[10] = BitOf('c') | BitOf('k');
  for (size_t size = 12; size < letters.size(); ++size)
    letters[size] = BitOf('x');
  letters[12] |= BitOf('m');
  letters[14] |= BitOf('c');
  letters[16] |= BitOf('p');
  letters[17] |= BitOf('t');
  letters[18] |= BitOf('p');
  letters[19] |= BitOf('p');
  return letters;
}();

/// The same as ClassifyRequestField, for the few names that pass its first look.
RequestField ClassifyByName(std::string_view name);

}  // namespace request_field_internal

/// Classifies a field name, ignoring case. HOT: once per field line.
/// @param name a token, or any text without controls but HTAB
inline RequestField ClassifyRequestField(std::string_view name) {
  using namespace request_field_internal;
  if (name.empty()) return RequestField::kOther;
  const uint32_t letters = kFirstLetters[std::min(name.size(), kFirstLetters.size() - 1)];
  return (letters & BitOf(name[0])) == 0 ? RequestField::kOther : ClassifyByName(name);
}

/// Says whether a field never goes to the endpoint as the client sent it, whoever the client is: it
/// belongs to one connection, or frames the message. Connection need not name it, and no policy can
/// set it.
inline bool IsHopByHop(RequestField field) {
  switch (field) {
    case RequestField::kConnection:
    case RequestField::kContentLength:
    case RequestField::kKeepAlive:
    case RequestField::kProxyConnection:
    case RequestField::kTe:
    case RequestField::kTrailer:
    case RequestField::kTransferEncoding:
    case RequestField::kUpgrade:
      return true;
    default:
      return false;
  }
}

}  // namespace sluice::http1
