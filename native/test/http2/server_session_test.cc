// Unit tests of HTTP/2 sessions with clients: requests and answers, frames in and out as bytes.
#include "http2/server_session.h"

#include <algorithm>
#include <string>
#include <vector>

#include "session_rig.h"

namespace sluice::http2 {
namespace {

// --- settings and requests ---

TEST(says_its_settings_first_and_acknowledges_those_of_clients) {
  Client client;
  CHECK_EQ(client.frames[0].type, kSettings);
  CHECK_EQ(client.frames[0].flags, 0);
  CHECK_EQ(client.frames[0].payload,
           Setting(3, 4) + Setting(4, 65'536) + Setting(6, 1'024) + Setting(8, 1) + Setting(9, 1));
  CHECK(Find(client.frames, kWindowUpdate, 0) != nullptr);
  const bool is_acknowledged = std::any_of(
      client.frames.begin(), client.frames.end(),
      [](const Parsed& frame) { return frame.type == kSettings && frame.flags == kAck; });
  CHECK(is_acknowledged);
  CHECK_EQ(client.session.settings_sent_at_ms(), 1'000u);
  client.Say(Frame(kSettings, kAck, 0, ""));
  CHECK_EQ(client.session.settings_sent_at_ms(), UINT64_MAX);
}

TEST(tells_a_request_as_a_head_of_http1) {
  Client client;
  client.Say(Headers(1, With(With(Get("/a?b"), "cookie", "a=1"), "accept", "*/*")));
  CHECK_EQ(client.At(1)->head,
           "GET /a?b HTTP/1.1\r\nhost: a.example\r\naccept: */*\r\ncookie: a=1\r\n\r\n");
  CHECK_EQ(client.At(1)->ends, 1);
  CHECK_EQ(client.session.requests(), 1u);
}

TEST(tells_the_same_however_bytes_are_split) {
  const std::string bytes = std::string(kMagic) + Settings() +
                            Headers(1, With(Get(), "cookie", "a=1"), 0) +
                            Frame(kData, kEndStream, 1, "hello");
  Client whole;
  AnswerFields fields;
  for (size_t at = 0; at + 24 < bytes.size(); at += 7) {
    Client client;
    const std::string_view rest = std::string_view(bytes).substr(kMagic.size() + 9);
    client.Say(rest.substr(0, at));
    client.Say(rest.substr(std::min(at, rest.size())));
    CHECK_EQ(client.At(1)->body, "hello");
    CHECK_EQ(client.At(1)->ends, 1);
    CHECK_EQ(client.At(1)->head,
             "GET / HTTP/1.1\r\nhost: a.example\r\ncookie: a=1\r\ntransfer-encoding: "
             "chunked\r\n\r\n");
  }
}

TEST(resets_streams_of_malformed_requests) {
  const std::vector<Fields> malformed = {
      {{":method", "GET"}, {":scheme", "http"}, {":path", "/"}, {":path", "/"}},
      {{":method", "GET"}, {":path", "/"}, {":authority", "a"}},
      {{":method", "GET"}, {":scheme", "http"}, {":authority", "a"}, {":path", ""}},
      {{":method", "GET"}, {":scheme", "http"}, {":authority", "a"}, {":path", "http://b/"}},
      {{":method", "GET"},
       {":scheme", "http"},
       {":authority", "a"},
       {":path", "/ HTTP/1.1\r\na: b"}},
      {{":method", "G ET"}, {":scheme", "http"}, {":authority", "a"}, {":path", "/"}},
      {{":method", "GET"}, {":scheme", "ftp"}, {":authority", "a"}, {":path", "/"}},
      With(Get(), "Upper", "x"),
      With(Get(), "connection", "close"),
      With(Get(), "transfer-encoding", "chunked"),
      With(Get(), "keep-alive", "x"),
      With(Get(), "proxy-connection", "x"),
      With(Get(), "upgrade", "websocket"),
      With(Get(), "te", "gzip"),
      With(Get(), "a", "b\r\nc: d"),
      With(Get(), "a", std::string_view("b\0c", 3)),
      With(Get(), "a", " b"),
      With(Get(), "a", "b\t"),
      With(Get(), "a b", "c"),
      With(Get(), "a:", "c"),
      With(Get(), "", "c"),
      With(Get(), "host", "b.example"),
      With(With(Get(), "a", "b"), ":method", "GET"),
      With(Get(), ":status", "200"),
      With(Get(), ":unknown", "x"),
      With(Get(), "content-length", "5"),  // and ends with the head
  };
  for (const Fields& fields : malformed) {
    Client client;
    client.Say(Headers(1, fields));
    CHECK(client.At(1) == nullptr);
    CHECK_EQ(client.ResetOf(1), 1u);
    CHECK(client.goes_on);
    // Others go on, and fields are unpacked as if nothing had been.
    client.Say(Headers(3, Get()));
    CHECK(client.At(3) != nullptr);
  }
}

TEST(holds_content_against_its_announced_length) {
  for (const std::string_view content : {"toolong", "shrt"}) {
    Client client;
    client.Say(Headers(1, With(Get(), "content-length", "5"), 0));
    client.Say(Frame(kData, kEndStream, 1, content));
    CHECK_EQ(client.At(1)->resets, 1);
    CHECK_EQ(client.ResetOf(1), 1u);
  }
}

TEST(judges_trailers_and_drops_them) {
  Client good;
  good.Say(Headers(1, Get(), 0) + Frame(kData, 0, 1, "x") + Headers(1, {{"checksum", "1"}}));
  CHECK_EQ(good.At(1)->ends, 1);
  for (const Fields& fields :
       {Fields{{":path", "/"}}, Fields{{"connection", "x"}}, Fields{{"A", "b"}}}) {
    Client bad;
    bad.Say(Headers(1, Get(), 0) + Frame(kData, 0, 1, "x") + Headers(1, fields));
    CHECK_EQ(bad.At(1)->ends, 0);
    CHECK_EQ(bad.At(1)->resets, 1);
    CHECK_EQ(bad.ResetOf(1), 1u);
  }
}

TEST(tells_of_heads_that_are_too_large_and_refuses_what_it_is_told_to) {
  Client client;
  client.Say(Headers(1, With(Get(), "a", std::string(1'100, 'x'))));
  CHECK(client.At(1)->was_too_large);
  client.refuses = true;
  client.Say(Headers(3, Get()));
  CHECK_EQ(client.ResetOf(3), 7u);
}

TEST(makes_an_upgrade_of_an_extended_connect) {
  Client client;
  client.Say(Headers(1,
                     {{":method", "CONNECT"},
                      {":protocol", "websocket"},
                      {":scheme", "http"},
                      {":authority", "a.example"},
                      {":path", "/chat"},
                      {"sec-websocket-key", "theirs"},
                      {"sec-websocket-version", "13"}},
                     0));
  CHECK_EQ(client.At(1)->head,
           "GET /chat HTTP/1.1\r\nhost: a.example\r\nconnection: upgrade\r\nupgrade: "
           "websocket\r\nsec-websocket-version: 13\r\n\r\n");
  CHECK(client.At(1)->is_extended_connect);
  CHECK_EQ(client.At(1)->own_fields, 2u);
}

// --- answers ---

TEST(sends_head_and_body_at_once_and_ends_the_stream) {
  Client client;
  client.Say(Headers(1, Get()));
  client.Answer(1, std::string(kOk), "hello", true);
  client.Listen();
  CHECK_EQ(BodyIn(client.frames, 1), "hello");
  CHECK(HasEnd(client.frames, 1));
  CHECK_EQ(client.At(1)->takings, 0);  // its caller saw it
  CHECK(client.At(1)->is_taken());
  CHECK_EQ(client.At(1)->resets, 0);
}

TEST(ends_streams_with_head_or_trailers) {
  Client client;
  client.Say(Headers(1, Get()) + Headers(3, Get()) + Headers(5, Get()) + Headers(7, Get()));
  client.Answer(1, std::string(kOk), "", true);
  client.Answer(3, std::string(kOk), "", true, "grpc-status: 0\r\n");
  client.Answer(5, std::string(kOk), "x", false);
  client.Answer(5, "", "", true, "grpc-status: 0\r\n");
  client.Answer(7, std::string(kOk), "x", true, "Grpc-Status: 0\r\n");
  client.Listen();
  for (const uint32_t stream : {1u, 3u, 5u, 7u}) {
    CHECK(HasEnd(client.frames, stream));
    CHECK(client.At(static_cast<int32_t>(stream))->is_taken());
  }
  const auto heads = [&](uint32_t stream) {
    return std::count_if(client.frames.begin(), client.frames.end(), [stream](const Parsed& frame) {
      return frame.type == kHeaders && frame.stream == stream;
    });
  };
  CHECK_EQ(heads(1), 1);
  CHECK_EQ(heads(3), 2);
  CHECK_EQ(heads(5), 2);
  CHECK_EQ(heads(7), 2);
}

TEST(waits_for_the_window_of_the_stream) {
  Client client;
  client.Say(Settings(Setting(4, 10)) + Headers(1, Get()));
  client.Answer(1, std::string(kOk), "0123456789abcdef", true);
  client.Listen();
  CHECK_EQ(BodyIn(client.frames, 1), "0123456789");
  CHECK_EQ(client.At(1)->out.view(), "abcdef");
  CHECK(!client.At(1)->is_taken());
  client.Say(WindowUpdate(1, 100));
  CHECK_EQ(BodyIn(client.frames, 1), "abcdef");
  CHECK(HasEnd(client.frames, 1));
  CHECK_EQ(client.At(1)->takings, 1);
}

TEST(makes_no_more_frames_than_its_buffer_has_room_for) {
  Client client;
  client.Say(Settings(Setting(4, 1 << 20)) + WindowUpdate(0, 1 << 20) + Headers(1, Get()) +
             Headers(3, Get()));
  const std::string body(300'000, 'x');
  client.Answer(1, std::string(kOk), body, true);
  CHECK(client.session.out().size() < ServerSession::kMostOutBytes + 20'000);
  CHECK(!client.At(1)->is_taken());
  client.Answer(3, std::string(kOk), "y", true);
  CHECK(client.session.out().size() < ServerSession::kMostOutBytes + 40'000);
  std::string got;
  while (!client.At(1)->is_taken()) {
    client.Listen();
    got += BodyIn(client.frames, 1);
  }
  client.Listen();
  got += BodyIn(client.frames, 1);
  CHECK_EQ(got.size(), body.size());
  CHECK_EQ(client.At(1)->takings, 1);
}

TEST(gives_windows_back_as_content_is_used) {
  Client client;
  client.Say(Headers(1, Get(), 0));
  const std::string piece(16'000, 'x');
  for (int pieces = 0; pieces < 4; ++pieces)
    client.Say(Frame(kData, 0, 1, piece));
  CHECK(Find(client.frames, kWindowUpdate, 1) == nullptr);
  client.session.Consume(1, 64'000);
  client.Listen();
  CHECK(Find(client.frames, kWindowUpdate, 1) != nullptr);
  // More than the window: flow control is kept.
  for (int pieces = 0; pieces < 5; ++pieces)
    client.Say(Frame(kData, 0, 1, piece));
  CHECK_EQ(client.At(1)->resets, 1);
  CHECK_EQ(client.ResetOf(1), 3u);
}

TEST(gives_the_window_back_beside_a_stream_that_holds_most_of_it) {
  ServerLimits limits = kLimits;
  limits.connection_window_bytes = 98'304;
  Client client(limits);
  client.Say(Headers(1, Get(), 0) + Headers(3, Get(), 0));
  for (int pieces = 0; pieces < 4; ++pieces)
    client.Say(Frame(kData, 0, 1, std::string(16'384, 'x')));
  // A third of the window is left, less than the half by which nghttp2 would give it back.
  size_t window = 32'768;
  for (int pieces = 0; pieces < 100; ++pieces) {
    CHECK(window >= 8'192);
    client.Say(Frame(kData, 0, 3, std::string(8'192, 'y')));
    window -= 8'192;
    client.session.Consume(3, 8'192);
    client.Listen();
    if (const Parsed* const update = Find(client.frames, kWindowUpdate, 0))
      window += update->code();
  }
  // What the first holds is never given away, and comes back when it is used.
  CHECK(window <= 32'768);
  CHECK_EQ(client.GoawayCode(), UINT32_MAX);
  client.session.Consume(1, 65'536);
  client.Listen();
  const Parsed* const update = Find(client.frames, kWindowUpdate, 0);
  CHECK(update != nullptr && update->code() >= 65'536);
}

TEST(resets_streams_and_hears_of_resets) {
  Client client;
  client.Say(Headers(1, Get(), 0) + Headers(3, Get()));
  client.Answer(1, std::string(kOk), "early", true);
  client.session.Reset(client.At(1), 0);
  client.Listen();
  CHECK(HasEnd(client.frames, 1));
  CHECK_EQ(client.ResetOf(1), 0u);
  client.Say(Frame(kRstStream, 0, 3, Number(8, 4)));
  CHECK_EQ(client.At(3)->resets, 1);
  CHECK(!client.At(3)->is_live);
  client.Answer(3, std::string(kOk), "late", true);
  client.Listen();
  CHECK(client.frames.empty());
}

TEST(hears_of_a_reset_behind_its_answer_while_the_request_goes_on) {
  Client client;
  client.Say(Headers(1, Get(), 0) + Headers(3, Get(), 0));
  client.Answer(1, std::string(kOk), "early", true);
  client.Answer(3, std::string(kOk), "early", true);
  client.Listen();
  CHECK(HasEnd(client.frames, 1));
  client.Say(Frame(kRstStream, 0, 1, Number(8, 4)));
  CHECK_EQ(client.At(1)->resets, 1);
  client.Say(Frame(kData, kEndStream, 3, "the rest"));
  CHECK_EQ(client.At(3)->ends, 1);
  CHECK_EQ(client.At(3)->resets, 0);
}

TEST(gives_the_window_back_for_a_little_when_asked_to) {
  Client client;
  client.Say(Headers(1, Get(), 0) + Frame(kData, 0, 1, "a little") + Frame(kData, 0, 1, "held"));
  client.session.Consume(1, 8);
  client.Listen();
  CHECK(Find(client.frames, kWindowUpdate, 0) == nullptr);
  client.session.GiveBack();
  client.Listen();
  const Parsed* const update = Find(client.frames, kWindowUpdate, 0);
  CHECK(update != nullptr && update->code() == 8);
  // Nothing has been used since.
  client.session.GiveBack();
  client.Listen();
  CHECK(Find(client.frames, kWindowUpdate, 0) == nullptr);
}

TEST(refuses_streams_above_its_limit) {
  for (const std::string& first : {Frame(kSettings, kAck, 0, ""), Frame(kPing, 0, 0, "12345678")}) {
    Client client;
    client.Say(first);
    for (uint32_t stream = 1; stream <= 9; stream += 2)
      client.Say(Headers(stream, Get()));
    CHECK(client.At(7) != nullptr);
    CHECK(client.At(9) == nullptr);
    CHECK_EQ(client.ResetOf(9), 7u);
    client.Answer(1, std::string(kOk), "", true);
    client.Say(Headers(11, Get()));
    CHECK(client.At(11) != nullptr);
  }
}

}  // namespace
}  // namespace sluice::http2
