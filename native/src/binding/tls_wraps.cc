// What of TLS JavaScript sees: contexts, and whether there are any.
#include "binding/tls_wraps.h"

#include <string>
#include <vector>

#include "binding/arguments.h"
#include "binding/errors.h"
#include "binding/tls_arguments.h"
#include "http2/nghttp2_needs.h"
#include "tls/openssl_needs.h"

namespace sluice::binding {

namespace {

/// @returns true after throwing: this Node lacks what TLS needs, and nothing of it may be called
bool ThrowWhereMissing(Napi::Env env) {
  const std::vector<std::string> missing = NamesOfMissing(tls::NeededFunctions());
  if (missing.empty()) return false;
  ThrowError(env, "this Node does not export " + missing.front() + ", which TLS needs");
  return true;
}

/// @returns true where nothing was wrong; else it has thrown
bool ThrowUnlessEmpty(Napi::Env env, const std::string& error) {
  if (!error.empty()) ThrowError(env, error);
  return error.empty();
}

Napi::Value TlsSupportCall(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  std::vector<std::string> missing = NamesOfMissing(tls::NeededFunctions());
  const bool has_tls = missing.empty();
  const std::vector<std::string> of_http2 = NamesOfMissing(http2::NeededFunctions());
  missing.insert(missing.end(), of_http2.begin(), of_http2.end());
  const auto names = Napi::Array::New(env, missing.size());
  for (size_t place = 0; place < missing.size(); ++place) {
    names.Set(static_cast<uint32_t>(place), missing[place]);
  }
  const auto support = Napi::Object::New(env);
  // nghttp2 does not say its version where Node exports it; Node does.
  const Napi::Value process = env.Global().Get("process");
  const Napi::Value versions =
      process.IsObject() ? process.As<Napi::Object>().Get("versions") : env.Undefined();
  const Napi::Value nghttp2 =
      versions.IsObject() ? versions.As<Napi::Object>().Get("nghttp2") : env.Undefined();
  const bool has_http2 = of_http2.empty() && nghttp2.IsString();
  support.Set("tls",
              has_tls ? Napi::Value(Napi::String::New(env, tls::LibraryName())) : env.Null());
  support.Set("http2", has_http2 ? nghttp2 : env.Null());
  support.Set("missing", names);
  return support;
}

}  // namespace

void ExportTls(Napi::Env env, Napi::Object exports) {
  exports.Set("TlsServer", TlsServerWrap::Define(env));
  exports.Set("TlsClient", TlsClientWrap::Define(env));
  exports.Set("tlsSupport", Napi::Function::New<TlsSupportCall>(env, "tlsSupport"));
}

Napi::Function TlsServerWrap::Define(Napi::Env env) {
  return DefineClass(env, "TlsServer",
                     {
                         InstanceAccessor<&TlsServerWrap::Number>("number"),
                         InstanceMethod<&TlsServerWrap::SetCertificates>("setCertificates"),
                         InstanceMethod<&TlsServerWrap::SetTicketKeys>("setTicketKeys"),
                         InstanceMethod<&TlsServerWrap::SetChallenge>("setChallenge"),
                         InstanceMethod<&TlsServerWrap::DropChallenge>("dropChallenge"),
                         InstanceMethod<&TlsServerWrap::Close>("close"),
                     });
}

TlsServerWrap::TlsServerWrap(const Napi::CallbackInfo& info) : ObjectWrap(info) {
  const Napi::Env env = info.Env();
  if (ThrowWhereMissing(env)) return;
  const auto settings = ReadServerSettings(env, info[0]);
  if (!settings) return;
  std::string error;
  context_ = tls::ServerContext::Make(*settings, &error);
  if (context_ != nullptr) number_ = context_->number();
  ThrowUnlessEmpty(env, error);
}

tls::ServerContext* TlsServerWrap::Open(Napi::Env env) {
  if (context_ == nullptr) ThrowError(env, "the context is closed");
  return context_.get();
}

Napi::Value TlsServerWrap::Number(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), number_);
}

void TlsServerWrap::SetCertificates(const Napi::CallbackInfo& info) {
  const auto certificates = ReadCertificates(info.Env(), info[0]);
  if (!certificates || Open(info.Env()) == nullptr) return;
  ThrowUnlessEmpty(info.Env(), context_->SetCertificates(*certificates));
}

void TlsServerWrap::SetTicketKeys(const Napi::CallbackInfo& info) {
  const auto keys = ReadTicketKeys(info.Env(), info[0]);
  if (keys && Open(info.Env()) != nullptr) context_->SetTicketKeys(*keys);
}

void TlsServerWrap::SetChallenge(const Napi::CallbackInfo& info) {
  const auto name = ReadUtf8(info.Env(), info[0], "setChallenge: name");
  if (!name) return;
  const auto certificate = ReadCertificate(info.Env(), info[1]);
  if (!certificate || Open(info.Env()) == nullptr) return;
  ThrowUnlessEmpty(info.Env(), context_->SetChallenge(*name, *certificate));
}

void TlsServerWrap::DropChallenge(const Napi::CallbackInfo& info) {
  const auto name = ReadUtf8(info.Env(), info[0], "dropChallenge: name");
  if (name && Open(info.Env()) != nullptr) context_->DropChallenge(*name);
}

void TlsServerWrap::Close(const Napi::CallbackInfo&) {
  if (context_ != nullptr) context_->Withdraw();
  context_.reset();
}

Napi::Function TlsClientWrap::Define(Napi::Env env) {
  return DefineClass(env, "TlsClient",
                     {
                         InstanceAccessor<&TlsClientWrap::Number>("number"),
                         InstanceMethod<&TlsClientWrap::Replace>("replace"),
                         InstanceMethod<&TlsClientWrap::Close>("close"),
                     });
}

TlsClientWrap::TlsClientWrap(const Napi::CallbackInfo& info) : ObjectWrap(info) {
  const Napi::Env env = info.Env();
  if (ThrowWhereMissing(env)) return;
  const auto settings = ReadClientSettings(env, info[0]);
  if (!settings) return;
  std::string error;
  context_ = tls::ClientContext::Make(*settings, &error);
  if (context_ != nullptr) number_ = context_->number();
  ThrowUnlessEmpty(env, error);
}

Napi::Value TlsClientWrap::Number(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), number_);
}

void TlsClientWrap::Replace(const Napi::CallbackInfo& info) {
  const auto settings = ReadClientSettings(info.Env(), info[0]);
  if (!settings) return;
  if (context_ == nullptr) return ThrowError(info.Env(), "the context is closed");
  ThrowUnlessEmpty(info.Env(), context_->Replace(*settings));
}

void TlsClientWrap::Close(const Napi::CallbackInfo&) {
  if (context_ != nullptr) context_->Withdraw();
  context_.reset();
}

}  // namespace sluice::binding
