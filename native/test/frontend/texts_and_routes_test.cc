// The date of answers and the text of addresses.
#include <regex>
#include <string>

#include "check.h"
#include "frontend/client_address.h"
#include "frontend/event.h"
#include "frontend/host_routes.h"
#include "frontend/http_date.h"

using namespace sluice::frontend;

TEST(date_is_an_imf_fixdate) {
  HttpDate date;
  const std::string text(date.At(1000));
  CHECK(std::regex_match(text,
                         std::regex("(Mon|Tue|Wed|Thu|Fri|Sat|Sun), [0-3][0-9] "
                                    "(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) 20[0-9]{2} "
                                    "[0-2][0-9]:[0-5][0-9]:[0-6][0-9] GMT")));
  CHECK_EQ(std::string(date.At(1000)), text);
}

TEST(address_is_dotted_ipv4_or_ipv6_or_unknown) {
  std::array<char, kAddressTextBytes> out;
  sluice::l4::PeerAddress address;
  CHECK_EQ(AddressText(address, &out), "unknown");
  address.ip = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 255};
  CHECK_EQ(AddressText(address, &out), "192.0.2.255");
  address.ip = {0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  CHECK_EQ(AddressText(address, &out), "2001:db8::1");
  address.ip = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4};
  CHECK_EQ(AddressText(address, &out), "::102:304");
  address.ip = {0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0};
  CHECK_EQ(AddressText(address, &out), "::1:0:0:1:1:0");
  address.ip = {0, 1, 0, 2, 0, 3, 0, 0, 0, 5, 0, 6, 0, 0, 0, 0};
  CHECK_EQ(AddressText(address, &out), "1:2:3:0:5:6::");
  address.ip = {0, 1, 0, 0, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 0};
  CHECK_EQ(AddressText(address, &out), "1:0:3:4:5:6:7:0");
}

TEST(prefix_matches_whole_segments) {
  CHECK(MatchesPrefix("/", "*"));
  CHECK(MatchesPrefix("/api", "/api"));
  CHECK(MatchesPrefix("/api", "/api/x"));
  CHECK(!MatchesPrefix("/api", "/apix"));
  CHECK(MatchesPrefix("/api/", "/api/x"));
  CHECK(!MatchesPrefix("/api/", "/api"));
}

TEST(host_is_unknown_until_it_is_remembered) {
  HostRoutes routes({{{"/a"}, {3}}, {{"/"}, {4}}});
  CHECK_EQ(routes.Find("one", "/a"), kUnknownHost);
  routes.Remember("one", 0);
  routes.Remember("two", 1);
  routes.Remember("three", 2);  // no such table
  CHECK_EQ(routes.Find("one", "/a/b"), 3);
  CHECK_EQ(routes.Find("one", "/b"), kNoRoute);
  CHECK_EQ(routes.Find("two", "/b"), 4);
  CHECK_EQ(routes.Find("three", "/b"), kUnknownHost);
  CHECK_EQ(routes.Find("one", "/a"), 3);
}

TEST(host_longer_than_any_name_is_not_kept) {
  HostRoutes routes({{{"/"}, {0}}});
  const std::string longest(HostRoutes::kMostHostBytes, 'a');
  routes.Remember(longest, 0);
  routes.Remember(longest + "a", 0);
  CHECK_EQ(routes.Find(longest, "/"), 0);
  CHECK_EQ(routes.Find(longest + "a", "/"), kUnknownHost);
}

TEST(hosts_are_forgotten_before_they_are_too_many) {
  HostRoutes routes({{{"/"}, {0}}});
  for (size_t host = 0; host <= HostRoutes::kMemory; ++host)
    routes.Remember("host" + std::to_string(host), 0);
  CHECK_EQ(routes.Find("host0", "/"), kUnknownHost);
  CHECK_EQ(routes.Find("host" + std::to_string(HostRoutes::kMemory), "/"), 0);
}
