// What TLS tells endpoints and policies of a client.
#include "frontend/front_end.h"
#include "http1/field_name.h"

namespace sluice::frontend {

namespace {

constexpr std::string_view kEarlyDataField = "early-data";  // RFC 8470 section 5.1

/// Methods that may be played again without harm (RFC 9110 section 9.2.1).
bool IsSafe(http1::Method method) {
  using http1::Method;
  return method == Method::kGet || method == Method::kHead || method == Method::kOptions ||
         method == Method::kTrace;
}

bool HasControl(std::string_view text) {
  const char* const end = text.data() + text.size();
  return http1::FindControlPortable(text.data(), end) != end;
}

/// Takes the client's word of it away, lookalikes included, and says it ourselves.
/// @param value empty: there is nothing to say
http1::FieldEdit OwnField(std::string_view name, std::string_view value) {
  http1::FieldEdit edit;
  edit.name = name;
  edit.value = value;
  edit.is_removal = value.empty() || HasControl(value);
  edit.covers_lookalikes = true;
  return edit;
}

const tls::PeerCertificate kNoCertificate;

}  // namespace

const tls::PeerCertificate& FrontEnd::CertificateOf(const ClientConnection& connection) {
  const tls::Channel* const channel = connection.channel();
  return channel == nullptr ? kNoCertificate : channel->peer();
}

const tls::PeerCertificate* FrontEnd::ClientCertificate(int32_t id) const {
  const ClientExchange* const exchange = FindOpen(id);
  if (exchange == nullptr) return nullptr;
  const tls::PeerCertificate& certificate = CertificateOf(*exchange->connection);
  return certificate.is_shown() ? &certificate : nullptr;
}

size_t FrontEnd::PutTlsEdits(const ClientExchange& exchange, http1::FieldEdit* edits) {
  size_t count = 0;
  if (exchange.is_early) {
    edits[count].name = kEarlyDataField;
    edits[count++].value = "1";
  }
  const TlsSettings& settings = exchange.edition->settings.tls;
  if (settings.subject_field.empty() && settings.fingerprint_field.empty()) return count;
  const tls::PeerCertificate& certificate = CertificateOf(*exchange.connection);
  if (!settings.subject_field.empty())
    edits[count++] = OwnField(settings.subject_field, certificate.subject);
  if (!settings.fingerprint_field.empty())
    edits[count++] = OwnField(settings.fingerprint_field, certificate.fingerprint);
  return count;
}

bool FrontEnd::FindTlsField(const ClientExchange& exchange, std::string_view name,
                            std::optional<std::string>* value) {
  const TlsSettings& settings = exchange.edition->settings.tls;
  const bool is_subject =
      !settings.subject_field.empty() && http1::EqualsIgnoringCase(settings.subject_field, name);
  const bool is_fingerprint = !settings.fingerprint_field.empty() &&
                              http1::EqualsIgnoringCase(settings.fingerprint_field, name);
  if (!is_subject && !is_fingerprint) return false;
  const tls::PeerCertificate& certificate = CertificateOf(*exchange.connection);
  const std::string& text = is_subject ? certificate.subject : certificate.fingerprint;
  if (!text.empty() && !HasControl(text)) *value = text;
  return true;
}

void FrontEnd::NoteEarliness(ClientExchange* exchange) {
  const tls::Channel* const channel = exchange->connection->channel();
  if (channel == nullptr || !channel->is_early()) return;
  exchange->is_early = true;
  if (!IsSafe(exchange->method) || !exchange->is_body_complete)
    exchange->fault = http1::RequestFault::kTooEarly;
}

}  // namespace sluice::frontend
