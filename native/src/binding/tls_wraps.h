// The classes `TlsServer` and `TlsClient` and the call `tlsSupport` that JavaScript sees
// (src/engine/tls.ts).
#pragma once

#include <napi.h>

#include <memory>

#include "tls/client_context.h"
#include "tls/server_context.h"

namespace sluice::binding {

/// Puts all three into what the addon exports.
void ExportTls(Napi::Env env, Napi::Object exports);

/// Keeps a context findable by its number until close() or its collection.
class TlsServerWrap final : public Napi::ObjectWrap<TlsServerWrap> {
 public:
  static Napi::Function Define(Napi::Env env);
  explicit TlsServerWrap(const Napi::CallbackInfo& info);

 private:
  // The members of `TlsServer`.
  Napi::Value Number(const Napi::CallbackInfo& info);
  void SetCertificates(const Napi::CallbackInfo& info);
  void SetTicketKeys(const Napi::CallbackInfo& info);
  void SetChallenge(const Napi::CallbackInfo& info);
  void DropChallenge(const Napi::CallbackInfo& info);
  void Close(const Napi::CallbackInfo& info);

  /// @returns nullptr after throwing: it is closed
  tls::ServerContext* Open(Napi::Env env);

  std::shared_ptr<tls::ServerContext> context_;
  int32_t number_ = 0;
};

/// The same for endpoints.
class TlsClientWrap final : public Napi::ObjectWrap<TlsClientWrap> {
 public:
  static Napi::Function Define(Napi::Env env);
  explicit TlsClientWrap(const Napi::CallbackInfo& info);

 private:
  // The members of `TlsClient`.
  Napi::Value Number(const Napi::CallbackInfo& info);
  void Replace(const Napi::CallbackInfo& info);
  void Close(const Napi::CallbackInfo& info);

  std::shared_ptr<tls::ClientContext> context_;
  int32_t number_ = 0;
};

}  // namespace sluice::binding
