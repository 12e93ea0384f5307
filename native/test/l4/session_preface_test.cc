// What a client says before its session is opened, and what the endpoint is told of it.
#include <string>
#include <string_view>

#include "l4/made_hello.h"
#include "l4/proxy_header.h"
#include "l4/session_rig.h"

namespace {

using namespace rig;
using namespace std::string_literals;
using made_hello::ClientHelloFor;

constexpr std::string_view kTcp4 = "PROXY TCP4 192.0.2.1 198.51.100.7 51234 443\r\n";

SessionListenerSettings Listens(bool reads_proxy_header, bool reads_client_hello) {
  SessionListenerSettings settings = PatientListener();
  settings.reads_proxy_header = reads_proxy_header;
  settings.reads_client_hello = reads_client_hello;
  return settings;
}

/// What the endpoint heard, as a PROXY header and the rest.
struct HeardHeader {
  explicit HeardHeader(const std::string& heard) {
    CHECK_EQ(ParseProxyHeader(heard, &header), PrefaceStatus::kDone);
    rest = heard.substr(header.header_bytes);
  }
  ProxyHeader header;
  std::string rest;
};

uint16_t PortOfSocket(int fd, bool is_own) {
  sockaddr_in name{};
  socklen_t size = sizeof name;
  auto* const address = reinterpret_cast<sockaddr*>(&name);
  CHECK_EQ(is_own ? ::getsockname(fd, address, &size) : ::getpeername(fd, address, &size), 0);
  return ntohs(name.sin_port);
}

PeerAddress Ipv4(uint8_t a, uint8_t b, uint8_t c, uint8_t d, uint16_t port) {
  PeerAddress address;
  address.ip = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, d};
  address.port = port;
  return address;
}

TEST(TellsWhomAProxyHeaderNamesAndConsumesIt) {
  Rig rig(Listens(true, false));
  Peer client = rig.Connect();
  client.Say(std::string(kTcp4) + "data");
  const Told opened = rig.Wait(SessionEventType::kOpened);
  CHECK(opened.has(session_flag::kProxied));
  CHECK_EQ(opened.words[kClaimed0 + 2], 0xffff);
  CHECK_EQ(static_cast<uint32_t>(opened.words[kClaimed0 + 3]), 0xc0000201);
  CHECK_EQ(opened.words[kClaimedPort], 51234);
  CHECK_EQ(opened.words[kPeer0 + 3], 0x7f000001);
  Peer endpoint = rig.AcceptAtEndpoint();
  CHECK(rig.Until([&] { return endpoint.HasHeard("data"); }));
  client.Say(" and more");
  CHECK(rig.Until([&] { return endpoint.HasHeard("data and more"); }));
  client.Finish();
  endpoint.Finish();
  CHECK_EQ(rig.WaitEnded().from_client_bytes(), 13);
}

TEST(ReadsAProxyHeaderByteByByte) {
  Rig rig(Listens(true, false));
  Peer client = rig.Connect();
  for (const char byte : kTcp4) {
    CHECK_EQ(rig.told.size(), 0);
    client.Say({&byte, 1});
    rig.loop->Turn(1);
  }
  CHECK(rig.Wait(SessionEventType::kOpened).has(session_flag::kProxied));
}

TEST(TakesTheConnectionsOwnAddressesForUnknownAndLocal) {
  char local[kMaxWrittenProxyHeaderBytes];
  const size_t local_bytes = WriteProxyHeader(2, {}, local);
  for (const std::string& header : {"PROXY UNKNOWN\r\n"s, std::string(local, local_bytes)}) {
    Rig rig(Listens(true, false), PatientEndpoint(1));
    rig.believes = true;
    Peer client = rig.Connect();
    client.Say(header);
    CHECK(!rig.Wait(SessionEventType::kOpened).has(session_flag::kProxied));
    Peer endpoint = rig.AcceptAtEndpoint();
    CHECK(rig.Until([&] { return endpoint.Read(); }));
    const HeardHeader heard(endpoint.heard);
    CHECK(heard.header.source == Ipv4(127, 0, 0, 1, PortOfSocket(client.fd(), true)));
  }
}

TEST(ResetsWhoSendsNoProxyHeader) {
  Rig rig(Listens(true, false));
  Peer client = rig.Connect();
  client.Say("GET / HTTP/1.1\r\n\r\n");
  rig.CheckEnded(SessionEnd::kBadProxyHeader);
  CHECK(rig.WaitEnded().has(session_flag::kNeverOpened));
  CHECK_EQ(rig.told.size(), 1);
  CHECK(rig.Until([&] { return client.IsReset(); }));
  CHECK_EQ(rig.engine->stats().opened, 0);
  rig.CheckEmpty();
}

TEST(ResetsWhoseProxyHeaderDoesNotEnd) {
  Rig rig(Listens(true, true));
  Peer client = rig.Connect();
  client.Say("PROXY TCP4 " + std::string(6000, '1'));
  rig.CheckEnded(SessionEnd::kBadProxyHeader);
  CHECK(rig.Until([&] { return client.IsReset(); }));
}

TEST(EndsAConnectionWhosePrefaceIsLate) {
  for (const bool has_begun : {false, true}) {
    SessionListenerSettings settings = Listens(true, false);
    settings.preface_timeout_ms = 50;
    Rig rig(settings);
    Peer client = rig.Connect();
    if (has_begun) client.Say("PROXY TC");
    rig.CheckEnded(SessionEnd::kPrefaceTimeout);
    CHECK(rig.WaitEnded().has(session_flag::kNeverOpened));
    CHECK(rig.Until([&] { return client.IsReset(); }));
    rig.CheckEmpty();
  }
}

TEST(TellsWhoseConnectionWasNeverOpened) {
  Rig rig(Listens(true, false));
  Peer client = rig.Connect();
  client.Say("GET / HTTP/1.1\r\n\r\n");
  const Told& ended = rig.WaitEnded();
  CHECK_EQ(ended.words[kPeer0], 0);
  CHECK_EQ(ended.words[kPeer0 + 1], 0);
  CHECK_EQ(ended.words[kPeer0 + 2], 0xffff);
  CHECK_EQ(ended.words[kPeer0 + 3], 0x7f000001);
  CHECK_EQ(ended.words[kPeerPort], PortOfSocket(client.fd(), true));
}

TEST(ReadsThePrefaceOfAConnectionThatLayInTheMailboxForLong) {
  SessionListenerSettings settings = Listens(true, false);
  settings.preface_timeout_ms = 50;
  const std::shared_ptr<Mailbox> mailbox = Mailbox::Create().value();
  Rig rig(settings, PatientEndpoint(), 64, mailbox);
  rig.loop->Turn(0);
  Peer client(rig.entrance().Connect());
  client.Say(kTcp4);
  Accepted accepted = rig.entrance().AcceptForEngine(0);
  CHECK(mailbox->Put(&accepted, 1));
  while (MonotonicUs() < accepted.accepted_at_us + 60'000) {
    // The worker is kept from its loop.
  }
  rig.Wait(SessionEventType::kOpened);
  CHECK_EQ(rig.Count(SessionEventType::kEnded), 0);
  // One that has said nothing all the time has had its time.
  Peer silent(rig.entrance().Connect());
  accepted = rig.entrance().AcceptForEngine(0);
  accepted.accepted_at_us -= 60'000'000;
  CHECK(mailbox->Put(&accepted, 1));
  rig.CheckEnded(SessionEnd::kPrefaceTimeout);
  CHECK_EQ(rig.Count(SessionEventType::kOpened), 1);
}

TEST(EndsAConnectionWhosePrefaceBreaksOff) {
  for (const bool is_reset : {false, true}) {
    Rig rig(Listens(true, true));
    Peer client = rig.Connect();
    client.Say("PROXY TC");
    rig.loop->Turn(1);
    if (is_reset) {
      client.Reset();
    } else {
      client.Finish();
    }
    rig.CheckEnded(is_reset ? SessionEnd::kClientReset : SessionEnd::kPrefaceTimeout);
    CHECK(rig.WaitEnded().has(session_flag::kNeverOpened));
    CHECK_EQ(rig.told.size(), 1);
    rig.CheckEmpty();
  }
}

TEST(ReadsTheClientHelloAndKeepsIt) {
  const std::string hello = ClientHelloFor("www.Example.COM", "\x02h2\x08http/1.1");
  Rig rig(Listens(false, true));
  Peer client = rig.Connect();
  client.Say(hello);
  const Told opened = rig.Wait(SessionEventType::kOpened);
  CHECK(opened.has(session_flag::kTls));
  CHECK_EQ(opened.sni, "www.example.com");
  CHECK_EQ(opened.alpn, "\x02h2\x08http/1.1");
  Peer endpoint = rig.AcceptAtEndpoint();
  CHECK(rig.Until([&] { return endpoint.HasHeard(hello); }));
  client.Say("next");
  CHECK(rig.Until([&] { return endpoint.HasHeard(hello + "next"); }));
}

TEST(ReadsAClientHelloSplitAtEveryByte) {
  const std::string hello = ClientHelloFor("a.example", "\x02h2");
  Rig rig(Listens(false, true));
  for (size_t split = 1; split < hello.size(); ++split) {
    rig.told.clear();
    Peer client = rig.Connect();
    client.Say(hello.substr(0, split));
    rig.loop->Turn(0);
    rig.loop->Turn(0);
    CHECK_EQ(rig.Count(SessionEventType::kOpened), 0);
    client.Say(hello.substr(split));
    CHECK_EQ(rig.Wait(SessionEventType::kOpened).sni, "a.example");
    Peer endpoint = rig.AcceptAtEndpoint();
    CHECK(rig.Until([&] { return endpoint.HasHeard(hello); }));
    rig.engine->CloseSession(rig.Wait(SessionEventType::kOpened).session());
  }
}

TEST(GoesOnWithWhatIsNoTls) {
  Rig rig(Listens(false, true));
  Peer client = rig.Connect();
  client.Say("SSH-2.0-x\r\n");
  const Told opened = rig.Wait(SessionEventType::kOpened);
  CHECK(!opened.has(session_flag::kTls));
  CHECK_EQ(opened.sni, "");
  Peer endpoint = rig.AcceptAtEndpoint();
  CHECK(rig.Until([&] { return endpoint.HasHeard("SSH-2.0-x\r\n"); }));
}

TEST(ResetsWhoseClientHelloIsNone) {
  Rig rig(Listens(false, true));
  Peer client = rig.Connect();
  client.Say("\x16\x03\x01\x00\x05\x02\x00\x00\x01\x00"s);  // a ServerHello
  rig.CheckEnded(SessionEnd::kBadClientHello);
  CHECK(rig.WaitEnded().has(session_flag::kNeverOpened));
  CHECK(rig.Until([&] { return client.IsReset(); }));
}

TEST(ReadsProxyHeaderAndClientHelloInOnePiece) {
  const std::string hello = ClientHelloFor("b.example", "");
  for (const bool in_one : {true, false}) {
    Rig rig(Listens(true, true));
    Peer client = rig.Connect();
    if (in_one) {
      client.Say(std::string(kTcp4) + hello);
    } else {
      client.Say(kTcp4);
      rig.loop->Turn(1);
      rig.loop->Turn(1);
      CHECK_EQ(rig.told.size(), 0);
      client.Say(hello);
    }
    const Told opened = rig.Wait(SessionEventType::kOpened);
    CHECK_EQ(opened.words[kFlags], session_flag::kProxied | session_flag::kTls);
    CHECK_EQ(opened.sni, "b.example");
    Peer endpoint = rig.AcceptAtEndpoint();
    CHECK(rig.Until([&] { return endpoint.HasHeard(hello); }));
  }
}

TEST(TellsTheEndpointWhoHasConnected) {
  for (const int version : {1, 2}) {
    Rig rig(PatientListener(), PatientEndpoint(version));
    Peer client = rig.Connect();
    client.Say("hi");
    Peer endpoint = rig.AcceptAtEndpoint();
    CHECK(rig.Until([&] { return endpoint.Read(); }));
    const HeardHeader heard(endpoint.heard);
    CHECK(heard.header.has_addresses);
    CHECK(heard.header.source == Ipv4(127, 0, 0, 1, PortOfSocket(client.fd(), true)));
    CHECK(heard.header.destination == Ipv4(127, 0, 0, 1, PortOfSocket(client.fd(), false)));
    CHECK_EQ(heard.header.unique_id.size(), version == 2 ? 16 : 0);
    CHECK_EQ(heard.rest, "hi");  // in the same segment
    client.Finish();
    endpoint.Finish();
    CHECK_EQ(rig.WaitEnded().from_client_bytes(), 2);  // the header does not count
  }
}

TEST(TellsTheEndpointOfASilentClientAtOnce) {
  Rig rig(PatientListener(), PatientEndpoint(1));
  Peer client = rig.Connect();
  Peer endpoint = rig.AcceptAtEndpoint();
  CHECK(rig.Until([&] { return endpoint.Read(); }));
  CHECK_EQ(HeardHeader(endpoint.heard).rest, "");
}

TEST(LingersForAClientThatHadFinishedBeforeItsEndpointWasThere) {
  SessionListenerSettings settings = PatientListener();
  settings.linger_timeout_ms = 60;
  Rig rig(settings, PatientEndpoint(1));
  Peer client = rig.Connect();
  client.Say("bye");
  client.Finish();
  Peer endpoint = rig.AcceptAtEndpoint();
  CHECK(rig.Until([&] { return endpoint.HasEnded(); }));
  rig.CheckEnded(SessionEnd::kLingerTimeout);
}

TEST(GivesEachConnectionAnIdOfItsOwn) {
  Rig rig(PatientListener(), PatientEndpoint(2));
  std::string ids[2];
  for (std::string& id : ids) {
    Peer client = rig.Connect();
    Peer endpoint = rig.AcceptAtEndpoint();
    CHECK(rig.Until([&] { return endpoint.Read(); }));
    id = HeardHeader(endpoint.heard).header.unique_id;
  }
  CHECK_EQ(ids[0].size(), 16);
  CHECK(ids[0] != ids[1]);
  CHECK_EQ(ids[0].substr(0, 8), ids[1].substr(0, 8));
}

TEST(PassesOnTheClaimedAddressOnlyWhereItIsBelieved) {
  for (const bool believes : {true, false}) {
    Rig rig(Listens(true, false), PatientEndpoint(2));
    rig.believes = believes;
    ProxyHeader claimed;
    claimed.has_addresses = true;
    claimed.source = Ipv4(192, 0, 2, 1, 51234);
    claimed.destination = Ipv4(198, 51, 100, 7, 443);
    claimed.authority = "named.example";
    claimed.alpn = "h2";
    claimed.unique_id = "an id";
    char header[kMaxWrittenProxyHeaderBytes];
    Peer client = rig.Connect();
    client.Say({header, WriteProxyHeader(2, claimed, header)});
    client.Say("x");
    Peer endpoint = rig.AcceptAtEndpoint();
    CHECK(rig.Until([&] { return endpoint.Read() && endpoint.heard.back() == 'x'; }));
    const HeardHeader heard(endpoint.heard);
    CHECK_EQ(heard.rest, "x");
    CHECK_EQ(heard.header.source == claimed.source, believes);
    CHECK_EQ(heard.header.destination == claimed.destination, believes);
    CHECK_EQ(heard.header.authority, believes ? "named.example" : "");
    CHECK_EQ(heard.header.alpn, believes ? "h2" : "");
    CHECK_EQ(heard.header.unique_id.size(), believes ? 5 : 16);
  }
}

TEST(TellsTheEndpointWhatTheClientHelloSays) {
  // The protocol only where there is no choice.
  for (const bool has_choice : {false, true}) {
    const std::string hello =
        ClientHelloFor("c.example", has_choice ? "\x02h2\x08http/1.1" : "\x08http/1.1");
    Rig rig(Listens(false, true), PatientEndpoint(2));
    Peer client = rig.Connect();
    client.Say(hello);
    Peer endpoint = rig.AcceptAtEndpoint();
    CHECK(rig.Until([&] { return endpoint.Read() && endpoint.heard.ends_with(hello); }));
    const HeardHeader heard(endpoint.heard);
    CHECK_EQ(heard.rest, hello);
    CHECK_EQ(heard.header.authority, "c.example");
    CHECK_EQ(heard.header.alpn, has_choice ? "" : "http/1.1");
  }
}

TEST(SaysTheSameToTheNextEndpoint) {
  const std::string hello = ClientHelloFor("d.example", "");
  Rig rig(Listens(true, true), PatientEndpoint(2));
  rig.believes = true;
  CHECK(rig.engine->OpenEndpoint(1, {RefusingAddress()}, PatientEndpoint()));
  rig.decide = [](const Told& event) { return event.type == SessionEventType::kOpened ? 1 : 0; };
  Peer client = rig.Connect();
  client.Say(std::string(kTcp4) + hello);
  Peer endpoint = rig.AcceptAtEndpoint();
  CHECK(rig.Until([&] { return endpoint.Read() && endpoint.heard.ends_with(hello); }));
  const HeardHeader heard(endpoint.heard);
  CHECK_EQ(heard.rest, hello);
  CHECK(heard.header.source == Ipv4(192, 0, 2, 1, 51234));
}

TEST(SaysThatAUnixClientHasNoAddress) {
  Rig rig(PatientListener(), PatientEndpoint(1));
  Peer client = rig.ConnectUnix();
  client.Say("u");
  Peer endpoint = rig.AcceptAtEndpoint();
  CHECK(rig.Until([&] { return endpoint.HasHeard("PROXY UNKNOWN\r\nu"); }));
}

}  // namespace
