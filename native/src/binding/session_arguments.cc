// Reads the settings of sessions and listening sockets.
#include "binding/session_arguments.h"

#include "binding/arguments.h"
#include "binding/errors.h"

namespace sluice::binding {

namespace {

constexpr int64_t kMaxNumber = INT32_MAX;
constexpr int64_t kMaxListener = 65535;
constexpr int64_t kMaxPort = 65535;
constexpr int64_t kMaxMode = 0777;
/// The kernel's own bounds (MAX_TCP_KEEPIDLE, MAX_TCP_KEEPINTVL, MAX_TCP_KEEPCNT).
constexpr int64_t kMaxKeepAliveS = 32767;
constexpr int64_t kMaxKeepAliveProbes = 127;

std::optional<Napi::Object> ReadObject(Napi::Env env, Napi::Value value, const char* what) {
  if (value.IsObject()) return value.As<Napi::Object>();
  ThrowTypeError(env, std::string(what) + " must be an object");
  return std::nullopt;
}

/// Fields of one object, read one after the other; the first that is wrong throws, and the rest is
/// not looked at.
class FieldReader {
 public:
  FieldReader(Napi::Env env, Napi::Object object, std::string prefix = "")
      : env_(env), object_(object), prefix_(std::move(prefix)) {}

  template <typename Number>
  FieldReader& Integer(const char* name, int64_t least, int64_t most, Number* place) {
    if (!is_well_) return *this;
    const std::string what = prefix_ + name;
    const auto number = ReadInteger(env_, object_.Get(name), what.c_str(), least, most);
    if (number) *place = static_cast<Number>(*number);
    is_well_ = number.has_value();
    return *this;
  }

  FieldReader& Boolean(const char* name, bool* place) {
    if (!is_well_) return *this;
    const std::string what = prefix_ + name;
    const auto read = ReadBoolean(env_, object_.Get(name), what.c_str());
    if (read) *place = *read;
    is_well_ = read.has_value();
    return *this;
  }

  FieldReader& KeepAliveField(const char* name, KeepAlive* place) {
    if (!is_well_) return *this;
    const auto object = ReadObject(env_, object_.Get(name), name);
    is_well_ = object.has_value();
    if (!object) return *this;
    FieldReader inner(env_, *object, std::string(name) + ".");
    inner.Integer("idleS", 0, kMaxKeepAliveS, &place->idle_s);
    if (place->idle_s > 0) {
      inner.Integer("intervalS", 1, kMaxKeepAliveS, &place->interval_s)
          .Integer("probes", 1, kMaxKeepAliveProbes, &place->probes);
    }
    is_well_ = inner.is_well_;
    return *this;
  }

  bool is_well() const { return is_well_; }

 private:
  Napi::Env env_;
  Napi::Object object_;
  std::string prefix_;
  bool is_well_ = true;
};

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
  if (!fields.is_well()) return std::nullopt;
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
  if (!fields.is_well()) return std::nullopt;
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
