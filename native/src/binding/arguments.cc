// Reads arguments of calls from JavaScript.
#include "binding/arguments.h"

#include <algorithm>
#include <utility>

namespace sluice::binding {

namespace {

constexpr int64_t kMaxNumber = std::numeric_limits<int32_t>::max();

}  // namespace

std::optional<bool> ReadBoolean(napi_env env, napi_value value, const char* what) {
  bool is_true = false;
  if (napi_get_value_bool(env, value, &is_true) == napi_ok) return is_true;
  ThrowTypeError(env, std::string(what) + " must be a boolean");
  return std::nullopt;
}

std::optional<std::string_view> ReadBytes(napi_env env, napi_value value, const char* what) {
  void* data = nullptr;
  size_t bytes = 0;
  bool is_array_buffer = false;
  if (napi_is_arraybuffer(env, value, &is_array_buffer) == napi_ok && is_array_buffer &&
      napi_get_arraybuffer_info(env, value, &data, &bytes) == napi_ok) {
    return std::string_view(static_cast<const char*>(data), bytes);
  }
  bool is_typed_array = false;
  napi_typedarray_type type = napi_uint8_array;
  napi_is_typedarray(env, value, &is_typed_array);
  if (is_typed_array &&
      napi_get_typedarray_info(env, value, &type, &bytes, &data, nullptr, nullptr) == napi_ok &&
      type == napi_uint8_array) {
    return std::string_view(static_cast<const char*>(data), bytes);
  }
  const std::string sentence = std::string(what) + " must be an ArrayBuffer or a Uint8Array";
  ThrowTypeError(env, sentence);
  return std::nullopt;
}

std::optional<std::string> ReadLatin1(napi_env env, napi_value value, const char* what) {
  // By way of UTF-16: Node would cut other characters down to a byte, and U+010A to a line feed.
  size_t length = 0;
  if (napi_get_value_string_utf16(env, value, nullptr, 0, &length) != napi_ok) {
    ThrowTypeError(env, std::string(what) + " must be a string");
    return std::nullopt;
  }
  std::u16string units(length, u'\0');
  napi_get_value_string_utf16(env, value, units.data(), length + 1, &length);
  std::string text(length, '\0');
  for (size_t at = 0; at < length; ++at) {
    if (units[at] > 0xff) {
      ThrowTypeError(env, std::string(what) + " must hold characters up to U+00FF only");
      return std::nullopt;
    }
    text[at] = static_cast<char>(units[at]);
  }
  return text;
}

std::optional<std::string> ReadUtf8(napi_env env, napi_value value, const char* what) {
  size_t length = 0;
  if (napi_get_value_string_utf8(env, value, nullptr, 0, &length) != napi_ok) {
    ThrowTypeError(env, std::string(what) + " must be a string");
    return std::nullopt;
  }
  std::string text(length, '\0');
  napi_get_value_string_utf8(env, value, text.data(), length + 1, &length);
  return text;
}

std::optional<std::vector<Address>> ReadAddresses(Napi::Env env, Napi::Value value) {
  std::vector<Address> addresses;
  if (value.IsArray()) {
    const auto array = value.As<Napi::Array>();
    for (uint32_t index = 0; index < array.Length(); ++index) {
      const Napi::Value element = array.Get(index);
      const std::string text =
          element.IsString() ? element.As<Napi::String>().Utf8Value() : std::string("(no text)");
      const auto address = Address::Parse(text);
      if (!address) {
        ThrowTypeError(
            env, "not an address: '" + text + "' (wanted: a.b.c.d:port, [v6]:port or unix:/path)");
        return std::nullopt;
      }
      addresses.push_back(*address);
    }
  }
  if (addresses.empty()) {
    ThrowTypeError(env, "addresses must be an array of at least one address");
    return std::nullopt;
  }
  return addresses;
}

namespace {

/// How a pool speaks to its endpoint: TLS, protocol, and the settings of HTTP/2.
/// @returns false after throwing
bool ReadSpeech(Napi::Env env, const Napi::Object& object, upstream::PoolSettings* settings) {
  const Napi::Value context = object.Get("tlsContext");
  if (!context.IsUndefined()) {
    const auto number = ReadInteger(env, context, "tlsContext", upstream::kNoTls, kMaxNumber);
    if (!number) return false;
    settings->tls_context = static_cast<int32_t>(*number);
  }
  const Napi::Value protocol = object.Get("protocol");
  if (!protocol.IsUndefined()) {
    const auto number = ReadInteger(env, protocol, "protocol", 0,
                                    static_cast<int64_t>(upstream::EndpointProtocol::kAuto));
    if (!number) return false;
    settings->protocol = static_cast<upstream::EndpointProtocol>(*number);
  }
  const Napi::Value server_name = object.Get("serverName");
  if (!server_name.IsUndefined()) {
    auto name = ReadUtf8(env, server_name, "serverName");
    if (!name) return false;
    settings->server_name = std::move(*name);
  }
  const Napi::Value http2 = object.Get("http2");
  if (http2.IsUndefined()) return true;
  if (!http2.IsObject()) {
    ThrowTypeError(env, "http2 must be an object");
    return false;
  }
  const std::pair<const char*, uint32_t*> fields[] = {
      {"streams", &settings->http2_streams},
      {"streamWindowBytes", &settings->http2_stream_window_bytes},
      {"connectionWindowBytes", &settings->http2_connection_window_bytes},
      {"pingMs", &settings->http2_ping_ms},
  };
  for (const auto& [name, place] : fields) {
    const auto number = ReadInteger(env, http2.As<Napi::Object>().Get(name), name, 0, kMaxNumber);
    if (!number) return false;
    *place = static_cast<uint32_t>(*number);
  }
  return true;
}

}  // namespace

std::optional<upstream::PoolSettings> ReadPoolSettings(Napi::Env env, Napi::Value value) {
  if (!value.IsObject()) {
    ThrowTypeError(env, "settings must be an object");
    return std::nullopt;
  }
  upstream::PoolSettings settings;
  struct Field {
    const char* name;
    uint32_t* place;
    int64_t least;
    int64_t most;
  };
  const Field fields[] = {
      {"connectTimeoutMs", &settings.connect_timeout_ms, 1, kMaxNumber},
      {"firstByteTimeoutMs", &settings.first_byte_timeout_ms, 1, kMaxNumber},
      {"idleTimeoutMs", &settings.idle_timeout_ms, 1, kMaxNumber},
      {"keepAliveIdleMs", &settings.keep_alive_idle_ms, 1, kMaxNumber},
      {"maxIdle", &settings.max_idle, 0, kMaxNumber},
      {"maxConnections", &settings.max_connections, 0, kMaxNumber},
      {"responseHeadBytes", &settings.response_head_bytes, 1, upstream::kMaxResponseHeadBytes},
      {"responseHeaders", &settings.response_headers, 1, kMaxNumber},
  };
  const auto object = value.As<Napi::Object>();
  for (const Field& field : fields) {
    const auto number =
        ReadInteger(env, object.Get(field.name), field.name, field.least, field.most);
    if (!number) return std::nullopt;
    *field.place = static_cast<uint32_t>(*number);
  }
  const Napi::Value takes_reports = object.Get("takesReports");
  if (!takes_reports.IsUndefined()) {
    const auto takes = ReadBoolean(env, takes_reports, "takesReports");
    if (!takes) return std::nullopt;
    settings.takes_reports = *takes;
  }
  if (!ReadSpeech(env, object, &settings)) return std::nullopt;
  return settings;
}

std::optional<upstream::AttemptProfile> ReadAttemptProfile(Napi::Env env, Napi::Value value) {
  if (!value.IsObject()) {
    ThrowTypeError(env, "profile settings must be an object");
    return std::nullopt;
  }
  upstream::AttemptProfile profile;
  struct Time {
    const char* name;
    uint32_t* place;
  };
  const Time times[] = {
      {"connectTimeoutMs", &profile.connect_timeout_ms},
      {"firstByteTimeoutMs", &profile.first_byte_timeout_ms},
      {"idleTimeoutMs", &profile.idle_timeout_ms},
      {"attemptTimeoutMs", &profile.attempt_timeout_ms},
  };
  const auto object = value.As<Napi::Object>();
  for (const Time& time : times) {
    const auto number = ReadInteger(env, object.Get(time.name), time.name, 0, kMaxNumber);
    if (!number) return std::nullopt;
    *time.place = static_cast<uint32_t>(*number);
  }
  const auto held_bytes = ReadInteger(env, object.Get("heldBodyBytes"), "heldBodyBytes",
                                      upstream::kHoldsNothing, kMaxNumber);
  if (!held_bytes) return std::nullopt;
  profile.held_body_bytes = *held_bytes;
  const Napi::Value statuses = object.Get("askedStatuses");
  if (!statuses.IsArray()) {
    ThrowTypeError(env, "askedStatuses must be an array");
    return std::nullopt;
  }
  const auto array = statuses.As<Napi::Array>();
  for (uint32_t index = 0; index < array.Length(); ++index) {
    const auto status = ReadInteger(env, array.Get(index), "askedStatuses", 200, 599);
    if (!status) return std::nullopt;
    profile.asked_statuses.push_back(static_cast<int32_t>(*status));
  }
  std::sort(profile.asked_statuses.begin(), profile.asked_statuses.end());
  return profile;
}

}  // namespace sluice::binding
