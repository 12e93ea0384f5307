// Unit tests of how request fields are recognised, and which of them Connection may not name.
#include "http1/request_field.h"

#include <string>
#include <string_view>

#include "check.h"
#include "http1/bytes.h"
#include "http1/field_name.h"

namespace sluice::http1 {
namespace {

struct Known {
  std::string_view name;
  RequestField field;
};

constexpr Known kKnown[] = {
    {"connection", RequestField::kConnection},
    {"content-length", RequestField::kContentLength},
    {"expect", RequestField::kExpect},
    {"forwarded", RequestField::kForwarded},
    {"host", RequestField::kHost},
    {"keep-alive", RequestField::kKeepAlive},
    {"max-forwards", RequestField::kMaxForwards},
    {"proxy-authenticate", RequestField::kProxyAuthenticate},
    {"proxy-authorization", RequestField::kProxyAuthorization},
    {"proxy-connection", RequestField::kProxyConnection},
    {"te", RequestField::kTe},
    {"trailer", RequestField::kTrailer},
    {"transfer-encoding", RequestField::kTransferEncoding},
    {"upgrade", RequestField::kUpgrade},
    {"via", RequestField::kVia},
    {"x-forwarded-for", RequestField::kXForwardedFor},
    {"x-forwarded-host", RequestField::kXForwardedHost},
    {"x-forwarded-proto", RequestField::kXForwardedProto},
    {"x-real-ip", RequestField::kXRealIp},
    {"x-request-id", RequestField::kXRequestId},
};

/// What a changed name of the list is: one of the forwarded ones stays one of their family, unless
/// an underscore stands for the hyphen.
RequestField FieldOfChanged(std::string_view text) {
  const std::string_view family = text.substr(0, 12);
  if (EqualsIgnoringCase(family, "x-forwarded-")) return RequestField::kXForwardedOther;
  for (const std::string_view alike : {"x_forwarded-", "x-forwarded_"}) {
    if (EqualsIgnoringCase(family, alike)) return RequestField::kLookalike;
  }
  return RequestField::kOther;
}

TEST(ClassifiesNamesOfAnyCaseExactly) {
  for (const auto& [name, field] : kKnown) {
    for (size_t at = 0; at < name.size(); ++at) {
      for (int byte = 0x21; byte < 0x7f; ++byte) {
        if (!IsTokenByte(static_cast<char>(byte))) continue;
        std::string text(name);
        text[at] = static_cast<char>(byte);
        const bool is_same = ToLowerCase(static_cast<char>(byte)) == name[at];
        const bool is_alike = byte == '_' && name[at] == '-';
        const RequestField changed = is_alike && FieldOfChanged(text) == RequestField::kOther
                                         ? RequestField::kLookalike
                                         : FieldOfChanged(text);
        CHECK_EQ(ClassifyRequestField(text), is_same ? field : changed);
      }
    }
    CHECK_EQ(ClassifyRequestField(std::string(name) + "x"), FieldOfChanged(name));
  }
}

TEST(ClassifiesAllThatBeginsWithXForwarded) {
  for (const std::string_view name :
       {"x-forwarded-", "X-Forwarded-Port", "x-forwarded-ssl", "x-forwarded-prefix",
        "x-forwarded-scheme", "X-FORWARDED-CLIENT-CERT", "x-forwarded-by"})
    CHECK_EQ(ClassifyRequestField(name), RequestField::kXForwardedOther);
  for (const std::string_view name : {"", "x", "x-forwarded", "x_forwarded", "x-forwarder-for"})
    CHECK_EQ(ClassifyRequestField(name), RequestField::kOther);
}

TEST(KnowsTheNamesThatCgiTakesForAnother) {
  for (const std::string_view name :
       {"X_Forwarded_For", "x-forwarded_for", "X_FORWARDED-PROTO", "x_forwarded_", "x_real_ip",
        "X-Real_IP", "x_request_id", "Content_Length", "Transfer_Encoding", "keep_alive",
        "Max_Forwards", "Proxy_Connection", "Proxy_Authenticate", "Proxy_Authorization",
        "x_forwarded_client_certificate"})
    CHECK_EQ(ClassifyRequestField(name), RequestField::kLookalike);
  for (const std::string_view name : {"_", "user_name", "x_api_key", "x_forwarder_for", "_te",
                                      "host_", "content_type", "x__real_ip", "transfer_encodings"})
    CHECK_EQ(ClassifyRequestField(name), RequestField::kOther);
}

TEST(RefusesNominationsOfFieldsThatMeanMoreThanAHop) {
  for (const std::string_view name :
       {"host", "Content-Length", "content-type", "content-encoding", "AUTHORIZATION", "cookie",
        "cache-control", "range", "via", "forwarded", "x-forwarded-for", "X-Forwarded-Proto",
        "x-forwarded-host", "x-forwarded-port", "x-real-ip", "x-request-id"})
    CHECK(RequestNominationIsRefused(name));
  for (const std::string_view name : {"", "close", "te", "x-hop", "hosts", "x-forwarded-prefix"})
    CHECK(!RequestNominationIsRefused(name));
}

}  // namespace
}  // namespace sluice::http1
