// Ownership of OpenSSL's objects.
#pragma once

#include <memory>

#include "tls/openssl.h"

namespace sluice::tls {

template <auto kFree>
struct FreedBy {
  template <typename Object>
  void operator()(Object* object) const {
    kFree(object);
  }
};

using SslHandle = std::unique_ptr<SSL, FreedBy<SSL_free>>;
using SslContextHandle = std::unique_ptr<SSL_CTX, FreedBy<SSL_CTX_free>>;
using SessionHandle = std::unique_ptr<SSL_SESSION, FreedBy<SSL_SESSION_free>>;
using BioHandle = std::unique_ptr<BIO, FreedBy<BIO_free>>;
using KeyHandle = std::unique_ptr<EVP_PKEY, FreedBy<EVP_PKEY_free>>;
using X509Handle = std::unique_ptr<X509, FreedBy<X509_free>>;
using CrlHandle = std::unique_ptr<X509_CRL, FreedBy<X509_CRL_free>>;
using StoreHandle = std::unique_ptr<X509_STORE, FreedBy<X509_STORE_free>>;
using CipherHandle = std::unique_ptr<EVP_CIPHER, FreedBy<EVP_CIPHER_free>>;

}  // namespace sluice::tls
