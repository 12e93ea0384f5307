// Sessions over TLS that are cut off at every byte: of an endpoint's handshake, and of a record of
// either side.
#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>

#include "l4/tls_session_rig.h"

namespace {

using namespace rig;

constexpr std::string_view kSecret = "what must come whole";

/// Carries bytes between a far end of the test and the engine, up to a number of the far end's.
class Leash {
 public:
  /// @param outer the connection with the engine
  explicit Leash(Peer outer) : outer_(std::move(outer)) {
    auto pair = std::move(OpenSocketPair().value());
    inner_ = Peer(std::move(pair.first));
    far_ = Peer(std::move(pair.second));
  }

  Peer TakeFar() { return std::move(far_); }
  void Step(size_t most) {
    std::array<char, 16 * 1024> buffer;
    const size_t room = std::min(most - passed, buffer.size());
    if (room > 0) {
      const IoResult got = Receive(inner_.fd(), buffer.data(), room);
      passed += Send(outer_.fd(), buffer.data(), got.bytes).bytes;
    }
    const IoResult back = Receive(outer_.fd(), buffer.data(), buffer.size());
    (void)Send(inner_.fd(), buffer.data(), back.bytes);
  }
  void Cut(bool resets) { resets ? outer_.Reset() : outer_.Close(); }

  size_t passed = 0;

 private:
  Peer outer_;
  Peer inner_;
  Peer far_;
};

/// A session one of whose sides speaks TLS, over a leash; the other is plain.
class Leashed {
 public:
  explicit Leashed(bool is_client_secure)
      : rig(is_client_secure ? TlsListener() : PatientListener(),
            is_client_secure ? PatientEndpoint() : TlsEndpoint()) {
    rig.decide = [](const Told& event) {
      return event.type == SessionEventType::kConnectFailed ? kRefuse : 0;
    };
    Peer client = rig.Connect();
    if (is_client_secure) {
      leash.emplace(std::move(client));
      far.emplace(leash->TakeFar(), OneContexts().client.get());
    } else {
      plain.emplace(std::move(client));
      leash.emplace(rig.AcceptAtEndpoint());
      far.emplace(leash->TakeFar(), OneContexts().server.get());
    }
  }

  void Step(size_t most) {
    far->Step();
    leash->Step(most);
    if (plain.has_value()) {
      plain->Step();
    } else if (Peer accepted = rig.endpoint.Accept(); accepted.is_open()) {
      plain.emplace(std::move(accepted));
    }
  }
  bool Until(size_t most, const std::function<bool()>& is_so) {
    return rig.Until([&] {
      Step(most);
      return is_so();
    });
  }
  bool Open() {
    return Until(SIZE_MAX, [&] {
      return far->is_established() && plain.has_value() &&
             rig.Count(SessionEventType::kConnected) == 1;
    });
  }
  /// Those of an endpoint come with its first words.
  bool TakeTickets() {
    constexpr std::string_view kFirst = "first";
    far->Say(kFirst);
    const bool is_there = Until(SIZE_MAX, [&] { return plain->heard == kFirst; });
    plain->heard.clear();
    return is_there;
  }
  void CheckIsGone() {
    CHECK(rig.Until([&] {
      if (plain.has_value()) plain->Step();
      return rig.Count(SessionEventType::kEnded) == 1;
    }));
    rig.CheckEmpty();
    CHECK_EQ(rig.engine->stats().handshakes, 0);
  }

  Rig rig;
  std::optional<Leash> leash;
  std::optional<Talker> far;
  std::optional<Talker> plain;
};

TEST(LeavesNothingBehindWhereAnEndpointAbortsItsHandshakeAtAnyByte) {
  Leashed whole(false);
  if (!whole.Open()) return;
  const size_t handshake_bytes = whole.leash->passed;
  const size_t descriptors = CountDescriptors();
  for (size_t most = 1; most < handshake_bytes; ++most) {
    for (const bool resets : {false, true}) {
      Leashed session(false);
      // A signature may be shorter than that of the whole one by some bytes.
      const bool is_there = session.Until(most, [&] {
        return session.leash->passed == most ||
               (session.far->is_established() &&
                session.rig.Count(SessionEventType::kConnected) == 1);
      });
      if (!is_there) return;
      session.leash->Cut(resets);
      session.CheckIsGone();
    }
  }
  CHECK_EQ(CountDescriptors(), descriptors);
}

TEST(PassesNothingOnOfARecordThatIsCutAtAnyByte) {
  const size_t descriptors = CountDescriptors();
  for (const bool is_client_secure : {true, false}) {
    size_t record_bytes = 2;
    for (size_t cut = 1; cut < record_bytes; ++cut) {
      for (const bool resets : {false, true}) {
        Leashed session(is_client_secure);
        if (!session.Open() || !session.TakeTickets()) return;
        const size_t before = session.leash->passed;
        session.far->Say(kSecret);
        if (record_bytes == 2) {
          // Once whole, for its length.
          session.Until(SIZE_MAX, [&] { return session.plain->heard == kSecret; });
          record_bytes = session.leash->passed - before;
        } else {
          session.Until(before + cut, [&] { return session.leash->passed == before + cut; });
          session.leash->Cut(resets);
          session.CheckIsGone();
          CHECK_EQ(session.plain->heard, "");
          CHECK_EQ(session.rig.WaitEnded().reason(),
                   static_cast<int32_t>(is_client_secure ? SessionEnd::kClientReset
                                                         : SessionEnd::kEndpointReset));
        }
      }
    }
    CHECK(record_bytes > kSecret.size());
  }
  CHECK_EQ(CountDescriptors(), descriptors);
}

}  // namespace
