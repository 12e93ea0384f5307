// The calls of the class `FrontEnd` that tell of TLS and HTTP/2.
#include <array>

#include "binding/arguments.h"
#include "binding/counters.h"
#include "binding/front_end_wrap.h"
#include "binding/session_arguments.h"
#include "binding/tls_arguments.h"

namespace sluice::binding {

Napi::Value FrontEndWrap::ClientCertificate(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto exchange =
      ReadInteger(env, info[0], "exchange", frontend::kFirstExchange, upstream::kMaxExchanges - 1);
  if (!exchange) return {};
  return CertificateObject(env, front_end_->ClientCertificate(static_cast<int32_t>(*exchange)));
}

Napi::Value FrontEndWrap::Handshakes(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto listener = ReadListener(env, info[0]);
  if (!listener) return {};
  return ArrayOf(env, front_end_->counts(*listener).handshakes.ends);
}

Napi::Value FrontEndWrap::Http2Streams(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto listener = ReadListener(env, info[0]);
  if (!listener) return {};
  const frontend::ListenerCounts counts = front_end_->counts(*listener);
  return ArrayOf(env, std::array{counts.http2_streams, counts.refused_streams});
}

}  // namespace sluice::binding
