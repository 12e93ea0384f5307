// Stores of authorities: one for each text, as long as somebody has it.
#include "tls/authorities.h"

#include "check.h"
#include "tls_pair.h"

using sluice::tls::StoreOf;

TEST(OneTextHasOneStoreWhileSomebodyHasIt) {
  std::string error;
  const std::string ours = made::Ours().ca();
  const std::string other = made::PemOf(made::MakeAuthority("Other").certificate.get());
  auto first = StoreOf(ours, &error);
  CHECK(first != nullptr);
  CHECK(StoreOf(ours, &error) == first);
  CHECK(StoreOf(ours + other, &error) != first);
  CHECK(StoreOf("", &error) != nullptr);
  const std::weak_ptr<X509_STORE> watched = first;
  first.reset();
  CHECK(watched.expired());
  CHECK(StoreOf(ours, &error) != nullptr);
  CHECK_EQ(error, "");
}

TEST(ABadTextLeavesNothing) {
  for (int round = 0; round < 2; ++round) {
    std::string error;
    CHECK(StoreOf("nothing", &error) == nullptr);
    CHECK(!error.empty());
  }
}

TEST(ContextsThatShareAStoreVerifyEachByItsOwnRules) {
  const auto server = pair::Server();
  const auto verifying = pair::Client({.resumes = false});
  const auto trusting = pair::Client({.is_verified = false, .resumes = false});
  auto gone = pair::Client({.resumes = false});
  gone.reset();
  pair::Pair named(*server, *verifying, "a.test");
  named.ShakeHands();
  CHECK(named.is_done());
  pair::Pair wrong(*server, *verifying, "b.test");
  wrong.ShakeHands();
  CHECK_EQ(wrong.client->failure(), pair::TlsFailure::kBadCertificate);
  pair::Pair any(*server, *trusting, "b.test");
  any.ShakeHands();
  CHECK(any.is_done());
}
