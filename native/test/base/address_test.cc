// Addresses as a configuration or a resolver writes them.
#include "base/address.h"

#include <netinet/in.h>
#include <sys/un.h>

#include <string>

#include "check.h"

namespace {

using sluice::Address;

TEST(ReadsIpv4) {
  const auto address = Address::Parse("192.0.2.7:8080");
  CHECK(address.has_value());
  if (!address) return;
  const auto* in4 = reinterpret_cast<const sockaddr_in*>(address->get());
  CHECK_EQ(address->family(), AF_INET);
  CHECK_EQ(ntohs(in4->sin_port), 8080);
  CHECK_EQ(ntohl(in4->sin_addr.s_addr), 0xc0000207u);
  CHECK_EQ(address->size(), sizeof(sockaddr_in));
}

TEST(ReadsIpv6) {
  const auto address = Address::Parse("[2001:db8::1]:443");
  CHECK(address.has_value());
  if (!address) return;
  const auto* in6 = reinterpret_cast<const sockaddr_in6*>(address->get());
  CHECK_EQ(address->family(), AF_INET6);
  CHECK_EQ(ntohs(in6->sin6_port), 443);
  CHECK_EQ(in6->sin6_addr.s6_addr[15], 1);
}

TEST(ReadsAZone) {
  const auto address = Address::Parse("[fe80::1%lo]:80");
  CHECK(address.has_value());
  if (address) CHECK_EQ(reinterpret_cast<const sockaddr_in6*>(address->get())->sin6_scope_id, 1);
}

TEST(ReadsUnixSockets) {
  const auto path = Address::Parse("unix:/run/app.sock");
  CHECK(path && path->is_unix());
  if (path) {
    CHECK_EQ(std::string(reinterpret_cast<const sockaddr_un*>(path->get())->sun_path),
             "/run/app.sock");
  }
  const auto abstract = Address::Parse("unix:@app");
  CHECK(abstract && abstract->is_unix());
  if (abstract) CHECK(reinterpret_cast<const sockaddr_un*>(abstract->get())->sun_path[0] == '\0');
}

TEST(RefusesWhatIsNoAddress) {
  for (const char* text :
       {"", ":", ":80", "localhost:80", "1.2.3.4", "1.2.3.4:", "1.2.3.4:0", "1.2.3.4:65536",
        "1.2.3.4:-1", "1.2.3.4:80x", "1.2.3:80", "[::1]", "[::1]:", "::1:80", "[]:80", "[::g]:80",
        "[::1%nosuchzone]:80", "unix:", "unix:@"}) {
    if (Address::Parse(text)) check::Fail(__FILE__, __LINE__, std::string("accepted: ") + text);
  }
  CHECK(!Address::Parse("unix:/" + std::string(200, 'x')));
}

TEST(ComparesByValue) {
  CHECK(*Address::Parse("1.2.3.4:80") == *Address::Parse("1.2.3.4:80"));
  CHECK(!(*Address::Parse("1.2.3.4:80") == *Address::Parse("1.2.3.4:81")));
  CHECK(!(*Address::Parse("unix:/a") == *Address::Parse("unix:/ab")));
}

}  // namespace
