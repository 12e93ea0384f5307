// Reads the settings of the front end.
#include "binding/front_end_arguments.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "binding/arguments.h"
#include "binding/errors.h"
#include "binding/field_reader.h"
#include "binding/tls_arguments.h"
#include "frontend/added_fields.h"
#include "http1/bytes.h"

namespace sluice::binding {

namespace {

constexpr int64_t kMaxNumber = INT32_MAX;
constexpr int64_t kMaxSafeInteger = (int64_t{1} << 53) - 1;
/// The front end leaves room for one such head in the arena before it reads.
constexpr int64_t kMaxHeadBytes = frontend::FrontEnd::kMaxHeadBytes;
constexpr size_t kRequestIdPrefixDigits = 24;
constexpr std::string_view kHstsField = "strict-transport-security";
/// With its name it has room in what http1::kAnswerExtraBytes stands for.
constexpr size_t kMostHstsBytes = 200;

std::nullopt_t Refuse(Napi::Env env, const std::string& sentence) {
  ThrowTypeError(env, sentence);
  return std::nullopt;
}

/// @param name of the table, for the sentence of an error
std::optional<frontend::HostTable> ReadHostTable(Napi::Env env, Napi::Value value,
                                                 const std::string& name) {
  const auto object = ReadObject(env, value, name.c_str());
  if (!object) return std::nullopt;
  const Napi::Value paths = object->Get("paths");
  const Napi::Value routes = object->Get("routes");
  if (!paths.IsArray() || !routes.IsArray() ||
      paths.As<Napi::Array>().Length() != routes.As<Napi::Array>().Length()) {
    return Refuse(env, name + " must have paths and routes, two arrays of the same length");
  }
  frontend::HostTable table;
  for (uint32_t place = 0; place < paths.As<Napi::Array>().Length(); ++place) {
    const std::string path_name = name + ".paths[" + std::to_string(place) + "]";
    auto path = ReadLatin1(env, paths.As<Napi::Array>().Get(place), path_name.c_str());
    if (!path) return std::nullopt;
    if (path->empty() || path->front() != '/') return Refuse(env, path_name + " must begin with /");
    const std::string route_name = name + ".routes[" + std::to_string(place) + "]";
    const auto route =
        ReadInteger(env, routes.As<Napi::Array>().Get(place), route_name.c_str(), 0, kMaxNumber);
    if (!route) return std::nullopt;
    table.paths.push_back(std::move(*path));
    table.routes.push_back(static_cast<int32_t>(*route));
  }
  return table;
}

std::optional<std::vector<frontend::HostTable>> ReadHostTables(Napi::Env env, Napi::Value value) {
  if (!value.IsArray()) return Refuse(env, "hostTables must be an array");
  const auto array = value.As<Napi::Array>();
  std::vector<frontend::HostTable> tables;
  for (uint32_t place = 0; place < array.Length(); ++place) {
    auto table = ReadHostTable(env, array.Get(place), "hostTables[" + std::to_string(place) + "]");
    if (!table) return std::nullopt;
    tables.push_back(std::move(*table));
  }
  return tables;
}

/// @returns nothing where a TypeError has been thrown
std::optional<frontend::TlsSettings> ReadTls(Napi::Env env, Napi::Value value) {
  frontend::TlsSettings settings;
  if (value.IsNull() || value.IsUndefined()) return settings;
  const auto object = ReadObject(env, value, "tls");
  if (!object) return std::nullopt;
  FieldReader fields(env, *object, "tls.");
  fields.Text("subjectField", &settings.subject_field)
      .Text("fingerprintField", &settings.fingerprint_field);
  if (!fields.is_well() || !ReadListenerTls(env, *object, &settings)) return std::nullopt;
  settings.is_on = true;
  return settings;
}

/// Burst and rate of `name`.
bool ReadRate(Napi::Env env, Napi::Object http2, const char* name, http2::Rate* rate) {
  const auto object = ReadObject(env, http2.Get(name), name);
  if (!object) return false;
  FieldReader fields(env, *object, std::string("http2.") + name + ".");
  fields.Integer("burst", 1, kMaxNumber, &rate->burst)
      .Integer("perSecond", 1, kMaxNumber, &rate->per_second);
  return fields.is_well();
}

/// @returns false: it has thrown
bool ReadHttp2(Napi::Env env, Napi::Value value, frontend::Http2Settings* settings) {
  const auto object = ReadObject(env, value, "http2");
  if (!object) return false;
  http2::ServerLimits& limits = settings->limits;
  FieldReader fields(env, *object, "http2.");
  fields.Boolean("isClearText", &settings->is_clear_text)
      .Integer("streams", 1, kMaxNumber, &limits.streams)
      .Integer("streamWindowBytes", 1, kMaxNumber, &limits.stream_window_bytes)
      .Integer("connectionWindowBytes", http2::kLeastConnectionWindowBytes, kMaxNumber,
               &limits.connection_window_bytes)
      .Integer("continuations", 1, kMaxNumber, &limits.continuations)
      .Integer("ackTimeoutMs", 0, kMaxNumber, &limits.ack_timeout_ms);
  return fields.is_well() && ReadRate(env, *object, "resets", &limits.resets) &&
         ReadRate(env, *object, "controlFrames", &limits.control_frames);
}

}  // namespace

std::optional<frontend::ListenerSettings> ReadFrontEndListenerSettings(Napi::Env env,
                                                                       Napi::Value value) {
  const auto object = ReadObject(env, value, "settings");
  if (!object) return std::nullopt;
  frontend::ListenerSettings settings;
  std::string hsts;
  FieldReader fields(env, *object);
  fields.Text("scheme", &settings.scheme)
      .Integer("headBytes", 1, kMaxHeadBytes, &settings.head_bytes)
      .Integer("targetBytes", 1, kMaxHeadBytes, &settings.target_bytes)
      .Integer("headers", 1, kMaxNumber, &settings.headers)
      .Integer("bodyBytes", 0, kMaxSafeInteger, &settings.body_bytes)
      .Integer("requestHeadTimeoutMs", 1, kMaxNumber, &settings.request_head_timeout_ms)
      .Integer("bodyIdleTimeoutMs", 1, kMaxNumber, &settings.body_idle_timeout_ms)
      .Integer("minBodyRate", 0, kMaxNumber, &settings.min_body_rate)
      .Integer("keepAliveTimeoutMs", 1, kMaxNumber, &settings.keep_alive_timeout_ms)
      .Integer("requestsPerConnection", 0, kMaxNumber, &settings.requests_per_connection)
      .Integer("writeStallTimeoutMs", 1, kMaxNumber, &settings.write_stall_timeout_ms)
      .Integer("tunnelIdleTimeoutMs", 1, kMaxNumber, &settings.tunnel_idle_timeout_ms)
      .Integer("prefaceTimeoutMs", 1, kMaxNumber, &settings.preface_timeout_ms)
      .Boolean("readsProxyHeader", &settings.reads_proxy_header)
      .Text("hsts", &hsts);
  if (!fields.is_well()) return std::nullopt;
  if (settings.scheme != "http" && settings.scheme != "https") {
    return Refuse(env, "scheme must be 'http' or 'https', not '" + settings.scheme + "'");
  }
  if (settings.target_bytes > settings.head_bytes) {
    return Refuse(env, "targetBytes must not be above headBytes");
  }
  if (!hsts.empty()) {
    if (!frontend::AddedFields::IsAllowed(kHstsField, hsts) || hsts.size() > kMostHstsBytes) {
      return Refuse(env, "hsts must be at most 200 bytes of printable ASCII");
    }
    settings.hsts_line = std::string(kHstsField) + ": " + hsts + "\r\n";
  }
  auto tls = ReadTls(env, object->Get("tls"));
  if (!tls) return std::nullopt;
  settings.tls = std::move(*tls);
  if (!ReadHttp2(env, object->Get("http2"), &settings.http2)) return std::nullopt;
  auto tables = ReadHostTables(env, object->Get("hostTables"));
  if (!tables) return std::nullopt;
  settings.host_tables = std::move(*tables);
  return settings;
}

std::optional<frontend::FrontEndIdentity> ReadFrontEndIdentity(Napi::Env env,
                                                               Napi::Object options) {
  frontend::FrontEndIdentity identity;
  FieldReader fields(env, options, "FrontEnd: ");
  fields.Text("viaName", &identity.via_name).Text("requestIdPrefix", &identity.request_id_prefix);
  if (!fields.is_well()) return std::nullopt;
  const std::string& via = identity.via_name;
  if (via.empty() || !std::all_of(via.begin(), via.end(), http1::IsTokenByte)) {
    return Refuse(env, "FrontEnd: viaName must be a token (RFC 9110 section 5.6.2)");
  }
  const std::string& prefix = identity.request_id_prefix;
  const auto is_digit = [](char digit) {
    return (digit >= '0' && digit <= '9') || (digit >= 'a' && digit <= 'f');
  };
  if (prefix.size() != kRequestIdPrefixDigits ||
      !std::all_of(prefix.begin(), prefix.end(), is_digit)) {
    return Refuse(env, "FrontEnd: requestIdPrefix must be 24 hexadecimal digits in lower case");
  }
  return identity;
}

}  // namespace sluice::binding
