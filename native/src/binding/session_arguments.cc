// Reads the settings of sessions and listening sockets.
#include "binding/session_arguments.h"

#include "binding/arguments.h"
#include "binding/errors.h"
#include "binding/field_reader.h"
#include "binding/tls_arguments.h"

namespace sluice::binding {

namespace {

constexpr int64_t kMaxNumber = INT32_MAX;
constexpr int64_t kMaxListener = 65535;
constexpr int64_t kMaxPort = 65535;
constexpr int64_t kMaxMode = 0777;

/// TLS of a listener; null: it has none.
bool ReadClientTls(Napi::Env env, Napi::Value value, tls::ListenerTls* settings) {
  if (value.IsNull()) return true;
  const auto object = ReadObject(env, value, "tls");
  return object && ReadListenerTls(env, *object, settings);
}

/// TLS to an endpoint; null: none.
bool ReadEndpointTls(Napi::Env env, Napi::Value value, l4::SessionEndpointSettings* settings) {
  if (value.IsNull()) return true;
  const auto object = ReadObject(env, value, "tls");
  if (!object) return false;
  FieldReader fields(env, *object, "tls.");
  fields.Text("serverName", &settings->tls_server_name)
      .Text("sessionKey", &settings->tls_session_key);
  return fields.is_well() && ReadContext(env, *object, "TlsClient", &settings->tls);
}

}  // namespace

std::optional<int32_t> ReadListener(Napi::Env env, Napi::Value value) {
  const auto listener = ReadInteger(env, value, "listener", 0, kMaxListener);
  if (!listener) return std::nullopt;
  return static_cast<int32_t>(*listener);
}

std::optional<int> ReadDescriptor(Napi::Env env, Napi::Value value) {
  const auto descriptor = ReadInteger(env, value, "descriptor", 0, kMaxNumber);
  if (!descriptor) return std::nullopt;
  return static_cast<int>(*descriptor);
}

std::optional<l4::SessionListenerSettings> ReadSessionListenerSettings(Napi::Env env,
                                                                       Napi::Value value) {
  const auto object = ReadObject(env, value, "settings");
  if (!object) return std::nullopt;
  l4::SessionListenerSettings settings;
  FieldReader fields(env, *object);
  fields.Integer("relay", 0, static_cast<int64_t>(l4::RelayKind::kAdaptive), &settings.relay)
      .Boolean("halfClose", &settings.half_close)
      .Integer("sessionIdleTimeoutMs", 1, kMaxNumber, &settings.session_idle_timeout_ms)
      .Integer("lingerTimeoutMs", 1, kMaxNumber, &settings.linger_timeout_ms)
      .Integer("prefaceTimeoutMs", 1, kMaxNumber, &settings.preface_timeout_ms)
      .Boolean("readsProxyHeader", &settings.reads_proxy_header)
      .Boolean("readsClientHello", &settings.reads_client_hello);
  if (!fields.is_well() || !ReadClientTls(env, object->Get("tls"), &settings.tls))
    return std::nullopt;
  return settings;
}

std::optional<l4::SessionEndpointSettings> ReadSessionEndpointSettings(Napi::Env env,
                                                                       Napi::Value value) {
  const auto object = ReadObject(env, value, "settings");
  if (!object) return std::nullopt;
  l4::SessionEndpointSettings settings;
  FieldReader fields(env, *object);
  fields.Integer("connectTimeoutMs", 1, kMaxNumber, &settings.connect_timeout_ms)
      .Integer("proxyHeader", 0, 2, &settings.proxy_header)
      .KeepAliveField("keepAlive", &settings.keep_alive);
  if (!fields.is_well() || !ReadEndpointTls(env, object->Get("tls"), &settings))
    return std::nullopt;
  return settings;
}

std::optional<l4::ListeningAddress> ReadListeningAddress(Napi::Env env, Napi::Value value) {
  const auto object = ReadObject(env, value, "address");
  if (!object) return std::nullopt;
  l4::ListeningAddress address;
  FieldReader fields(env, *object);
  const Napi::Value host = object->Get("host");
  const Napi::Value path = object->Get("path");
  if (host.IsString() && path.IsUndefined()) {
    address.host = host.As<Napi::String>().Utf8Value();
    fields.Integer("port", 0, kMaxPort, &address.port);
  } else if (path.IsString() && host.IsUndefined()) {
    address.path = path.As<Napi::String>().Utf8Value();
    fields.Integer("mode", 0, kMaxMode, &address.mode);
  } else {
    ThrowTypeError(env, "address must have either host and port, or path and mode");
    return std::nullopt;
  }
  if (!fields.is_well()) return std::nullopt;
  if (address.host.empty() && address.path.empty()) {
    ThrowTypeError(env, host.IsString() ? "host must not be empty" : "path must not be empty");
    return std::nullopt;
  }
  return address;
}

std::optional<l4::ListeningOptions> ReadListeningOptions(Napi::Env env, Napi::Value value,
                                                         bool is_unix) {
  const auto object = ReadObject(env, value, "options");
  if (!object) return std::nullopt;
  l4::ListeningOptions options;
  FieldReader fields(env, *object);
  fields.Integer("backlog", 1, kMaxNumber, &options.backlog)
      .Integer("deferAcceptS", 0, kMaxKeepAliveS, &options.defer_accept_s)
      .KeepAliveField("keepAlive", &options.keep_alive)
      .Boolean("isShared", &options.is_shared);
  if (!fields.is_well()) return std::nullopt;
  if (is_unix && options.is_shared) {
    ThrowTypeError(env, "isShared is for TCP: a UNIX socket's path has one owner");
    return std::nullopt;
  }
  return options;
}

std::optional<size_t> ReadOptionalCount(Napi::Env env, Napi::Value value, const char* what,
                                        size_t absent) {
  if (value.IsUndefined()) return absent;
  const auto count = ReadInteger(env, value, what, 1, kMaxNumber);
  if (!count) return std::nullopt;
  return static_cast<size_t>(*count);
}

std::string TextOf(const l4::ListeningAddress& address) {
  return address.host.empty() ? address.path
                              : address.host + " port " + std::to_string(address.port);
}

}  // namespace sluice::binding
