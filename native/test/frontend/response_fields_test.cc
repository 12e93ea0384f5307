// Fields that the proxy adds to answers: on the wire, over attempts, and gone with their exchange.
#include <string>

#include "check.h"
#include "frontend/front_end_rig.h"

using namespace front_end_rig;

namespace {

constexpr std::string_view kGet = "GET / HTTP/1.1\r\nhost: h\r\n\r\n";
constexpr std::string_view kCookie = "a=b; Path=/";
constexpr std::string_view kCookieLine = "set-cookie: a=b; Path=/\r\n";

bool Holds(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

/// Adds kCookie to every request's answer.
void AddCookies(Rig* rig) {
  rig->decide = [rig](const Seen& seen) {
    if (seen.type == EventType::kRequest)
      CHECK((*rig)->AddResponseField(seen.number, "set-cookie", kCookie));
    return 0;
  };
}

/// What a client gets for `request` when the endpoint answers with `answer`, up to `end`.
std::string AnswerFor(std::string_view request, std::string_view answer, std::string_view end) {
  Rig rig;
  AddCookies(&rig);
  Peer client = rig.Connect();
  client.Write(request);
  Peer endpoint = rig.Accepted();
  (void)rig.EndpointReads(endpoint, "\r\n\r\n");
  endpoint.Write(answer);
  const std::string text = rig.ReadUntil(client, end);
  CHECK(rig.Until([&] { return rig.CountOf(EventType::kProgress, event_flag::kFinished) == 1; }));
  CHECK_EQ(rig.LastOf(EventType::kProgress)->to_client, text.size());
  return text;
}

}  // namespace

TEST(added_field_comes_with_answers_of_every_framing) {
  CHECK(Holds(AnswerFor(kGet, loopback::Ok("hello", "Set-Cookie: own\r\n"), "\r\n\r\nhello"),
              "Set-Cookie: own\r\n"));
  CHECK(Holds(AnswerFor(kGet, loopback::Ok("hello"), "\r\n\r\nhello"), kCookieLine));
  CHECK(Holds(
      AnswerFor(kGet,
                "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
                "\r\n\r\n5\r\nhello\r\n0\r\n\r\n"),
      kCookieLine));
  CHECK(Holds(AnswerFor("HEAD / HTTP/1.1\r\nhost: h\r\n\r\n",
                        "HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\n", "\r\n\r\n"),
              kCookieLine));
  CHECK(Holds(AnswerFor(kGet, "HTTP/1.1 304 Not Modified\r\n\r\n", "\r\n\r\n"), kCookieLine));
  CHECK(Holds(AnswerFor("GET / HTTP/1.0\r\nconnection: keep-alive\r\n\r\n", loopback::Ok("hello"),
                        "\r\n\r\nhello"),
              kCookieLine));
}

TEST(added_field_is_not_for_interim_answers) {
  Rig rig;
  AddCookies(&rig);
  Peer client = rig.Connect();
  client.Write(kGet);
  Peer endpoint = rig.Accepted();
  (void)rig.EndpointReads(endpoint, "\r\n\r\n");
  endpoint.Write("HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n");
  CHECK_EQ(rig.ReadUntil(client, "\r\n\r\n"), "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n");
  endpoint.Write(loopback::Ok("done"));
  CHECK(Holds(rig.ReadUntil(client, "done"), kCookieLine));
}

TEST(added_field_comes_with_answers_of_the_proxy) {
  Rig rig;
  rig.decide = [&](const Seen& seen) {
    CHECK(rig->AddResponseField(seen.number, "x-explain", "none"));
    CHECK(rig->Answer(seen.number, "503 Service Unavailable\r\nx: y", "none", false));
    CHECK(rig->AddResponseField(seen.number, "x-late", "gone"));  // its head has gone
    return kSettled;
  };
  Peer client = rig.Connect();
  client.Write(kGet);
  const std::string answer = rig.ReadUntil(client, "none");
  CHECK(Holds(answer, "x: y\r\n"));
  CHECK(Holds(answer, "x-explain: none\r\n"));
  CHECK(!Holds(answer, "x-late"));
}

TEST(added_field_comes_with_the_head_of_a_tunnel) {
  Rig rig;
  AddCookies(&rig);
  Peer client = rig.Connect();
  client.Write("GET / HTTP/1.1\r\nhost: h\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n");
  Peer endpoint = rig.Accepted();
  (void)rig.EndpointReads(endpoint, "\r\n\r\n");
  endpoint.Write("HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\nhi");
  const std::string answer = rig.ReadUntil(client, "hi");
  CHECK(Holds(answer, std::string(kCookieLine) + "connection: upgrade\r\n\r\nhi"));
}

TEST(added_field_is_kept_and_can_be_changed_over_attempts) {
  Rig rig;
  rig.decide = [&](const Seen& seen) {
    if (seen.type == EventType::kRequest) {
      CHECK(rig->AddResponseField(seen.number, "x-kept", "first"));
      CHECK(rig->AddResponseField(seen.number, "x-changed", "first"));
      CHECK(rig->AddResponseField(seen.number, "x-removed", "first"));
      return 9;  // no pool
    }
    CHECK(rig->AddResponseField(seen.number, "X-Changed", "second"));
    CHECK(rig->AddResponseField(seen.number, "x-removed", std::nullopt));
    return 0;
  };
  Peer client = rig.Connect();
  client.Write(kGet);
  Peer endpoint = rig.Accepted();
  (void)rig.EndpointReads(endpoint, "\r\n\r\n");
  endpoint.Write(loopback::Ok("done"));
  const std::string answer = rig.ReadUntil(client, "done");
  CHECK(Holds(answer, "x-kept: first\r\nX-Changed: second\r\n"));
  CHECK(!Holds(answer, "x-removed"));
}

TEST(added_field_is_of_one_exchange_only) {
  Rig rig;
  size_t requests = 0;
  rig.decide = [&](const Seen& seen) {
    if (requests++ == 0) CHECK(rig->AddResponseField(seen.number, "set-cookie", kCookie));
    return 0;
  };
  Peer client = rig.Connect();
  client.Write(std::string(kGet) + std::string(kGet));  // pipelined
  Peer endpoint = rig.Accepted();
  for (const bool is_first : {true, false}) {
    (void)rig.EndpointReads(endpoint, "\r\n\r\n");
    endpoint.Write(loopback::Ok("done"));
    CHECK_EQ(Holds(rig.ReadUntil(client, "done"), kCookieLine), is_first);
  }
}

TEST(added_fields_may_be_as_long_as_their_bound) {
  Rig rig;
  const std::string value(AddedFields::kMostBytes - 7, 'v');  // `x-a: ` and CRLF
  rig.decide = [&](const Seen& seen) {
    CHECK(!rig->AddResponseField(seen.number, "x-a", value + "v"));
    CHECK(!rig->AddResponseField(seen.number, "x-a", "1\r\nx-b: 2"));
    CHECK(!rig->AddResponseField(seen.number, "content-length", "1"));
    CHECK(rig->AddResponseField(seen.number, "x-a", value));
    CHECK(!rig->AddResponseField(seen.number, "x-b", ""));
    return 0;
  };
  Peer client = rig.Connect();
  client.Write(kGet);
  Peer endpoint = rig.Accepted();
  (void)rig.EndpointReads(endpoint, "\r\n\r\n");
  endpoint.Write(loopback::Ok("done"));
  CHECK(Holds(rig.ReadUntil(client, "done"), "x-a: " + value + "\r\n"));
}
