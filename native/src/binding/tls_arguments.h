// Reads settings and certificates of TLS (src/engine/tls.ts) from JavaScript, and gives it what
// clients show.
#pragma once

#include <napi.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "binding/field_reader.h"
#include "tls/client_context.h"
#include "tls/listener_tls.h"
#include "tls/server_context.h"

namespace sluice::binding {

// Each returns nothing after throwing, which names the field.

std::optional<tls::Certificate> ReadCertificate(Napi::Env env, Napi::Value value);
std::optional<std::vector<tls::Certificate>> ReadCertificates(Napi::Env env, Napi::Value value);
std::optional<std::vector<tls::TicketKey>> ReadTicketKeys(Napi::Env env, Napi::Value value);
std::optional<tls::ServerSettings> ReadServerSettings(Napi::Env env, Napi::Value value);
std::optional<tls::ClientSettings> ReadClientSettings(Napi::Env env, Napi::Value value);

/// ClientCertificate of src/engine/tls.ts. @param certificate nullptr: null
Napi::Value CertificateObject(Napi::Env env, const tls::PeerCertificate* certificate);

/// The field `context` of TLS: the number of a context. @param what the class of that
/// @returns false: it has thrown
template <typename Context>
bool ReadContext(Napi::Env env, Napi::Object tls, const char* what,
                 std::shared_ptr<Context>* context) {
  int32_t number = 0;
  FieldReader fields(env, tls, "tls.");
  if (!fields.Integer("context", 1, INT32_MAX, &number).is_well()) return false;
  *context = Context::Find(number);
  if (*context != nullptr) return true;
  ThrowError(env, std::string("tls.context: there is no ") + what + ' ' + std::to_string(number));
  return false;
}

/// TLS of a listener, of either mode. @returns false: it has thrown
bool ReadListenerTls(Napi::Env env, Napi::Object tls, tls::ListenerTls* settings);

}  // namespace sluice::binding
