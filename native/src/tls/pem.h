// Reads certificates, keys, authorities and revocation lists from PEM text.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tls/handles.h"
#include "tls/server_context.h"

namespace sluice::tls {

/// A certificate that a side shows, with its key, which is its own.
struct LoadedCertificate {
  X509Handle leaf;
  std::vector<X509Handle> chain;  // without the leaf
  KeyHandle key;
  std::string ocsp;
  /// Lower case: those of the settings, else the DNS names of the certificate, else its common
  /// name.
  std::vector<std::string> names;

  /// Those of different types can stand side by side: an EVP_PKEY_ number.
  int key_type() const { return EVP_PKEY_get_base_id(key.get()); }
};

/// @returns what is wrong with it, "" when nothing is
std::string LoadCertificate(const Certificate& certificate, LoadedCertificate* loaded);

/// Shows a certificate, beside those of other key types. @returns what is wrong, or ""
std::string UseCertificate(SSL_CTX* context, const LoadedCertificate& certificate);

/// @returns all of a text, which may hold other things between them. Empty where there is none, or
/// one cannot be read: see `error`
std::vector<X509Handle> ReadCertificates(std::string_view pem, std::string* error);

/// A store that believes these authorities, and no certificate of these lists.
/// @param crl empty: no lists
/// @returns nullptr: `error` says what is wrong
StoreHandle MakeStore(std::string_view authorities, std::string_view crl, std::string* error);

/// @returns `text` with A to Z as a to z
std::string LowerCase(std::string_view text);

}  // namespace sluice::tls
