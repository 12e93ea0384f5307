// What we use of OpenSSL, the TLS library inside the node binary; its headers come with Node's.
//
// The only file that includes them: whoever calls a function names it in openssl_functions.inc.
#pragma once

// Weak: the addon loads on a Node that lacks one, and says so (tls/openssl_needs.h).
#define SLUICE_QUOTED(text) #text
#define SLUICE_PRAGMA(text) _Pragma(SLUICE_QUOTED(text))
#define SLUICE_NEEDED_FUNCTION(name) SLUICE_PRAGMA(weak name)
#include "tls/openssl_functions.inc"
#undef SLUICE_NEEDED_FUNCTION
#undef SLUICE_PRAGMA
#undef SLUICE_QUOTED

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
