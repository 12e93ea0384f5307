// Reads what contexts of TLS are made of.
#include "binding/tls_arguments.h"

#include <cstring>
#include <string>
#include <utility>

#include "binding/errors.h"
#include "binding/field_reader.h"

namespace sluice::binding {

namespace {

/// Bounds of OpenSSL's own types.
constexpr int64_t kMostSessions = 1 << 30;
constexpr int64_t kMostEarlyBytes = 1 << 30;
constexpr int64_t kMostDepth = 100;
constexpr size_t kTicketKeyBytes = sizeof(tls::TicketKey);
static_assert(kTicketKeyBytes == 80);

bool ReadText(Napi::Object object, const char* name, std::string* place) {
  auto text = ReadUtf8(object.Env(), object.Get(name), name);
  if (text) *place = std::move(*text);
  return text.has_value();
}

bool ReadTexts(Napi::Object object, const char* name, std::vector<std::string>* place) {
  const Napi::Value value = object.Get(name);
  if (!value.IsArray()) {
    ThrowTypeError(object.Env(), std::string(name) + " must be an array");
    return false;
  }
  const auto array = value.As<Napi::Array>();
  for (uint32_t at = 0; at < array.Length(); ++at) {
    auto text = ReadUtf8(object.Env(), array.Get(at), name);
    if (!text) return false;
    place->push_back(std::move(*text));
  }
  return true;
}

/// Texts that stand for one of some choices. @returns its place, or nothing after throwing
std::optional<size_t> ReadChoice(Napi::Object object, const char* name,
                                 const std::vector<std::string>& choices) {
  std::string text;
  if (!ReadText(object, name, &text)) return std::nullopt;
  for (size_t place = 0; place < choices.size(); ++place) {
    if (choices[place] == text) return place;
  }
  ThrowTypeError(object.Env(), std::string(name) + " must not be '" + text + "'");
  return std::nullopt;
}

/// The fields that both sides have.
template <typename Settings>
bool ReadRules(Napi::Object object, Settings* settings) {
  const auto version = ReadChoice(object, "minVersion", {"1.2", "1.3"});
  if (!version) return false;
  settings->requires_tls13 = *version == 1;
  return ReadText(object, "ciphers", &settings->ciphers) &&
         ReadText(object, "cipherSuites", &settings->cipher_suites) &&
         ReadText(object, "curves", &settings->curves);
}

}  // namespace

std::optional<tls::Certificate> ReadCertificate(Napi::Env env, Napi::Value value) {
  const auto object = ReadObject(env, value, "certificate");
  tls::Certificate certificate;
  if (!object || !ReadText(*object, "chain", &certificate.chain) ||
      !ReadText(*object, "key", &certificate.key) ||
      !ReadText(*object, "passphrase", &certificate.passphrase) ||
      !ReadTexts(*object, "names", &certificate.names)) {
    return std::nullopt;
  }
  const Napi::Value ocsp = object->Get("ocsp");
  if (ocsp.IsNull()) return certificate;
  const auto bytes = ReadBytes(env, ocsp, "ocsp");
  if (!bytes) return std::nullopt;
  certificate.ocsp = *bytes;
  return certificate;
}

std::optional<std::vector<tls::Certificate>> ReadCertificates(Napi::Env env, Napi::Value value) {
  if (!value.IsArray()) {
    ThrowTypeError(env, "certificates must be an array");
    return std::nullopt;
  }
  const auto array = value.As<Napi::Array>();
  std::vector<tls::Certificate> certificates;
  for (uint32_t place = 0; place < array.Length(); ++place) {
    auto certificate = ReadCertificate(env, array.Get(place));
    if (!certificate) return std::nullopt;
    certificates.push_back(std::move(*certificate));
  }
  return certificates;
}

std::optional<std::vector<tls::TicketKey>> ReadTicketKeys(Napi::Env env, Napi::Value value) {
  if (!value.IsArray() || value.As<Napi::Array>().Length() == 0) {
    ThrowTypeError(env, "keys must be an array with one key at least");
    return std::nullopt;
  }
  const auto array = value.As<Napi::Array>();
  std::vector<tls::TicketKey> keys(array.Length());
  for (uint32_t place = 0; place < array.Length(); ++place) {
    const auto bytes = ReadBytes(env, array.Get(place), "keys");
    if (!bytes) return std::nullopt;
    if (bytes->size() != kTicketKeyBytes) {
      ThrowRangeError(env, "a ticket key must have 80 bytes, not " + std::to_string(bytes->size()));
      return std::nullopt;
    }
    std::memcpy(&keys[place], bytes->data(), kTicketKeyBytes);
  }
  return keys;
}

std::optional<tls::ServerSettings> ReadServerSettings(Napi::Env env, Napi::Value value) {
  const auto object = ReadObject(env, value, "settings");
  tls::ServerSettings settings;
  if (!object || !ReadRules(*object, &settings) || !ReadTexts(*object, "alpn", &settings.alpn))
    return std::nullopt;
  const auto auth = ReadChoice(*object, "clientAuth", {"none", "optional", "required"});
  if (!auth || !ReadText(*object, "clientCa", &settings.client_ca) ||
      !ReadText(*object, "clientCrl", &settings.client_crl)) {
    return std::nullopt;
  }
  settings.client_auth = static_cast<tls::ClientAuth>(*auth);
  FieldReader reader(env, *object);
  reader.Integer("clientDepth", 0, kMostDepth, &settings.client_depth)
      .Boolean("tickets", &settings.gives_tickets)
      .Integer("sessionCache", 0, kMostSessions, &settings.session_cache)
      .Integer("earlyDataBytes", 0, kMostEarlyBytes, &settings.early_data_bytes);
  if (!reader.is_well()) return std::nullopt;
  return settings;
}

std::optional<tls::ClientSettings> ReadClientSettings(Napi::Env env, Napi::Value value) {
  const auto object = ReadObject(env, value, "settings");
  tls::ClientSettings settings;
  if (!object || !ReadRules(*object, &settings) || !ReadText(*object, "ca", &settings.ca))
    return std::nullopt;
  FieldReader reader(env, *object);
  reader.Boolean("isVerified", &settings.is_verified).Boolean("resumes", &settings.resumes);
  if (!reader.is_well()) return std::nullopt;
  const Napi::Value certificate = object->Get("certificate");
  if (certificate.IsNull()) return settings;
  auto shown = ReadCertificate(env, certificate);
  if (!shown) return std::nullopt;
  settings.has_certificate = true;
  settings.certificate = std::move(*shown);
  return settings;
}

Napi::Value CertificateObject(Napi::Env env, const tls::PeerCertificate* certificate) {
  if (certificate == nullptr) return env.Null();
  const auto object = Napi::Object::New(env);
  object.Set("subject", Napi::String::New(env, certificate->subject));
  object.Set("issuer", Napi::String::New(env, certificate->issuer));
  object.Set("serial", Napi::String::New(env, certificate->serial));
  object.Set("fingerprint", Napi::String::New(env, certificate->fingerprint));
  return object;
}

bool ReadListenerTls(Napi::Env env, Napi::Object tls, tls::ListenerTls* settings) {
  FieldReader fields(env, tls, "tls.");
  fields.Integer("handshakeTimeoutMs", 1, INT32_MAX, &settings->handshake_timeout_ms)
      .Integer("handshakes", 0, INT32_MAX, &settings->limits.handshakes)
      .Integer("handshakesPerClient", 0, INT32_MAX, &settings->limits.handshakes_per_client);
  return fields.is_well() && ReadContext(env, tls, "TlsServer", &settings->context);
}

}  // namespace sluice::binding
