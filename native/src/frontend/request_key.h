// Finds the key of a request, by which balancers that hash and traffic splits keep clients
// together.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "http1/client_request.h"
#include "l4/accepted.h"
#include "tls/channel.h"

namespace sluice::frontend {

/// What a key is made of; the same numbers stand in src/engine/request-key.ts.
enum class KeyKind : uint8_t {
  kClientAddress = 0,
  kClientNetwork = 1,
  kHeader = 2,
  kCookie = 3,
  kQuery = 4,
  kPath = 5,
  kUri = 6,
  kCertificateSubject = 7,
  kCertificateFingerprint = 8,
};

inline constexpr int64_t kMostKeyKind = static_cast<int64_t>(KeyKind::kCertificateFingerprint);

struct KeySource {
  KeyKind kind = KeyKind::kClientAddress;
  /// CRC-32 instead of xxHash64.
  bool is_crc = false;
  /// Of the header (any case), the cookie or the query parameter; for other kinds empty.
  std::string name;
};

/// Says whether the key is about who the client is.
inline bool IsOfClient(const KeySource& source) {
  return source.kind == KeyKind::kClientAddress || source.kind == KeyKind::kClientNetwork;
}

/// Says whether the key is told by the certificate of the client's connection, not by the request.
inline bool IsOfCertificate(const KeySource& source) {
  return source.kind == KeyKind::kCertificateSubject ||
         source.kind == KeyKind::kCertificateFingerprint;
}

/// Tells the key of a connection by what its client has shown and what was believed: the subject as
/// RFC 2253 writes it, or the SHA-256 fingerprint in hex digits. Empty: none was shown, or it has
/// no subject.
std::string_view FindCertificateKey(const KeySource& source,
                                    const tls::PeerCertificate& certificate);

/// Tells the bytes of a request's key; none of one that IsOfCertificate. HOT
/// (bench/micro/l7/native-front-end.bench.ts).
///
/// - client address: its text as X-Forwarded-For has it; network: of IPv4 without the last octet.
/// - header: all values in their order, joined by ", "; Host as it routes. Fields that belong to
/// one
///   connection or frame the message are not told.
/// - cookie: the first of that name (its case counts) in any Cookie field, without the white space
///   and one pair of quotes around it (RFC 6265 section 4.1.1).
/// - query: the value of the first parameter of that name, as it was sent: percent-encoding is not
///   undone, in the name neither.
/// - path: without the query; uri: path and query. As they were sent.
///
/// @param client whose request it is
/// @param scratch may be written: what is told may lie there
/// @returns empty: the request has no such key
std::string_view FindKey(const KeySource& source, const http1::ClientRequest& request,
                         const l4::PeerAddress& client, std::string* scratch);

/// The hash of a key's bytes: all 64 bits of xxHash64, or a CRC-32 below 32 zeros.
uint64_t HashOfKey(const KeySource& source, std::string_view key);

}  // namespace sluice::frontend
