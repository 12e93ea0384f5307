// Tells the known request fields apart by length, then by name.
#include "http1/request_field.h"

#include <algorithm>
#include <array>
#include <cstddef>

#include "http1/bytes.h"

namespace sluice::http1::request_field_internal {

namespace {

/// Says whether it is a known name but for underscores in place of hyphens.
bool IsLookalike(std::string_view name) {
  if (name.find('_') == std::string_view::npos) return false;
  std::array<char, kFirstLetters.size()> text;  // of a longer name only the family can be known
  const std::string_view front = name.substr(0, text.size());
  std::replace_copy(front.begin(), front.end(), text.begin(), '_', '-');
  return ClassifyByName({text.data(), front.size()}) != RequestField::kOther;
}

}  // namespace

RequestField ClassifyByName(std::string_view name) {
  switch (name.size()) {
    case 2:
      return EqualsLowerCase(name, "te") ? RequestField::kTe : RequestField::kOther;
    case 3:
      return EqualsLowerCase(name, "via") ? RequestField::kVia : RequestField::kOther;
    case 4:
      return EqualsLowerCase(name, "host") ? RequestField::kHost : RequestField::kOther;
    case 6:
      return EqualsLowerCase(name, "expect") ? RequestField::kExpect : RequestField::kOther;
    case 7:
      if (EqualsLowerCase(name, "upgrade")) return RequestField::kUpgrade;
      return EqualsLowerCase(name, "trailer") ? RequestField::kTrailer : RequestField::kOther;
    case 9:
      if (EqualsLowerCase(name, "forwarded")) return RequestField::kForwarded;
      if (EqualsLowerCase(name, "x-real-ip")) return RequestField::kXRealIp;
      break;
    case 10:
      if (EqualsLowerCase(name, "connection")) return RequestField::kConnection;
      if (EqualsLowerCase(name, "keep-alive")) return RequestField::kKeepAlive;
      break;
    case 12:
      if (EqualsLowerCase(name, "x-request-id")) return RequestField::kXRequestId;
      if (EqualsLowerCase(name, "max-forwards")) return RequestField::kMaxForwards;
      break;
    case 14:
      if (EqualsLowerCase(name, "content-length")) return RequestField::kContentLength;
      break;
    case 15:
      if (EqualsLowerCase(name, "x-forwarded-for")) return RequestField::kXForwardedFor;
      break;
    case 16:
      if (EqualsLowerCase(name, "x-forwarded-host")) return RequestField::kXForwardedHost;
      if (EqualsLowerCase(name, "proxy-connection")) return RequestField::kProxyConnection;
      break;
    case 17:
      if (EqualsLowerCase(name, "x-forwarded-proto")) return RequestField::kXForwardedProto;
      if (EqualsLowerCase(name, "transfer-encoding")) return RequestField::kTransferEncoding;
      break;
    case 18:
      if (EqualsLowerCase(name, "proxy-authenticate")) return RequestField::kProxyAuthenticate;
      break;
    case 19:
      if (EqualsLowerCase(name, "proxy-authorization")) return RequestField::kProxyAuthorization;
      break;
    default:
      break;
  }
  if (name.size() >= 12 && EqualsLowerCase(name.substr(0, 12), "x-forwarded-"))
    return RequestField::kXForwardedOther;
  return IsLookalike(name) ? RequestField::kLookalike : RequestField::kOther;
}

}  // namespace sluice::http1::request_field_internal
