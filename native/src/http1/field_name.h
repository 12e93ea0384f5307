// Recognises the response fields that the engine interprets or drops, and those that no Connection
// option may strip.
#pragma once

#include <cstdint>
#include <string_view>

#include "http1/bytes.h"

namespace sluice::http1 {

/// Fields that mean something to the engine. Each of them but kOther stops at this hop or is
/// written anew.
enum class FieldName : uint8_t {
  kOther,
  kConnection,
  kContentLength,
  kDate,
  kKeepAlive,
  kProxyConnection,
  kTe,
  kTrailer,
  kTransferEncoding,
  kUpgrade,
};

/// Classifies a field name, ignoring case. HOT: twice per field line.
/// @param name a token
inline FieldName ClassifyFieldName(std::string_view name) {
  switch (name.size()) {
    case 2:
      return EqualsLowerCase(name, "te") ? FieldName::kTe : FieldName::kOther;
    case 4:
      return EqualsLowerCase(name, "date") ? FieldName::kDate : FieldName::kOther;
    case 7:
      if (EqualsLowerCase(name, "trailer")) return FieldName::kTrailer;
      return EqualsLowerCase(name, "upgrade") ? FieldName::kUpgrade : FieldName::kOther;
    case 10:
      if (EqualsLowerCase(name, "connection")) return FieldName::kConnection;
      return EqualsLowerCase(name, "keep-alive") ? FieldName::kKeepAlive : FieldName::kOther;
    case 14:
      return EqualsLowerCase(name, "content-length") ? FieldName::kContentLength
                                                     : FieldName::kOther;
    case 16:
      return EqualsLowerCase(name, "proxy-connection") ? FieldName::kProxyConnection
                                                       : FieldName::kOther;
    case 17:
      return EqualsLowerCase(name, "transfer-encoding") ? FieldName::kTransferEncoding
                                                        : FieldName::kOther;
    default:
      return FieldName::kOther;
  }
}

/// Says whether a field is meant for every recipient, so that a Connection option must not strip it
/// (RFC 9110 section 7.6.1; the list is at WriteClientHead).
/// @param name a Connection option, any case
bool IsProtectedFieldName(std::string_view name);

/// Says whether a client's Connection option names a field that carries meaning or safety beyond
/// one hop, so that the request is refused (PROTECTED_FIELDS in src/l7/request-head.ts).
/// @param option any case
bool RequestNominationIsRefused(std::string_view option);

/// Says whether an Upgrade field makes no tunnel: it names HTTP itself (h2c, h2, http) or TLS,
/// whose tunnel would carry requests past every route and policy (RFC 9113 section 3.1 has given
/// h2c up), or something that is no protocol (RFC 9110 section 7.8), which a lenient endpoint may
/// take for one of these.
bool UpgradeIsRefused(std::string_view value);

/// Calls `visit(option)` for every element of a comma-separated list (RFC 9110 section 5.6.1);
/// empty elements are skipped, an element that is no token is handed over as it is and equals no
/// name.
template <typename Visit>
void ForEachListElement(std::string_view list, Visit visit) {
  for (;;) {
    const size_t comma = list.find(',');
    const std::string_view element = TrimBlanks(list.substr(0, comma));
    if (!element.empty()) visit(element);
    if (comma == std::string_view::npos) return;
    list.remove_prefix(comma + 1);
  }
}

}  // namespace sluice::http1
